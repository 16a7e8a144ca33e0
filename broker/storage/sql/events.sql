-- name: account_last_sequence
SELECT last_sequence FROM accounts WHERE account_id = :account_id

-- name: set_account_sequences
WITH head (account_id, last_sequence) AS (VALUES :rows)
UPDATE accounts SET last_sequence = head.last_sequence
FROM head
WHERE accounts.account_id = head.account_id

-- name: insert_events
INSERT INTO events (
    account_id, sequence, time, message_id, previous_sequence, fact, state, previous_state, reason, detail,
    attempt, provider, provider_message_ids, part, provider_code, provider_text, next_attempt_at,
    next_provider, kind, told
) VALUES :rows

-- name: events_after
SELECT e.sequence, e.time, e.message_id, e.fact, e.state, e.previous_state, e.reason, e.detail, e.attempt,
       e.provider, e.provider_message_ids, e.part, e.provider_code, e.provider_text, e.next_attempt_at,
       e.next_provider,
       coalesce(w.recipient, m.recipient),
       coalesce(CASE WHEN w.way IS NULL THEN m.sender ELSE w.sender END, s.sender),
       coalesce(w.channel, m.channel), coalesce(w.units, m.units),
       m.client_reference, m.data, s.labels,
       m.contact_id, e.kind, e.told, m.price, m.currency
FROM events e
LEFT JOIN messages m ON m.message_id = e.message_id
LEFT JOIN submissions s ON s.submission_id = m.submission_id
LEFT JOIN message_ways w
  ON w.message_id = e.message_id AND e.sequence BETWEEN w.first_sequence AND w.last_sequence
WHERE e.account_id = :account_id AND e.sequence > :after
ORDER BY e.sequence
LIMIT :events_max

-- name: oldest_sequence
SELECT sequence FROM events WHERE account_id = :account_id ORDER BY sequence LIMIT 1

-- name: timeline
WITH RECURSIVE chain (hop, sequence) AS (
    SELECT 1, :last_sequence
    UNION ALL
    SELECT chain.hop + 1, e.previous_sequence
    FROM chain
    JOIN events e ON e.account_id = :account_id AND e.sequence = chain.sequence
    WHERE e.previous_sequence > 0 AND chain.hop < :events_max
)
SELECT e.sequence, e.time, e.message_id, e.fact, e.state, e.previous_state, e.reason, e.detail, e.attempt,
       e.provider, e.provider_message_ids, e.part, e.provider_code, e.provider_text, e.next_attempt_at,
       e.next_provider, e.told
FROM chain
CROSS JOIN events e ON e.account_id = :account_id AND e.sequence = chain.sequence
ORDER BY e.sequence
