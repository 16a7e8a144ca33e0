-- Broadcasts that an upstream runs.

-- name: upstream_broadcasts_active
SELECT b.broadcast_id, b.account_id, b.name, b.state, b.schedule_at, b.messages_per_minute, b.upload_id,
       b.created_at, b.started_at, b.ended_at, b.detail, c.expected, c.duplicates, c.accepted, c.refused, c.sent,
       c.delivered, c.failed, c.ended, c.told, b.active, b.stage, b.source, b.position, b.pace_since, b.pace_done,
       b.released_to, b.upstream_provider,
       u.broadcast_id, u.account_id, u.provider, u.phase, u.upstream_id, u.recipients, u.attempts, u.asks,
       u.handed_over_at, u.at, u.wish, u.version
FROM broadcasts b
JOIN broadcast_counts c ON c.broadcast_id = b.broadcast_id
LEFT JOIN upstream_broadcasts u ON u.broadcast_id = b.broadcast_id
WHERE b.active = 1 AND b.upstream_provider <> '' AND b.broadcast_id > :after
ORDER BY b.broadcast_id
LIMIT :rows_max

-- name: hand_over
SELECT broadcast_id, account_id, provider, phase, upstream_id, recipients, attempts, asks, handed_over_at, at, wish,
       version
FROM upstream_broadcasts
WHERE broadcast_id = :broadcast_id

-- name: put_hand_overs
INSERT INTO upstream_broadcasts (
    broadcast_id, account_id, provider, phase, upstream_id, recipients, attempts, asks, handed_over_at, at, wish,
    version
) VALUES :rows
ON CONFLICT (broadcast_id) DO UPDATE
SET phase = excluded.phase, upstream_id = excluded.upstream_id, recipients = excluded.recipients,
    attempts = excluded.attempts, asks = excluded.asks, handed_over_at = excluded.handed_over_at, at = excluded.at,
    wish = excluded.wish, version = excluded.version

-- name: put_upstream_counts
-- What an upstream counted, in place of what was counted before.
WITH changed (broadcast_id, accepted, sent, delivered, failed, ended) AS (VALUES :rows)
UPDATE broadcast_counts
SET accepted = changed.accepted, sent = changed.sent, delivered = changed.delivered, failed = changed.failed,
    ended = changed.ended
FROM changed
WHERE broadcast_counts.broadcast_id = changed.broadcast_id
