-- name: keepsake_keys
SELECT key FROM keepsakes WHERE provider = :provider

-- name: put_keepsakes
INSERT INTO keepsakes (provider, key, value) VALUES :rows
ON CONFLICT (provider, key) DO UPDATE SET value = excluded.value

-- name: delete_keepsakes
DELETE FROM keepsakes WHERE (provider, key) IN (VALUES :rows)

-- name: read_keepsake
SELECT value FROM keepsakes WHERE provider = :provider AND key = :key

-- name: insert_callback_secrets
INSERT INTO callback_secrets (provider, secret) VALUES :rows
ON CONFLICT (provider) DO NOTHING

-- name: read_callback_secrets
SELECT provider, secret FROM callback_secrets
WHERE provider IN (SELECT value FROM json_each(:providers))
