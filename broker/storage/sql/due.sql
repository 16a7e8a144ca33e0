-- name: due_by_message
SELECT message_id, account_id, work, priority, at, expire_at, attempt, provider, fence, submitted_at, asked,
       pending_parts, doubtful, candidates, units, crashes
FROM due
WHERE message_id IN (SELECT value FROM json_each(:message_ids))

-- name: insert_due
INSERT INTO due (
    message_id, account_id, work, priority, at, expire_at, attempt, provider, fence, submitted_at, asked,
    pending_parts, doubtful, candidates, units, crashes
) VALUES :rows

-- name: update_due
WITH changed (
    message_id, account_id, work, priority, at, expire_at, attempt, provider, fence, submitted_at, asked,
    pending_parts, doubtful, candidates, units, crashes
) AS (VALUES :rows)
UPDATE due
SET work = changed.work, priority = changed.priority, at = changed.at, attempt = changed.attempt,
    provider = changed.provider, fence = changed.fence, submitted_at = changed.submitted_at,
    asked = changed.asked, pending_parts = changed.pending_parts, doubtful = changed.doubtful,
    candidates = changed.candidates, units = changed.units, crashes = changed.crashes
FROM changed
WHERE due.message_id = changed.message_id

-- name: delete_due
DELETE FROM due WHERE message_id IN (VALUES :rows)

-- name: due_dispatches
SELECT message_id, account_id, work, priority, at, expire_at, attempt, provider, fence, submitted_at, asked,
       pending_parts, doubtful, candidates, units, crashes
FROM due
WHERE work = 1 AND priority = :priority AND at <= :now
ORDER BY at
LIMIT :rows_max
-- postgres: FOR UPDATE SKIP LOCKED

-- name: next_dispatch
SELECT min(at) FROM due WHERE work = 1 AND priority = :priority

-- name: due_questions
SELECT message_id, account_id, work, priority, at, expire_at, attempt, provider, fence, submitted_at, asked,
       pending_parts, doubtful, candidates, units, crashes
FROM due
WHERE work > 1 AND at <= :now
ORDER BY at
LIMIT :rows_max
-- postgres: FOR UPDATE SKIP LOCKED

-- name: next_question
SELECT min(at) FROM due WHERE work > 1

-- name: release_leases
UPDATE due SET at = :now WHERE work > 1 AND at > :now AND at <= :lease_end

-- name: due_counts
SELECT work, count(*) FROM due GROUP BY work
