-- Broadcasts: what they are, how far they are, and who they go to.

-- name: insert_broadcasts
INSERT INTO broadcasts (
    broadcast_id, account_id, name, state, active, stage, source, position, schedule_at, messages_per_minute,
    upload_id, created_at, started_at, ended_at, pace_since, pace_done, released_to, detail, upstream_provider
) VALUES :rows

-- name: insert_broadcast_requests
INSERT INTO broadcast_requests (broadcast_id, request) VALUES :rows

-- name: insert_broadcast_counts
INSERT INTO broadcast_counts (
    broadcast_id, expected, duplicates, accepted, refused, sent, delivered, failed, ended, told
) VALUES :rows

-- name: broadcasts_by_id
SELECT b.broadcast_id, b.account_id, b.name, b.state, b.schedule_at, b.messages_per_minute, b.upload_id,
       b.created_at, b.started_at, b.ended_at, b.detail, c.expected, c.duplicates, c.accepted, c.refused, c.sent,
       c.delivered, c.failed, c.ended, c.told, b.active, b.stage, b.source, b.position, b.pace_since, b.pace_done,
       b.released_to, b.upstream_provider
FROM broadcasts b
JOIN broadcast_counts c ON c.broadcast_id = b.broadcast_id
WHERE b.broadcast_id IN (SELECT value FROM json_each(:broadcast_ids))

-- name: active_broadcasts
SELECT b.broadcast_id, b.account_id, b.name, b.state, b.schedule_at, b.messages_per_minute, b.upload_id,
       b.created_at, b.started_at, b.ended_at, b.detail, c.expected, c.duplicates, c.accepted, c.refused, c.sent,
       c.delivered, c.failed, c.ended, c.told, b.active, b.stage, b.source, b.position, b.pace_since, b.pace_done,
       b.released_to, b.upstream_provider
FROM broadcasts b
JOIN broadcast_counts c ON c.broadcast_id = b.broadcast_id
WHERE b.active = 1 AND b.broadcast_id > :after
ORDER BY b.broadcast_id
LIMIT :rows_max

-- name: active_broadcast_count
SELECT count(*) FROM (SELECT 1 FROM broadcasts WHERE active = 1 LIMIT :rows_max) counted

-- name: broadcasts_of_account
SELECT b.broadcast_id, b.account_id, b.name, b.state, b.schedule_at, b.messages_per_minute, b.upload_id,
       b.created_at, b.started_at, b.ended_at, b.detail, c.expected, c.duplicates, c.accepted, c.refused, c.sent,
       c.delivered, c.failed, c.ended, c.told, b.active, b.stage, b.source, b.position, b.pace_since, b.pace_done,
       b.released_to, b.upstream_provider
FROM broadcasts b
JOIN broadcast_counts c ON c.broadcast_id = b.broadcast_id
WHERE b.account_id = :account_id AND b.broadcast_id < :before_id
  AND ((:any_state = 1 AND b.state <> 7) OR b.state IN (SELECT value FROM json_each(:states)))
ORDER BY b.broadcast_id DESC
LIMIT :rows_max

-- name: update_broadcasts
WITH changed (
    broadcast_id, name, state, active, stage, source, position, schedule_at, messages_per_minute, upload_id,
    started_at, ended_at, pace_since, pace_done, released_to, detail
) AS (VALUES :rows)
UPDATE broadcasts
SET name = changed.name, state = changed.state, active = changed.active, stage = changed.stage,
    source = changed.source, position = changed.position, schedule_at = changed.schedule_at,
    messages_per_minute = changed.messages_per_minute, upload_id = changed.upload_id,
    started_at = changed.started_at, ended_at = changed.ended_at, pace_since = changed.pace_since,
    pace_done = changed.pace_done, released_to = changed.released_to, detail = changed.detail
FROM changed
WHERE broadcasts.broadcast_id = changed.broadcast_id

-- name: update_broadcast_requests
WITH changed (broadcast_id, request) AS (VALUES :rows)
UPDATE broadcast_requests SET request = changed.request
FROM changed
WHERE broadcast_requests.broadcast_id = changed.broadcast_id

-- name: broadcast_request
SELECT request FROM broadcast_requests WHERE broadcast_id = :broadcast_id

-- name: delete_broadcast_request
DELETE FROM broadcast_requests WHERE broadcast_id = :broadcast_id

-- name: count_broadcasts
-- What messages of broadcasts began, and what became of them, on top of what was counted before.
WITH changed (broadcast_id, accepted, refused, sent, delivered, failed, ended) AS (VALUES :rows)
UPDATE broadcast_counts
SET accepted = broadcast_counts.accepted + changed.accepted, refused = broadcast_counts.refused + changed.refused,
    sent = broadcast_counts.sent + changed.sent, delivered = broadcast_counts.delivered + changed.delivered,
    failed = broadcast_counts.failed + changed.failed, ended = broadcast_counts.ended + changed.ended
FROM changed
WHERE broadcast_counts.broadcast_id = changed.broadcast_id

