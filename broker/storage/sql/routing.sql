-- name: newest_route_version
SELECT max(version) FROM route_tables

-- name: newest_route_table
SELECT version, created_at, created_by, routes FROM route_tables
WHERE version = (SELECT max(version) FROM route_tables)

-- name: route_table_by_version
SELECT version, created_at, created_by, routes FROM route_tables WHERE version = :version

-- name: insert_route_table
INSERT INTO route_tables (version, created_at, created_by, routes)
VALUES (:version, :created_at, :created_by, :routes)
ON CONFLICT (version) DO NOTHING
RETURNING version

-- name: forget_route_tables
DELETE FROM route_tables WHERE version <= :version

-- name: drained_providers
SELECT provider FROM drained_providers

-- name: insert_drained_provider
INSERT INTO drained_providers (provider) VALUES (:provider) ON CONFLICT (provider) DO NOTHING

-- name: delete_drained_provider
DELETE FROM drained_providers WHERE provider = :provider
