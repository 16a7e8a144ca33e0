-- Senders that accounts have registered, and which sender of a pool each recipient got last.

-- name: insert_senders
INSERT INTO senders (
    sender_id, account_id, value, kind, country, capabilities, providers, pool, tags, is_default, created_at
) VALUES :rows

-- name: sender_by_value
SELECT sender_id FROM senders
WHERE value = :value AND account_id = :account_id AND kind = :kind AND country = :country

-- name: sender_owners
SELECT DISTINCT value, account_id FROM senders WHERE value IN (SELECT value FROM json_each(:senders))

-- name: count_senders
SELECT count(*), coalesce(sum(CASE WHEN pool = :pool THEN 1 ELSE 0 END), 0)
FROM senders
WHERE account_id = :account_id

-- name: senders_of_account
SELECT sender_id, account_id, value, kind, country, capabilities, providers, pool, tags, is_default, created_at
FROM senders
WHERE account_id = :account_id
ORDER BY sender_id

-- name: delete_sender
DELETE FROM senders WHERE sender_id = :sender_id AND account_id = :account_id
RETURNING sender_id

-- name: accounts_with_senders
SELECT DISTINCT account_id FROM senders

-- name: sender_choices
SELECT recipient, sender
FROM sender_choices
WHERE account_id = :account_id AND pool = :pool
  AND recipient IN (SELECT value FROM json_each(:recipients))

-- name: keep_sender_choices
-- That a choice is still in use is noted once a day, as CHOICE_USED_STEP_US says.
INSERT INTO sender_choices (account_id, pool, recipient, sender, used_at) VALUES :rows
ON CONFLICT (account_id, pool, recipient) DO UPDATE
SET sender = excluded.sender, used_at = excluded.used_at
WHERE sender_choices.sender <> excluded.sender OR sender_choices.used_at <= excluded.used_at - 86400000000

-- name: forget_sender_choices
DELETE FROM sender_choices
WHERE (account_id, pool, recipient) IN (
    SELECT c.account_id, c.pool, c.recipient FROM sender_choices c
    WHERE c.used_at < :used_before
    ORDER BY c.used_at
    LIMIT :rows_max
)
RETURNING 1
