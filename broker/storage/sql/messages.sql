-- name: insert_submissions
INSERT INTO submissions (
    submission_id, account_id, sender, traffic, guarantee, provider_pin, labels, content
) VALUES :rows

-- name: insert_messages
INSERT INTO messages (
    message_id, account_id, submission_id, channel, recipient, state, reason, encoding, units, provider,
    attempts, accepted_at, transmit_at, expire_at, ended_at, client_reference, data, last_sequence,
    route_version, contact_id, country, price, prices, currency, charge,
    broadcast_id, sender
) VALUES :rows

-- name: message_heads
SELECT message_id, account_id, state, last_sequence, attempts, provider, reason, ended_at, price, prices, charge,
       broadcast_id
FROM messages
WHERE message_id IN (SELECT value FROM json_each(:message_ids))

-- name: channel_of_message
SELECT channel FROM messages WHERE message_id = :message_id

-- name: update_heads
WITH head (message_id, state, last_sequence, attempts, provider, reason, ended_at, price, charge) AS (VALUES :rows)
UPDATE messages
SET state = head.state, last_sequence = head.last_sequence, attempts = head.attempts,
    provider = head.provider, reason = head.reason, ended_at = head.ended_at, price = head.price,
    charge = head.charge
FROM head
WHERE messages.message_id = head.message_id

-- name: update_prices
WITH priced (message_id, prices) AS (VALUES :rows)
UPDATE messages SET prices = priced.prices
FROM priced
WHERE messages.message_id = priced.message_id

-- name: outbound_messages
SELECT m.message_id, m.submission_id, m.channel, m.recipient, m.units, m.client_reference,
       coalesce(m.sender, s.sender), s.traffic, s.guarantee, s.provider_pin, s.labels, m.broadcast_id
FROM messages m
JOIN submissions s ON s.submission_id = m.submission_id
WHERE m.message_id IN (SELECT value FROM json_each(:message_ids))

-- Between whom messages are that were not erased.
-- name: messages_addressed
SELECT m.message_id, coalesce(w.way, 0), m.account_id,
       coalesce(CASE WHEN w.way IS NULL THEN m.sender ELSE w.sender END, s.sender),
       coalesce(w.recipient, m.recipient)
FROM messages m
JOIN submissions s ON s.submission_id = m.submission_id
LEFT JOIN message_ways w ON w.message_id = m.message_id
WHERE m.message_id IN (SELECT value FROM json_each(:message_ids)) AND m.deleted_at IS NULL

-- name: submission_contents
SELECT submission_id, content
FROM submissions
WHERE submission_id IN (SELECT value FROM json_each(:submission_ids))

-- name: message_by_id
SELECT m.message_id, m.account_id, m.recipient, coalesce(m.sender, s.sender), m.channel, s.traffic, s.guarantee, m.state,
       m.reason, m.encoding, m.units, m.provider, m.attempts, m.accepted_at, m.transmit_at, m.expire_at,
       m.ended_at, m.client_reference, m.data, s.labels, m.contact_id, m.route_version, m.direction,
       m.deleted_at, m.read_at, m.price, m.currency, s.content, m.last_sequence, d.candidates, d.ways_ahead
FROM messages m
JOIN submissions s ON s.submission_id = m.submission_id
LEFT JOIN due d ON d.message_id = m.message_id
WHERE m.message_id = :message_id AND m.account_id = :account_id

-- name: insert_message_tokens
INSERT INTO message_tokens (message_id, tokens) VALUES :rows

-- name: tokens_of_messages
SELECT message_id, tokens
FROM message_tokens
WHERE message_id IN (SELECT value FROM json_each(:message_ids))
