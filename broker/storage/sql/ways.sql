-- The ways of messages that may go on by another channel.

-- name: insert_ways
INSERT INTO message_ways (
    message_id, way, channel, recipient, units, encoding, candidates, after, attempts, first_sequence,
    last_sequence, sender
) VALUES :rows

-- name: ways_of_message
SELECT w.way, w.channel, w.recipient, w.units, w.encoding, w.candidates, w.after, w.attempts, m.expire_at,
       w.sender
FROM message_ways w
JOIN messages m ON m.message_id = w.message_id
WHERE w.message_id = :message_id
ORDER BY w.way

-- name: leave_ways
WITH changed (message_id, way, attempts, last_sequence) AS (VALUES :rows)
UPDATE message_ways SET attempts = changed.attempts, last_sequence = changed.last_sequence
FROM changed
WHERE message_ways.message_id = changed.message_id AND message_ways.way = changed.way

-- name: enter_ways
WITH changed (message_id, way, first_sequence) AS (VALUES :rows)
UPDATE message_ways SET first_sequence = changed.first_sequence
FROM changed
WHERE message_ways.message_id = changed.message_id AND message_ways.way = changed.way

-- name: move_messages
WITH changed (message_id, channel, recipient, units, encoding, country, sender) AS (VALUES :rows)
UPDATE messages
SET channel = changed.channel, recipient = changed.recipient, units = changed.units, encoding = changed.encoding,
    country = changed.country, sender = changed.sender
FROM changed
WHERE messages.message_id = changed.message_id

-- The parts of a message that no provider has reported yet of those it took on a way that the message left.
-- name: unreported_parts
SELECT count(*) FROM provider_messages
WHERE message_id = :message_id AND provider = :provider AND way = :way AND reported = 0

-- name: recipients_of_ways
SELECT message_id, recipient FROM message_ways
WHERE message_id IN (SELECT value FROM json_each(:message_ids)) AND recipient <> ''

-- name: erase_ways
UPDATE message_ways SET recipient = ''
WHERE message_id IN (SELECT value FROM json_each(:message_ids))

-- name: delete_ways
DELETE FROM message_ways WHERE message_id IN (SELECT value FROM json_each(:message_ids))