-- name: expect_broadcasts
WITH changed (broadcast_id, expected, duplicates) AS (VALUES :rows)
UPDATE broadcast_counts
SET expected = changed.expected, duplicates = changed.duplicates
FROM changed
WHERE broadcast_counts.broadcast_id = changed.broadcast_id

-- name: mark_broadcasts_told
WITH changed (broadcast_id, told) AS (VALUES :rows)
UPDATE broadcast_counts SET told = changed.told
FROM changed
WHERE broadcast_counts.broadcast_id = changed.broadcast_id

-- name: count_broadcast_refusals
INSERT INTO broadcast_refusals (broadcast_id, reason, recipients) VALUES :rows
ON CONFLICT (broadcast_id, reason) DO UPDATE
SET recipients = broadcast_refusals.recipients + excluded.recipients

-- name: broadcast_refusals
SELECT reason, recipients FROM broadcast_refusals WHERE broadcast_id = :broadcast_id ORDER BY reason

-- name: insert_audience_rows
INSERT INTO audience_rows (audience_id, number, phone_number, email, device_token, more) VALUES :rows

-- name: audience_size
SELECT coalesce(max(number), 0) FROM audience_rows WHERE audience_id = :audience_id

-- name: audience_rows_after
SELECT a.number, a.phone_number, a.email, a.device_token, a.more
FROM audience_rows a
WHERE a.audience_id = :audience_id AND a.number > :after
  AND NOT EXISTS (
      SELECT 1 FROM audience_duplicates d
      WHERE d.broadcast_id = :broadcast_id AND d.audience_id = a.audience_id AND d.number = a.number
  )
ORDER BY a.number
LIMIT :rows_max

-- name: find_duplicates
-- Rows that have the address of an earlier one. By which of its addresses a row is known says the order of
-- kinds: 1 is the phone number, 2 the mailbox, 3 the device. A row without an address is like no other.
SELECT audience_id, number
FROM (
    SELECT audience_id, number,
           row_number() OVER (PARTITION BY kind, address ORDER BY audience_id, number) AS place
    FROM (
        SELECT audience_id, number, kind,
               CASE kind WHEN 1 THEN phone_number WHEN 2 THEN email ELSE device_token END AS address
        FROM (
            SELECT audience_id, number, phone_number, email, device_token,
                   CASE WHEN CASE CAST(:first AS BIGINT) WHEN 1 THEN phone_number WHEN 2 THEN email ELSE device_token END <> ''
                        THEN CAST(:first AS BIGINT)
                        WHEN CASE CAST(:second AS BIGINT) WHEN 1 THEN phone_number WHEN 2 THEN email ELSE device_token END <> ''
                        THEN CAST(:second AS BIGINT)
                        ELSE CAST(:third AS BIGINT) END AS kind
            FROM audience_rows
            WHERE audience_id IN (SELECT value FROM json_each(:audience_ids))
        ) known
    ) addressed
    WHERE address <> ''
) placed
WHERE place > 1
ORDER BY audience_id, number

-- name: insert_duplicates
INSERT INTO audience_duplicates (broadcast_id, audience_id, number) VALUES :rows
ON CONFLICT DO NOTHING

-- name: count_duplicates
SELECT count(*) FROM audience_duplicates WHERE broadcast_id = :broadcast_id

-- name: sweep_audience
DELETE FROM audience_rows
WHERE audience_id = :audience_id AND number IN (
    SELECT number FROM audience_rows WHERE audience_id = :audience_id ORDER BY number LIMIT :rows_max
)
RETURNING 1

-- name: sweep_duplicates
DELETE FROM audience_duplicates
WHERE broadcast_id = :broadcast_id AND (audience_id, number) IN (
    SELECT audience_id, number FROM audience_duplicates WHERE broadcast_id = :broadcast_id
    ORDER BY audience_id, number LIMIT :rows_max
)
RETURNING 1

-- name: broadcast_ahead
-- How many of its messages wait for a provider, counted no further than needed.
SELECT count(*) FROM (
    SELECT 1 FROM due
    WHERE broadcast_id IS NOT NULL AND work < 2 AND broadcast_id = :broadcast_id AND work = 1
    LIMIT :rows_max
) counted

-- name: held_broadcasts
SELECT broadcast_id, state FROM broadcasts
WHERE broadcast_id IN (SELECT value FROM json_each(:broadcast_ids)) AND state IN (4, 5, 7)

-- name: release_held
-- What was held waits until its validity ends; what has a time of its own keeps it.
UPDATE due SET work = 1, at = :now
WHERE message_id IN (
    SELECT message_id FROM due
    WHERE broadcast_id IS NOT NULL AND work < 2 AND broadcast_id = :broadcast_id AND work = 0
      AND at = expire_at AND message_id > :after
    ORDER BY message_id
    LIMIT :rows_max
)
RETURNING message_id

-- name: unsent_of_broadcast
SELECT message_id, account_id, work, priority, at, expire_at, attempt, provider, fence, submitted_at, asked,
       pending_parts, doubtful, candidates, units, crashes, hops, rounds, way, ways_ahead
FROM due
WHERE broadcast_id IS NOT NULL AND work < 2 AND broadcast_id = :broadcast_id
ORDER BY work, message_id
LIMIT :rows_max
