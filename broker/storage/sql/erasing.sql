-- Deleting, marking and sending again.

-- name: messages_to_erase
SELECT m.message_id, m.account_id, m.submission_id, m.recipient, m.data, m.deleted_at, m.last_sequence,
       CASE WHEN m.direction = 2 THEN s.sender ELSE '' END, m.broadcast_id
FROM messages m
JOIN submissions s ON s.submission_id = m.submission_id
WHERE m.message_id IN (SELECT value FROM json_each(:message_ids))

-- name: erase_messages
WITH erased (message_id, deleted_at) AS (VALUES :rows)
UPDATE messages SET recipient = '', data = '', deleted_at = erased.deleted_at
FROM erased
WHERE messages.message_id = erased.message_id

-- name: erase_writers
-- Who wrote a message that came in is the sender of its submission, which has no other message.
UPDATE submissions SET sender = ''
WHERE submission_id IN (SELECT value FROM json_each(:submission_ids))

-- name: erase_provider_texts
UPDATE events SET provider_text = NULL, told = CASE WHEN told IS NULL THEN NULL ELSE '{}' END
WHERE account_id = :account_id AND sequence IN (SELECT value FROM json_each(:sequences))

-- name: message_span
SELECT span FROM message_spans
WHERE account_id = :account_id AND first_id <= :message_id
ORDER BY first_id DESC
LIMIT 1

-- name: delete_index_rows
DELETE FROM message_index WHERE (span, kind, value, message_id) IN (VALUES :rows)

-- name: any_living_message
-- The ids of a submission's messages come right after its own.
SELECT 1 FROM messages
WHERE message_id > :submission_id
  AND message_id < coalesce(
      (SELECT min(n.submission_id) FROM submissions n WHERE n.submission_id > :submission_id), :highest_id)
  AND submission_id = :submission_id AND deleted_at IS NULL
LIMIT 1

-- name: erase_contents
UPDATE submissions SET content = '{}'
WHERE submission_id IN (SELECT value FROM json_each(:submission_ids))

-- name: delete_message_tokens
DELETE FROM message_tokens WHERE message_id IN (SELECT value FROM json_each(:message_ids))

-- name: message_directions
SELECT message_id, account_id, direction
FROM messages
WHERE message_id IN (SELECT value FROM json_each(:message_ids))

-- name: mark_messages
WITH marked (message_id, read_at) AS (VALUES :rows)
UPDATE messages SET read_at = marked.read_at
FROM marked
WHERE messages.message_id = marked.message_id

-- name: message_to_redrive
SELECT m.state, m.attempts, m.deleted_at, m.channel, m.recipient, m.client_reference, m.data, coalesce(m.sender, s.sender), s.traffic,
       s.guarantee, s.provider_pin, s.labels, s.content, c.url, c.method, s.sender, m.contact_id
FROM messages m
JOIN submissions s ON s.submission_id = m.submission_id
LEFT JOIN submission_callbacks c ON c.submission_id = m.submission_id
WHERE m.message_id = :message_id AND m.account_id = :account_id
