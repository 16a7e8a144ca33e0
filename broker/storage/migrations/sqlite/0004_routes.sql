-- Every version of the routes, the newest of which is in force. `routes` is JSON; `created_by` is the key, or 0
-- where they came from the settings.
CREATE TABLE route_tables (
    version    INTEGER PRIMARY KEY,
    created_at INTEGER NOT NULL,
    created_by INTEGER NOT NULL,
    routes     TEXT NOT NULL
) STRICT;

-- The provider instances that are given no messages; all others are enabled.
CREATE TABLE drained_providers (
    provider TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
