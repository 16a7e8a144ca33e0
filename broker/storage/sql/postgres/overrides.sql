-- Statements that replace those of the same name, because PostgreSQL needs other words for them.

-- name: timeline
WITH RECURSIVE chain (hop, sequence) AS (
    SELECT 1, :last_sequence::BIGINT
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
JOIN events e ON e.account_id = :account_id AND e.sequence = chain.sequence
ORDER BY e.sequence

-- name: find_request_ids
WITH wanted (account_id, request_id) AS (
    SELECT (pair ->> 0)::BIGINT, pair ->> 1 FROM jsonb_array_elements(:wanted::JSONB) AS given (pair)
)
SELECT r.account_id, r.request_id, r.accepted_at, r.fingerprint, r.answer
FROM wanted JOIN request_ids_0 r USING (account_id, request_id)
UNION ALL
SELECT r.account_id, r.request_id, r.accepted_at, r.fingerprint, r.answer
FROM wanted JOIN request_ids_1 r USING (account_id, request_id)
UNION ALL
SELECT r.account_id, r.request_id, r.accepted_at, r.fingerprint, r.answer
FROM wanted JOIN request_ids_2 r USING (account_id, request_id)
UNION ALL
SELECT r.account_id, r.request_id, r.accepted_at, r.fingerprint, r.answer
FROM wanted JOIN request_ids_3 r USING (account_id, request_id)

-- name: lane_rows
SELECT due.message_id, due.account_id, due.work, due.priority, due.at, due.expire_at, due.attempt, due.provider,
       due.fence, due.submitted_at, due.asked, due.pending_parts, due.doubtful, due.candidates, due.units,
       due.crashes, due.hops, due.rounds, due.way, due.ways_ahead
FROM jsonb_array_elements_text(:accounts::JSONB) AS turn (account_id)
CROSS JOIN LATERAL (
    SELECT * FROM due
    WHERE work = 1 AND provider = :provider AND priority = :priority AND account_id = turn.account_id::BIGINT
    ORDER BY at
    LIMIT :rows_max OFFSET :rows_skip
    FOR UPDATE SKIP LOCKED
) AS due

-- name: find_external_ids
WITH wanted (account_id, external_id) AS (
    SELECT (pair ->> 0)::BIGINT, pair ->> 1 FROM jsonb_array_elements(:wanted::JSONB) AS given (pair)
)
SELECT e.account_id, e.external_id, e.contact_id
FROM wanted JOIN contact_external_ids e USING (account_id, external_id)
