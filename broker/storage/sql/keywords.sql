-- Keywords: who has rented which word at which of our addresses.

-- name: keywords_at
SELECT account_id, sender, keyword, rented_at, group_id, autoreply, forward_to, callback_url, callback_method,
       send_unique, paid, currency
FROM keywords
WHERE sender IN (SELECT value FROM json_each(:senders)) AND keyword IN (SELECT value FROM json_each(:keywords))

-- name: keywords_of_account
SELECT account_id, sender, keyword, rented_at, group_id, autoreply, forward_to, callback_url, callback_method,
       send_unique, paid, currency
FROM keywords
WHERE account_id = :account_id AND (sender, keyword) > (:sender, :keyword)
  AND (:only_sender = '' OR sender = :only_sender)
ORDER BY sender, keyword
LIMIT :rows_max

-- name: count_keywords
SELECT count(*) FROM keywords WHERE account_id = :account_id

-- name: insert_keywords
INSERT INTO keywords (
    account_id, sender, keyword, rented_at, group_id, autoreply, forward_to, callback_url, callback_method,
    send_unique, paid, currency
) VALUES :rows

-- name: update_keywords
WITH changed (
    sender, keyword, group_id, autoreply, forward_to, callback_url, callback_method, send_unique
) AS (VALUES :rows)
UPDATE keywords
SET group_id = changed.group_id, autoreply = changed.autoreply, forward_to = changed.forward_to,
    callback_url = changed.callback_url, callback_method = changed.callback_method,
    send_unique = changed.send_unique
FROM changed
WHERE keywords.sender = changed.sender AND keywords.keyword = changed.keyword

-- name: delete_keyword
DELETE FROM keywords
WHERE sender = :sender AND keyword = :keyword AND account_id = :account_id
RETURNING keyword
