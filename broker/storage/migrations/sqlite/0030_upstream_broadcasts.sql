-- Broadcasts that an upstream runs: which instance's, and how far their hand-over is. `phase` and `wish` are numbers
-- of broker.domain; `at` is when something is to be done next. A row comes with the first intention to hand one over.
ALTER TABLE broadcasts ADD COLUMN upstream_provider TEXT NOT NULL DEFAULT '';

CREATE TABLE upstream_broadcasts (
    broadcast_id   INTEGER PRIMARY KEY,
    account_id     INTEGER NOT NULL,
    provider       TEXT NOT NULL,
    phase          INTEGER NOT NULL,
    upstream_id    TEXT NOT NULL,
    recipients     INTEGER NOT NULL,
    attempts       INTEGER NOT NULL,
    asks           INTEGER NOT NULL,
    handed_over_at INTEGER NOT NULL,
    at             INTEGER NOT NULL,
    wish           INTEGER,
    version        INTEGER NOT NULL
) STRICT;
