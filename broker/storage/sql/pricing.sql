-- name: newest_price_version
SELECT max(version) FROM price_tables

-- name: newest_price_table
SELECT version, created_at, created_by, rules, currency FROM price_tables
WHERE version = (SELECT max(version) FROM price_tables)

-- name: price_table_by_version
SELECT version, created_at, created_by, rules, currency FROM price_tables WHERE version = :version

-- name: insert_price_table
INSERT INTO price_tables (version, created_at, created_by, rules, currency)
VALUES (:version, :created_at, :created_by, :rules, :currency)
ON CONFLICT (version) DO NOTHING
RETURNING version

-- name: forget_price_tables
DELETE FROM price_tables WHERE version <= :version
