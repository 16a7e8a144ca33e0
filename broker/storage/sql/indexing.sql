-- The follower that fills message_index. The kinds are those of broker.domain.correlation.IndexKind.

-- name: indexes_behind
SELECT a.account_id
FROM accounts a
LEFT JOIN message_indexes i ON i.account_id = a.account_id
WHERE a.last_sequence > coalesce(i.sequence, 0)
ORDER BY a.account_id

-- name: index_state
SELECT a.last_sequence, coalesce(i.sequence, 0), i.indexed_at, i.newest_id, i.span
FROM accounts a
LEFT JOIN message_indexes i ON i.account_id = a.account_id
WHERE a.account_id = :account_id

-- name: newest_span
SELECT coalesce(max(span), 0) FROM message_spans

-- name: insert_span
INSERT INTO message_spans (account_id, first_id, span, messages) VALUES :rows

-- name: span_size
SELECT messages FROM message_spans WHERE span = :span

-- name: grow_span
UPDATE message_spans SET messages = messages + :messages WHERE span = :span

-- name: begun_between
SELECT count(*), max(message_id)
FROM events
WHERE account_id = :account_id AND sequence > :after AND sequence <= :upto AND previous_sequence = 0

-- name: event_time
SELECT time FROM events WHERE account_id = :account_id AND sequence = :sequence

-- name: insert_index_rows
-- The rows are sorted, so that each page of the index is met once. Attempts are those of fact 4, ATTEMPTED; with fact 24,
-- CHANNEL_CHANGED, come another address and sender.
INSERT INTO message_index (span, kind, value, message_id)
WITH begun AS MATERIALIZED (
    SELECT m.message_id, m.recipient, m.client_reference, m.data, coalesce(m.sender, s.sender) AS sender, s.labels,
           (SELECT p.span FROM message_spans p
            WHERE p.account_id = :account_id AND p.first_id <= m.message_id
            ORDER BY p.first_id DESC LIMIT 1) AS span
    FROM events e
    JOIN messages m ON m.message_id = e.message_id
    JOIN submissions s ON s.submission_id = m.submission_id
    WHERE e.account_id = :account_id AND e.sequence > :after AND e.sequence <= :upto
      AND e.previous_sequence = 0
),
labelled AS MATERIALIZED (SELECT span, labels, message_id FROM begun WHERE labels <> '{}'),
found (span, kind, value, message_id) AS (
    SELECT span, 1, '', message_id FROM begun
    UNION ALL
    SELECT span, 2, substr(recipient, 1, 128), message_id FROM begun WHERE recipient <> ''
    UNION ALL
    SELECT span, 3, client_reference, message_id FROM begun WHERE client_reference <> ''
    UNION ALL
    SELECT span, 4, substr(data, 1, 128), message_id FROM begun WHERE data <> ''
    UNION ALL
    SELECT span, 5, substr(sender, 1, 128), message_id FROM begun WHERE sender <> ''
    UNION ALL
    SELECT span, 6, labels ->> '$.campaign[0]', message_id FROM labelled
    UNION ALL
    SELECT l.span, 7, tag.value, l.message_id FROM labelled l JOIN json_each(l.labels, '$.tags') tag
    UNION ALL
    SELECT span, 8, CAST(labels ->> '$.reply_to' AS TEXT), message_id FROM labelled
    UNION ALL
    SELECT span, 9, labels ->> '$.origin', message_id FROM labelled
    UNION ALL
    SELECT span, 11, CAST(labels ->> '$.broadcast' AS TEXT), message_id FROM labelled
    UNION ALL
    SELECT (SELECT p.span FROM message_spans p
            WHERE p.account_id = :account_id AND p.first_id <= e.message_id
            ORDER BY p.first_id DESC LIMIT 1), 10, e.provider, e.message_id
    FROM events e
    WHERE e.account_id = :account_id AND e.sequence > :after AND e.sequence <= :upto AND e.fact = 4
    UNION ALL
    SELECT (SELECT p.span FROM message_spans p
            WHERE p.account_id = :account_id AND p.first_id <= e.message_id
            ORDER BY p.first_id DESC LIMIT 1), 2, substr(w.recipient, 1, 128), e.message_id
    FROM events e
    CROSS JOIN message_ways w
      ON w.message_id = e.message_id AND (w.last_sequence = e.sequence - 1 OR w.first_sequence = e.sequence)
    WHERE e.account_id = :account_id AND e.sequence > :after AND e.sequence <= :upto AND e.fact = 24
      AND w.recipient <> ''
    UNION ALL
    SELECT (SELECT p.span FROM message_spans p
            WHERE p.account_id = :account_id AND p.first_id <= e.message_id
            ORDER BY p.first_id DESC LIMIT 1), 5, substr(coalesce(w.sender, s.sender), 1, 128), e.message_id
    FROM events e
    CROSS JOIN message_ways w
      ON w.message_id = e.message_id AND (w.last_sequence = e.sequence - 1 OR w.first_sequence = e.sequence)
    JOIN messages m ON m.message_id = e.message_id
    JOIN submissions s ON s.submission_id = m.submission_id
    WHERE e.account_id = :account_id AND e.sequence > :after AND e.sequence <= :upto AND e.fact = 24
      AND coalesce(w.sender, s.sender) <> ''
)
SELECT span, kind, value, message_id FROM found
WHERE value IS NOT NULL AND span IS NOT NULL
ORDER BY span, kind, value, message_id
ON CONFLICT DO NOTHING

-- name: move_index
INSERT INTO message_indexes (account_id, sequence, indexed_at, newest_id, span) VALUES :rows
ON CONFLICT (account_id) DO UPDATE
SET sequence = excluded.sequence, indexed_at = excluded.indexed_at, newest_id = excluded.newest_id,
    span = excluded.span
