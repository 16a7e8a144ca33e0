-- name: find_provider_messages
SELECT provider_message_id, message_id, part, reported, way
FROM provider_messages
WHERE provider = :provider AND provider_message_id IN (SELECT value FROM json_each(:provider_message_ids))

-- name: find_spelled_messages
SELECT p.provider_message_id, p.message_id, p.part, p.reported, p.way, coalesce(w.recipient, m.recipient)
FROM provider_messages p
JOIN messages m ON m.message_id = p.message_id
LEFT JOIN message_ways w ON w.message_id = p.message_id AND w.way = p.way
WHERE p.provider = :provider AND p.provider_message_id IN (SELECT value FROM json_each(:provider_message_ids))
UNION
SELECT p.provider_message_id, p.message_id, p.part, p.reported, p.way, coalesce(w.recipient, m.recipient)
FROM provider_spellings s
JOIN provider_messages p ON p.provider = s.provider AND p.provider_message_id = s.provider_message_id
JOIN messages m ON m.message_id = p.message_id
LEFT JOIN message_ways w ON w.message_id = p.message_id AND w.way = p.way
WHERE s.provider = :provider AND s.folded IN (SELECT value FROM json_each(:forms))

-- name: insert_provider_spellings
INSERT INTO provider_spellings (provider, folded, provider_message_id) VALUES :rows
ON CONFLICT (provider, folded, provider_message_id) DO NOTHING

-- name: any_provider_spelling
SELECT 1 FROM provider_spellings LIMIT 1

-- name: forget_provider_spellings
DELETE FROM provider_spellings WHERE (provider, folded, provider_message_id) IN (VALUES :rows)

-- name: insert_provider_messages
INSERT INTO provider_messages (provider, provider_message_id, message_id, part, reported, way) VALUES :rows
ON CONFLICT (provider, provider_message_id)
DO UPDATE SET message_id = excluded.message_id, part = excluded.part, reported = 0, way = excluded.way

-- name: mark_reported
UPDATE provider_messages SET reported = 1
WHERE (provider, provider_message_id) IN (VALUES :rows)

-- name: provider_messages_of
SELECT message_id, provider_message_id, way
FROM provider_messages
WHERE message_id IN (SELECT value FROM json_each(:message_ids))
ORDER BY message_id, part

-- name: forget_provider_messages
DELETE FROM provider_messages
WHERE message_id IN (
    SELECT DISTINCT p.message_id
    FROM provider_messages p
    JOIN messages m ON m.message_id = p.message_id
    WHERE p.message_id < :oldest_id AND m.ended_at < :ended_before
    ORDER BY p.message_id
    LIMIT :rows_max
)
RETURNING provider, provider_message_id

-- name: park_receipts
INSERT INTO parked_receipts (provider, provider_message_id, receipt, parked_at) VALUES :rows

-- name: any_parked_receipt
SELECT 1 FROM parked_receipts LIMIT 1

-- name: find_parked_receipts
SELECT parked_id, receipt
FROM parked_receipts
WHERE provider = :provider AND provider_message_id IN (SELECT value FROM json_each(:provider_message_ids))
ORDER BY parked_id

-- name: unpark_receipts
DELETE FROM parked_receipts WHERE parked_id IN (SELECT value FROM json_each(:parked_ids))
RETURNING 1

-- name: count_parked_receipts
UPDATE parked_total SET receipts = receipts + :change RETURNING receipts

-- name: parked_receipts_total
SELECT receipts FROM parked_total

-- name: shed_parked_receipts
DELETE FROM parked_receipts
WHERE parked_id IN (SELECT parked_id FROM parked_receipts ORDER BY parked_id LIMIT :rows_max)
RETURNING 1

-- name: forget_parked_receipts
DELETE FROM parked_receipts
WHERE parked_id IN (SELECT parked_id FROM parked_receipts ORDER BY parked_id LIMIT :rows_max)
  AND parked_at < :parked_before
RETURNING 1
