-- name: upstream_follower
SELECT record_id FROM upstream_followers WHERE provider = :provider

-- name: set_upstream_followers
INSERT INTO upstream_followers (provider, record_id) VALUES :rows
ON CONFLICT (provider) DO UPDATE SET record_id = excluded.record_id

-- name: newest_consent_record
SELECT max(record_id) FROM consent_records

-- name: queue_upstream_opt_ins
INSERT INTO upstream_opt_ins (
    provider, account_id, recipient, sender, record_id, due_at, tries, accepted, code, text, answered_at
) VALUES :rows
ON CONFLICT (provider, account_id, recipient, sender) DO UPDATE
SET record_id = excluded.record_id, due_at = excluded.due_at, tries = 0, accepted = 0, code = '', text = '',
    answered_at = NULL

-- name: next_upstream_due
SELECT min(due_at) FROM upstream_opt_ins WHERE provider = :provider AND due_at IS NOT NULL

-- name: upstream_due
SELECT u.provider, u.account_id, u.recipient, u.sender, u.record_id, u.tries,
       r.sender, r.act, r.scope, r.keyword, r.organisation_name, r.recipient_name, r.at
FROM upstream_opt_ins u
JOIN consent_records r ON r.record_id = u.record_id
WHERE u.provider = :provider AND u.due_at IS NOT NULL AND u.due_at <= :now
ORDER BY u.due_at
LIMIT :rows_max

-- name: settle_upstream_opt_ins
WITH changed (provider, account_id, recipient, sender, record_id, due_at, tries, accepted, code, text, answered_at)
    AS (VALUES :rows)
UPDATE upstream_opt_ins
SET due_at = changed.due_at, tries = changed.tries, accepted = changed.accepted, code = changed.code,
    text = changed.text, answered_at = changed.answered_at
FROM changed
WHERE upstream_opt_ins.provider = changed.provider AND upstream_opt_ins.account_id = changed.account_id
  AND upstream_opt_ins.recipient = changed.recipient AND upstream_opt_ins.sender = changed.sender
  AND upstream_opt_ins.record_id = changed.record_id

-- name: upstream_opt_ins_of
SELECT provider, recipient, sender, due_at, accepted, code, text, answered_at
FROM upstream_opt_ins
WHERE provider IN (SELECT value FROM json_each(:providers)) AND account_id = :account_id
  AND recipient IN (SELECT value FROM json_each(:recipients))
ORDER BY provider
