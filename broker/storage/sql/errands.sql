-- What is left to do about messages that came in, and the answers that the broker gave by itself.

-- name: insert_errands
INSERT INTO errands (message_id, account_id, at, attempts, document) VALUES :rows

-- name: due_errands
SELECT message_id, account_id, attempts, document FROM errands WHERE at <= :now ORDER BY at, message_id LIMIT :rows_max

-- name: postpone_errands
WITH changed (message_id, at, attempts) AS (VALUES :rows)
UPDATE errands SET at = changed.at, attempts = changed.attempts
FROM changed
WHERE errands.message_id = changed.message_id

-- name: delete_errands
DELETE FROM errands WHERE message_id IN (VALUES :rows)

-- name: auto_replies_of
SELECT message_id, at FROM auto_replies WHERE address = :address AND person = :person

-- name: insert_auto_replies
INSERT INTO auto_replies (address, person, message_id, at) VALUES :rows

-- name: forget_auto_replies
DELETE FROM auto_replies
WHERE (address, person, message_id) IN (
    SELECT r.address, r.person, r.message_id FROM auto_replies r WHERE r.at < :before ORDER BY r.at LIMIT :rows_max
)
RETURNING 1

-- name: own_addresses
SELECT k.sender FROM keywords k WHERE k.sender IN (SELECT value FROM json_each(:addresses))
UNION
SELECT s.value FROM senders s WHERE s.value IN (SELECT value FROM json_each(:addresses))
