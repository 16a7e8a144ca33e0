-- name: count_keys
SELECT count(*) FROM api_keys WHERE account_id = :account_id AND revoked_at IS NULL

-- name: key_of_account
SELECT key_id, account_id, role, created_at, description, calls_per_second, expire_at, revoked_at
FROM api_keys WHERE account_id = :account_id AND key_id = :key_id

-- name: keys_page
SELECT key_id, account_id, role, created_at, description, calls_per_second, expire_at, revoked_at
FROM api_keys
WHERE account_id = :account_id AND key_id > :after AND (:with_revoked = 1 OR revoked_at IS NULL)
ORDER BY key_id
LIMIT :rows_max

-- name: revoke_key
UPDATE api_keys SET revoked_at = :revoked_at WHERE key_id = :key_id

-- The newest are kept.
-- name: forget_revoked_keys
DELETE FROM api_keys
WHERE account_id = :account_id AND revoked_at IS NOT NULL AND key_id <= (
    SELECT key_id FROM api_keys
    WHERE account_id = :account_id AND revoked_at IS NOT NULL
    ORDER BY key_id DESC
    LIMIT 1 OFFSET :kept
)
