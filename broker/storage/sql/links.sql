-- Short links: what messages have, what codes stand for, and clicks.

-- name: insert_message_links
INSERT INTO message_links (message_id, place, account_id, code, domain, url, target) VALUES :rows

-- name: insert_link_codes
INSERT INTO link_codes (code, message_id, place) VALUES :rows

-- name: links_of_messages
SELECT message_id, place, code, domain, url, target, clicks, last_click_at
FROM message_links
WHERE message_id IN (SELECT value FROM json_each(:message_ids))
ORDER BY message_id, place

-- name: link_by_code
SELECT l.account_id, l.message_id, l.place, l.domain, l.url, l.target
FROM link_codes c
JOIN message_links l ON l.message_id = c.message_id AND l.place = c.place
WHERE c.code = :code

-- name: policies_with_links
SELECT policy FROM accounts WHERE policy LIKE '%"link_domains"%'

-- name: count_clicks
WITH clicked (message_id, place, clicks, last_click_at) AS (VALUES :rows)
UPDATE message_links SET clicks = clicked.clicks, last_click_at = clicked.last_click_at
FROM clicked
WHERE message_links.message_id = clicked.message_id AND message_links.place = clicked.place

-- name: delete_link_codes
DELETE FROM link_codes WHERE code IN (
    SELECT code FROM message_links WHERE message_id IN (SELECT value FROM json_each(:message_ids)))

-- name: delete_message_links
DELETE FROM message_links WHERE message_id IN (SELECT value FROM json_each(:message_ids))

-- name: erase_told
UPDATE events SET told = '{}'
WHERE account_id = :account_id AND sequence IN (SELECT value FROM json_each(:sequences))
