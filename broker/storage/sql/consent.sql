-- name: insert_consent_records
INSERT INTO consent_records (
    account_id, sender, recipient, act, scope, source, at, keyword, evidence, told_by, message_id, provider_code,
    organisation_name, recipient_name
) VALUES :rows

-- name: set_consent_states
INSERT INTO consent_states (
    account_id, recipient, sender, state, since, written_sender, organisation_name, recipient_name
) VALUES :rows
ON CONFLICT (account_id, recipient, sender) DO UPDATE
SET state = excluded.state, since = excluded.since, written_sender = excluded.written_sender,
    organisation_name = excluded.organisation_name, recipient_name = excluded.recipient_name

-- The recipients who said STOP to anybody.
-- name: recipients_opted_out
SELECT DISTINCT recipient
FROM consent_states
WHERE recipient IN (SELECT value FROM json_each(:recipients)) AND state IN (2, 3)

-- name: consents_of_recipients
SELECT account_id, recipient, sender, state, since, written_sender, organisation_name, recipient_name
FROM consent_states
WHERE account_id IN (SELECT value FROM json_each(:accounts))
  AND recipient IN (SELECT value FROM json_each(:recipients))

-- A stretch of an account's wishes in their order.
-- name: consents_page
SELECT account_id, recipient, sender, state, since, written_sender, organisation_name, recipient_name
FROM consent_states
WHERE account_id = :account_id AND (recipient, sender) > (:recipient, :sender)
ORDER BY recipient, sender
LIMIT :rows_max

-- The newest of what was said about a recipient.
-- name: consent_records_of_recipient
SELECT account_id, sender, recipient, act, scope, source, at, keyword, evidence, told_by, message_id, provider_code,
       organisation_name, recipient_name
FROM consent_records
WHERE account_id = :account_id AND recipient = :recipient
ORDER BY record_id DESC
LIMIT :rows_max

-- name: consent_records_after
SELECT account_id, sender, recipient, act, scope, source, at, keyword, evidence, told_by, message_id, provider_code,
       organisation_name, recipient_name, record_id
FROM consent_records
WHERE record_id > :after
ORDER BY record_id
LIMIT :rows_max

-- name: consents_after
SELECT account_id, recipient, sender, state, since, written_sender, organisation_name, recipient_name
FROM consent_states
WHERE (account_id, recipient, sender) > (:account_id, :recipient, :sender)
ORDER BY account_id, recipient, sender
LIMIT :rows_max
