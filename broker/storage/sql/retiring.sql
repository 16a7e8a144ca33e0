-- Removing what is past its retention.

-- name: account_ids
SELECT account_id FROM accounts ORDER BY account_id

-- name: log_needed_from
-- What the index or the counts have not seen and what waits to be called back with is still needed, whatever its age.
SELECT min(needed.sequence) FROM (
    SELECT coalesce((SELECT i.sequence FROM message_indexes i WHERE i.account_id = :account_id), 0) + 1 AS sequence
    UNION ALL
    SELECT coalesce((SELECT u.sequence FROM usage_followers u WHERE u.account_id = :account_id), 0) + 1
    UNION ALL
    SELECT f.sequence + 1 FROM callback_followers f WHERE f.account_id = :account_id
    UNION ALL
    SELECT min(c.sequence) FROM callbacks c WHERE c.account_id = :account_id
) needed

-- name: oldest_events
SELECT sequence, time FROM events
WHERE account_id = :account_id AND sequence < :before
ORDER BY sequence
LIMIT :rows_max

-- name: delete_events
DELETE FROM events WHERE account_id = :account_id AND sequence <= :upto

-- name: oldest_messages
SELECT m.message_id, m.account_id, m.submission_id, m.ended_at, m.last_sequence, m.recipient, m.client_reference,
       m.data, m.provider, coalesce(m.sender, s.sender), s.labels
FROM messages m
JOIN submissions s ON s.submission_id = m.submission_id
WHERE m.message_id > :after_id AND m.message_id < :before_id
ORDER BY m.message_id
LIMIT :rows_max

-- name: delete_provider_messages
DELETE FROM provider_messages WHERE message_id IN (SELECT value FROM json_each(:message_ids))
RETURNING provider, provider_message_id

-- name: delete_messages
DELETE FROM messages WHERE message_id IN (SELECT value FROM json_each(:message_ids))

-- name: any_message_of
-- The ids of a submission's messages come right after its own.
SELECT 1 FROM messages
WHERE message_id > :submission_id
  AND message_id < coalesce(
      (SELECT min(n.submission_id) FROM submissions n WHERE n.submission_id > :submission_id), :highest_id)
  AND submission_id = :submission_id
LIMIT 1

-- name: count_retired_of_broadcasts
WITH changed (broadcast_id, retired) AS (VALUES :rows)
UPDATE broadcast_counts SET retired = broadcast_counts.retired + changed.retired
FROM changed
WHERE broadcast_counts.broadcast_id = changed.broadcast_id

-- name: retired_of_broadcast
SELECT retired FROM broadcast_counts WHERE broadcast_id = :broadcast_id

-- name: oldest_broadcasts
-- With whether it has ended and all of its messages are gone, but not what they shared. Of a broadcast that an
-- upstream runs only those who are refused become messages.
SELECT b.broadcast_id,
       CASE WHEN b.active = 0 AND b.ended_at < :ended_before
                 AND c.retired >= c.refused + CASE WHEN b.upstream_provider = '' THEN c.accepted ELSE 0 END
                 AND EXISTS (SELECT 1 FROM submissions s WHERE s.submission_id = b.broadcast_id)
            THEN 1 ELSE 0 END
FROM broadcasts b
JOIN broadcast_counts c ON c.broadcast_id = b.broadcast_id
WHERE b.broadcast_id > :after_id AND b.broadcast_id < :before_id
ORDER BY b.broadcast_id
LIMIT :rows_max

-- name: delete_submissions
DELETE FROM submissions WHERE submission_id IN (SELECT value FROM json_each(:submission_ids))

-- name: delete_submission_callbacks
DELETE FROM submission_callbacks WHERE submission_id IN (SELECT value FROM json_each(:submission_ids))

-- name: oldest_span
-- Every message that is indexed has a row of kind 1 in its span. The newest span may get more.
SELECT s.span, s.first_id, EXISTS (SELECT 1 FROM message_index i WHERE i.span = s.span AND i.kind = 1)
FROM message_spans s
WHERE s.account_id = :account_id
  AND s.span <> (SELECT n.span FROM message_indexes n WHERE n.account_id = :account_id)
ORDER BY s.first_id
LIMIT 1

-- name: clear_span
DELETE FROM message_index
WHERE (span, kind, value, message_id) IN (
    SELECT i.span, i.kind, i.value, i.message_id FROM message_index i
    WHERE i.span = :span
    ORDER BY i.kind, i.value, i.message_id
    LIMIT :rows_max
)
RETURNING 1

-- name: delete_span
DELETE FROM message_spans WHERE account_id = :account_id AND first_id = :first_id
