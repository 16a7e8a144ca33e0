-- name: create_migrations_table
CREATE TABLE IF NOT EXISTS schema_migrations (
    number     INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    checksum   TEXT NOT NULL,
    applied_at BIGINT NOT NULL
)

-- name: applied_migrations
SELECT number, checksum FROM schema_migrations

-- name: record_migration
INSERT INTO schema_migrations (number, name, checksum, applied_at)
VALUES (:number, :name, :checksum, :applied_at)

-- name: read_store
SELECT store_id, boot, id_ceiling FROM store

-- name: newest_id
SELECT max(id) FROM (
    SELECT max(message_id) AS id FROM messages
    UNION ALL SELECT max(submission_id) FROM submissions
    UNION ALL SELECT max(account_id) FROM accounts
    UNION ALL SELECT max(key_id) FROM api_keys
    UNION ALL SELECT max(newest_id) FROM directories
    UNION ALL SELECT max(endpoint_id) FROM callback_endpoints
    UNION ALL SELECT max(template_id) FROM templates
    UNION ALL SELECT max(sender_id) FROM senders
) newest

-- name: create_store
INSERT INTO store (one, store_id, boot, id_ceiling) VALUES (1, :store_id, 0, 0)

-- name: count_boot
UPDATE store SET boot = boot + 1

-- name: raise_id_ceiling
UPDATE store SET id_ceiling = :ceiling WHERE id_ceiling < :ceiling

-- name: insert_accounts
INSERT INTO accounts (account_id, name, created_at, last_sequence, path) VALUES :rows

-- name: any_account
SELECT 1 FROM accounts LIMIT 1

-- name: insert_keys
INSERT INTO api_keys (key_id, account_id, role, secret_hash, created_at, expire_at, description, calls_per_second)
VALUES :rows

-- name: key_by_id
SELECT k.key_id, k.account_id, k.role, k.secret_hash, k.expire_at, k.revoked_at, a.api_access, k.calls_per_second
FROM api_keys k JOIN accounts a ON a.account_id = k.account_id
WHERE k.key_id = :key_id

-- name: pepper_mark
SELECT pepper_mark FROM store

-- name: set_pepper_mark
UPDATE store SET pepper_mark = :mark
