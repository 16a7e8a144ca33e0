-- Lists and their index, where PostgreSQL has other words for JSON.

-- name: index_ids
SELECT coalesce(json_agg(message_id), '[]')::TEXT FROM (
    SELECT message_id FROM message_index
    WHERE span = :span AND kind = :kind AND value = :value
      AND message_id < :before_id AND message_id >= :floor_id
    ORDER BY message_id DESC
    LIMIT :rows_max
) found

-- name: index_ids_of_any
SELECT coalesce(json_agg(message_id), '[]')::TEXT FROM (
    SELECT DISTINCT message_id FROM message_index
    WHERE span = :span AND kind = :kind AND value = ANY(:values)
      AND message_id < :before_id AND message_id >= :floor_id
    ORDER BY message_id DESC
    LIMIT :rows_max
) found

-- name: unindexed_ids
SELECT coalesce(json_agg(message_id), '[]')::TEXT FROM (
    SELECT DISTINCT message_id FROM events
    WHERE account_id = :account_id AND sequence > :after
      AND message_id < :before_id AND message_id >= :floor_id
) found

-- name: contact_message_ids
SELECT coalesce(json_agg(message_id), '[]')::TEXT FROM (
    SELECT message_id FROM messages
    WHERE contact_id = :contact_id AND message_id < :before_id AND message_id >= :floor_id
    ORDER BY message_id DESC
    LIMIT :rows_max
) found

-- name: scanned_ids
SELECT coalesce(json_agg(message_id) FILTER (WHERE account_id = :account_id), '[]')::TEXT,
       min(message_id), count(*)
FROM (
    SELECT message_id, account_id FROM messages
    WHERE message_id < :before_id AND message_id >= :floor_id
    ORDER BY message_id DESC
    LIMIT :rows_max
) scanned

-- name: insert_index_rows
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
labelled AS MATERIALIZED (
    SELECT span, labels::JSONB AS labels, message_id FROM begun WHERE labels <> '{}'
),
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
    SELECT span, 6, labels #>> '{campaign,0}', message_id FROM labelled
    UNION ALL
    SELECT l.span, 7, tag.value, l.message_id
    FROM labelled l CROSS JOIN LATERAL jsonb_array_elements_text(l.labels -> 'tags') AS tag (value)
    UNION ALL
    SELECT span, 8, labels ->> 'reply_to', message_id FROM labelled
    UNION ALL
    SELECT span, 9, labels ->> 'origin', message_id FROM labelled
    UNION ALL
    SELECT span, 11, labels ->> 'broadcast', message_id FROM labelled
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
    JOIN message_ways w
      ON w.message_id = e.message_id AND (w.last_sequence = e.sequence - 1 OR w.first_sequence = e.sequence)
    WHERE e.account_id = :account_id AND e.sequence > :after AND e.sequence <= :upto AND e.fact = 24
      AND w.recipient <> ''
    UNION ALL
    SELECT (SELECT p.span FROM message_spans p
            WHERE p.account_id = :account_id AND p.first_id <= e.message_id
            ORDER BY p.first_id DESC LIMIT 1), 5, substr(coalesce(w.sender, s.sender), 1, 128), e.message_id
    FROM events e
    JOIN message_ways w
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
