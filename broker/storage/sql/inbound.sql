-- Whom we wrote to, and what came in.

-- name: note_correspondence
-- A provider has these messages now, or may have them. Nobody answers a push (channel 4).
INSERT INTO correspondence (person, address, account_id, provider, message_id, at)
SELECT m.recipient, coalesce(m.sender, s.sender), m.account_id, m.provider, max(m.message_id), CAST(:now AS BIGINT)
FROM messages m
JOIN submissions s ON s.submission_id = m.submission_id
WHERE m.message_id IN (SELECT value FROM json_each(:message_ids)) AND m.channel <> 4
GROUP BY m.recipient, coalesce(m.sender, s.sender), m.account_id, m.provider
ORDER BY m.recipient, coalesce(m.sender, s.sender), m.account_id, m.provider
ON CONFLICT (person, address, account_id, provider) DO UPDATE
SET message_id = excluded.message_id, at = excluded.at

-- name: correspondence_of
SELECT person, address, account_id, provider, message_id, at
FROM correspondence
WHERE person IN (SELECT value FROM json_each(:people))

-- name: letters_named
-- Messages of ours by a provider's own ids, with whom each was for.
SELECT p.provider_message_id, coalesce(w.recipient, m.recipient), coalesce(m.sender, s.sender), m.account_id, p.provider,
       m.message_id, m.transmit_at
FROM provider_messages p
JOIN messages m ON m.message_id = p.message_id
JOIN submissions s ON s.submission_id = m.submission_id
LEFT JOIN message_ways w ON w.message_id = p.message_id AND w.way = p.way
WHERE p.provider = :provider AND p.provider_message_id IN (SELECT value FROM json_each(:provider_message_ids))
  AND m.deleted_at IS NULL

-- name: correspondence_after
-- A stretch of it, for whoever walks along.
SELECT person, address, account_id, provider, at
FROM correspondence
WHERE (person, address, account_id, provider) > (:person, :address, :account_id, :provider)
ORDER BY person, address, account_id, provider
LIMIT :rows_max

-- name: forget_correspondence
DELETE FROM correspondence WHERE (person, address, account_id, provider) IN (VALUES :rows)

-- name: forget_written
DELETE FROM correspondence
WHERE person IN (SELECT value FROM json_each(:people))
  AND message_id IN (SELECT value FROM json_each(:message_ids))

-- name: known_inbound
SELECT provider_message_id
FROM inbound_messages
WHERE provider = :provider AND provider_message_id IN (SELECT value FROM json_each(:provider_message_ids))
  AND provider_message_id <> ''

-- Who brought messages that came in, and under which id.
-- name: inbound_upstream
SELECT message_id, provider, provider_message_id
FROM inbound_messages
WHERE message_id IN (SELECT value FROM json_each(:message_ids))

-- name: answered_messages
SELECT m.message_id, m.channel, m.client_reference, m.data, s.labels, m.contact_id, c.url, c.method
FROM messages m
JOIN submissions s ON s.submission_id = m.submission_id
LEFT JOIN submission_callbacks c ON c.submission_id = m.submission_id
WHERE m.message_id IN (SELECT value FROM json_each(:message_ids)) AND m.deleted_at IS NULL

-- name: accounts_among
SELECT account_id FROM accounts WHERE account_id IN (SELECT value FROM json_each(:account_ids))

-- name: first_account
SELECT min(account_id) FROM accounts

-- name: insert_received
INSERT INTO messages (
    message_id, account_id, submission_id, channel, recipient, state, reason, encoding, units, provider,
    attempts, accepted_at, transmit_at, expire_at, ended_at, client_reference, data, last_sequence,
    route_version, contact_id, direction
) VALUES :rows

-- name: insert_inbound
INSERT INTO inbound_messages (message_id, provider, provider_message_id, received_at, assigned_by) VALUES :rows

-- name: delete_inbound
DELETE FROM inbound_messages WHERE message_id IN (SELECT value FROM json_each(:message_ids))
