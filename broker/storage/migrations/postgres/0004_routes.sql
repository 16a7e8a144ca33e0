-- Every version of the routes, the newest of which is in force. `routes` is JSON; `created_by` is the key, or 0
-- where they came from the settings.
CREATE TABLE route_tables (
    version    BIGINT PRIMARY KEY,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    routes     TEXT NOT NULL
);

-- The provider instances that are given no messages; all others are enabled.
CREATE TABLE drained_providers (
    provider TEXT PRIMARY KEY
);
