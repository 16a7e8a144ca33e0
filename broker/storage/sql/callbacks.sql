-- name: insert_submission_callbacks
INSERT INTO submission_callbacks (submission_id, url, method) VALUES :rows

-- name: insert_inbound_callbacks
INSERT INTO submission_callbacks (submission_id, url, method, exclusive) VALUES :rows

-- name: insert_followers
INSERT INTO callback_followers (account_id, sequence) VALUES :rows
ON CONFLICT (account_id) DO NOTHING

-- name: followers_behind
SELECT f.account_id, f.sequence
FROM callback_followers f
JOIN accounts a ON a.account_id = f.account_id
WHERE f.sequence < a.last_sequence
ORDER BY f.account_id

-- name: followers_behind_of
SELECT f.account_id, f.sequence
FROM callback_followers f
JOIN accounts a ON a.account_id = f.account_id
WHERE f.sequence < a.last_sequence AND f.account_id IN (SELECT value FROM json_each(:account_ids))
ORDER BY f.account_id

-- name: follower_sequences
SELECT account_id, sequence
FROM callback_followers
WHERE account_id IN (SELECT value FROM json_each(:account_ids))

-- name: move_followers
WITH changed (account_id, sequence) AS (VALUES :rows)
UPDATE callback_followers SET sequence = changed.sequence
FROM changed
WHERE callback_followers.account_id = changed.account_id

-- name: followed_events
SELECT e.sequence, e.message_id, e.fact, c.url, c.method, e.kind, coalesce(c.exclusive, 0)
FROM events e
LEFT JOIN messages m ON m.message_id = e.message_id
LEFT JOIN submission_callbacks c ON c.submission_id = m.submission_id
WHERE e.account_id = :account_id AND e.sequence > :after
ORDER BY e.sequence
LIMIT :events_max

-- name: endpoints_by_origin
SELECT origin, min(endpoint_id)
FROM callback_endpoints
WHERE account_id = :account_id AND origin IN (SELECT value FROM json_each(:origins))
GROUP BY origin

-- name: insert_endpoints
INSERT INTO callback_endpoints (endpoint_id, account_id, origin, closed, waiting, failures, held_until)
VALUES :rows
ON CONFLICT (endpoint_id) DO NOTHING

-- name: endpoints_by_id
SELECT endpoint_id, account_id, origin, closed, waiting, failures, held_until
FROM callback_endpoints
WHERE endpoint_id IN (SELECT value FROM json_each(:endpoint_ids))

-- name: update_endpoints
WITH changed (endpoint_id, closed, waiting, failures, held_until) AS (VALUES :rows)
UPDATE callback_endpoints
SET closed = changed.closed, waiting = changed.waiting, failures = changed.failures,
    held_until = changed.held_until
FROM changed
WHERE callback_endpoints.endpoint_id = changed.endpoint_id

-- name: insert_callbacks
INSERT INTO callbacks (account_id, sequence, endpoint_id, message_id, at, attempts, fence, expire_at)
VALUES :rows

-- name: ready_endpoints
SELECT e.endpoint_id, e.account_id, e.failures
FROM callback_endpoints e
WHERE e.waiting > 0 AND e.held_until <= :now AND e.closed = 0
  AND EXISTS (SELECT 1 FROM callbacks c WHERE c.endpoint_id = e.endpoint_id AND c.at <= :now)
ORDER BY e.held_until

-- name: due_callbacks
SELECT account_id, sequence, endpoint_id, message_id, attempts, expire_at
FROM callbacks
WHERE endpoint_id = :endpoint_id AND at <= :now
ORDER BY at, sequence
LIMIT :rows_max

-- name: callbacks_by_key
SELECT sequence, endpoint_id, at, attempts, fence, expire_at
FROM callbacks
WHERE account_id = :account_id AND sequence IN (SELECT value FROM json_each(:sequences))

-- name: update_callbacks
WITH changed (account_id, sequence, endpoint_id, at, attempts, fence) AS (VALUES :rows)
UPDATE callbacks SET at = changed.at, attempts = changed.attempts, fence = changed.fence
FROM changed
WHERE callbacks.account_id = changed.account_id AND callbacks.sequence = changed.sequence
  AND callbacks.endpoint_id = changed.endpoint_id

-- name: delete_callbacks
DELETE FROM callbacks WHERE (account_id, sequence, endpoint_id) IN (VALUES :rows)

-- name: release_callbacks
UPDATE callbacks SET at = :now, fence = 0 WHERE fence <> 0

-- name: message_callbacks
SELECT m.message_id, c.url, c.method
FROM messages m
JOIN submission_callbacks c ON c.submission_id = m.submission_id
WHERE m.message_id IN (SELECT value FROM json_each(:message_ids))

-- name: closed_endpoints
SELECT e.endpoint_id, e.account_id
FROM callback_endpoints e
LEFT JOIN webhooks w ON w.webhook_id = e.endpoint_id
WHERE e.closed = 1 AND (e.waiting > 0 OR w.webhook_id IS NULL)
LIMIT :rows_max

-- name: callbacks_of_endpoint
SELECT account_id, sequence, endpoint_id FROM callbacks WHERE endpoint_id = :endpoint_id LIMIT :rows_max

-- name: delete_endpoints
DELETE FROM callback_endpoints WHERE endpoint_id IN (VALUES :rows)

-- name: idle_endpoints
SELECT endpoint_id FROM callback_endpoints WHERE waiting = 0 AND failures = 0 AND origin <> '' LIMIT :rows_max

-- name: callback_counts
SELECT coalesce(sum(waiting), 0), count(*) FROM callback_endpoints WHERE waiting > 0

-- name: oldest_callbacks
SELECT min(first_expire_at) FROM (
    SELECT (
        SELECT c.expire_at FROM callbacks c
        WHERE c.account_id = f.account_id
        ORDER BY c.sequence
        LIMIT 1
    ) AS first_expire_at
    FROM callback_followers f
) oldest

-- name: miscounted_endpoints
SELECT e.endpoint_id, e.waiting, coalesce(c.found, 0)
FROM callback_endpoints e
LEFT JOIN (SELECT endpoint_id, count(*) AS found FROM callbacks GROUP BY endpoint_id) c
  ON c.endpoint_id = e.endpoint_id
WHERE e.waiting <> coalesce(c.found, 0)

-- name: stray_callbacks
SELECT c.account_id, c.sequence, c.endpoint_id
FROM callbacks c
LEFT JOIN callback_endpoints e ON e.endpoint_id = c.endpoint_id AND e.account_id = c.account_id
WHERE e.endpoint_id IS NULL
