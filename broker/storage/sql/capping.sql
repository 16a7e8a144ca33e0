-- Promotional messages that count for a frequency cap, by contact.

-- name: contact_promotions
SELECT contact_id, dues FROM contact_promotions
WHERE account_id = :account_id AND contact_id IN (SELECT value FROM json_each(:contact_ids))

-- name: keep_contact_promotions
INSERT INTO contact_promotions (account_id, contact_id, dues, forget_at) VALUES :rows
ON CONFLICT (account_id, contact_id) DO UPDATE
SET dues = excluded.dues, forget_at = excluded.forget_at

-- name: forget_contact_promotions
DELETE FROM contact_promotions
WHERE (account_id, contact_id) IN (
    SELECT c.account_id, c.contact_id FROM contact_promotions c
    WHERE c.forget_at <= :now_us
    ORDER BY c.forget_at
    LIMIT :rows_max
)
RETURNING 1
