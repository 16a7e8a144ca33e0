-- name: due_by_message
SELECT message_id, account_id, work, priority, at, expire_at, attempt, provider, fence, submitted_at, asked,
       pending_parts, doubtful, candidates, units, crashes, hops, rounds, way, ways_ahead
FROM due
WHERE message_id IN (SELECT value FROM json_each(:message_ids))

-- name: insert_due
INSERT INTO due (
    message_id, account_id, work, priority, at, expire_at, attempt, provider, fence, submitted_at, asked,
    pending_parts, doubtful, candidates, units, crashes, hops, rounds, way, ways_ahead, broadcast_id
) VALUES :rows

-- name: update_due
WITH changed (
    message_id, account_id, work, priority, at, expire_at, attempt, provider, fence, submitted_at, asked,
    pending_parts, doubtful, candidates, units, crashes, hops, rounds, way, ways_ahead
) AS (VALUES :rows)
UPDATE due
SET work = changed.work, priority = changed.priority, at = changed.at, attempt = changed.attempt,
    provider = changed.provider, fence = changed.fence, submitted_at = changed.submitted_at,
    asked = changed.asked, pending_parts = changed.pending_parts, doubtful = changed.doubtful,
    candidates = changed.candidates, units = changed.units, crashes = changed.crashes, hops = changed.hops,
    rounds = changed.rounds, expire_at = changed.expire_at, way = changed.way, ways_ahead = changed.ways_ahead
FROM changed
WHERE due.message_id = changed.message_id

-- name: delete_due
DELETE FROM due WHERE message_id IN (VALUES :rows)

-- name: next_waiting
SELECT min(at) FROM due WHERE work = 0

-- name: promote_waiting
UPDATE due SET work = 1
WHERE message_id IN (SELECT message_id FROM due WHERE work = 0 AND at <= :now ORDER BY at LIMIT :rows_max
    -- postgres: FOR UPDATE SKIP LOCKED
)

-- name: next_expiry
SELECT min(expire_at) FROM due WHERE work = 1

-- name: due_expired
SELECT message_id, account_id, work, priority, at, expire_at, attempt, provider, fence, submitted_at, asked,
       pending_parts, doubtful, candidates, units, crashes, hops, rounds, way, ways_ahead
FROM due
WHERE work = 1 AND expire_at <= :now
ORDER BY expire_at
LIMIT :rows_max
-- postgres: FOR UPDATE SKIP LOCKED
-- postgres: FOR UPDATE SKIP LOCKED

-- The pairs of provider and priority with something to dispatch: a few steps along the index, however
-- many rows there are.
-- name: lanes_due
WITH RECURSIVE lane (provider) AS (
    SELECT min(provider) FROM due WHERE work = 1
    UNION ALL
    SELECT (SELECT min(due.provider) FROM due WHERE due.work = 1 AND due.provider > lane.provider)
    FROM lane
    WHERE lane.provider IS NOT NULL
), class (priority) AS (VALUES (0), (1), (2))
SELECT lane.provider, class.priority
FROM lane CROSS JOIN class
WHERE EXISTS (
    SELECT 1 FROM due
    WHERE due.work = 1 AND due.provider = lane.provider AND due.priority = class.priority
)

-- The accounts with something to dispatch in a lane, in order, after one of them.
-- name: lane_accounts
WITH RECURSIVE turn (account_id, number) AS (
    SELECT (
        SELECT min(due.account_id) FROM due
        WHERE due.work = 1 AND due.provider = :provider AND due.priority = :priority
          AND due.account_id > :after
    ), 1
    UNION ALL
    SELECT (
        SELECT min(due.account_id) FROM due
        WHERE due.work = 1 AND due.provider = :provider AND due.priority = :priority
          AND due.account_id > turn.account_id
    ), turn.number + 1
    FROM turn
    WHERE turn.account_id IS NOT NULL AND turn.number < :accounts_max
)
SELECT account_id FROM turn WHERE account_id IS NOT NULL

-- What each of some accounts has in a lane, the longest due first.
-- name: lane_rows
SELECT due.message_id, due.account_id, due.work, due.priority, due.at, due.expire_at, due.attempt, due.provider,
       due.fence, due.submitted_at, due.asked, due.pending_parts, due.doubtful, due.candidates, due.units,
       due.crashes, due.hops, due.rounds, due.way, due.ways_ahead
FROM json_each(:accounts) AS turn
CROSS JOIN due ON due.message_id IN (
    SELECT waiting.message_id FROM due AS waiting
    WHERE waiting.work = 1 AND waiting.provider = :provider AND waiting.priority = :priority
      AND waiting.account_id = turn.value
    ORDER BY waiting.at
    LIMIT :rows_max OFFSET :rows_skip
)

-- name: stray_rows
SELECT message_id, account_id, work, priority, at, expire_at, attempt, provider, fence, submitted_at, asked,
       pending_parts, doubtful, candidates, units, crashes, hops, rounds, way, ways_ahead
FROM due
WHERE work = 1 AND provider = :provider
ORDER BY priority
LIMIT :rows_max
-- postgres: FOR UPDATE SKIP LOCKED

-- A stretch of a lane from one end to the other, for whoever has to look at all of it.
-- name: lane_stretch
SELECT message_id, account_id, work, priority, at, expire_at, attempt, provider, fence, submitted_at, asked,
       pending_parts, doubtful, candidates, units, crashes, hops, rounds, way, ways_ahead
FROM due
WHERE work = 1 AND provider = :provider
  AND (priority, account_id, at, message_id) > (:priority, :account_id, :at, :message_id)
ORDER BY priority, account_id, at, message_id
LIMIT :rows_max

-- name: due_questions
SELECT message_id, account_id, work, priority, at, expire_at, attempt, provider, fence, submitted_at, asked,
       pending_parts, doubtful, candidates, units, crashes, hops, rounds, way, ways_ahead
FROM due
WHERE work > 1 AND at <= :now
ORDER BY at
LIMIT :rows_max
-- postgres: FOR UPDATE SKIP LOCKED

-- name: next_question
SELECT min(at) FROM due WHERE work > 1

-- The process that had these open is gone. Each open attempt is counted as a crash once, and loses its fence.
-- name: count_crashes
UPDATE due SET crashes = crashes + 1, fence = 0 WHERE work > 1 AND work = 2 AND fence > 0

-- name: release_leases
UPDATE due SET at = :now WHERE work > 1 AND at > :now AND at <= :lease_end

-- name: due_counts
SELECT work, count(*), min(at) FROM due GROUP BY work
