-- Broadcasts that an upstream runs: which instance's, and how far their hand-over is. `phase` and `wish` are numbers
-- of broker.domain; `at` is when something is to be done next. A row comes with the first intention to hand one over.
ALTER TABLE broadcasts ADD COLUMN upstream_provider TEXT NOT NULL DEFAULT '';

CREATE TABLE upstream_broadcasts (
    broadcast_id   BIGINT PRIMARY KEY,
    account_id     BIGINT NOT NULL,
    provider       TEXT NOT NULL,
    phase          BIGINT NOT NULL,
    upstream_id    TEXT NOT NULL,
    recipients     BIGINT NOT NULL,
    attempts       BIGINT NOT NULL,
    asks           BIGINT NOT NULL,
    handed_over_at BIGINT NOT NULL,
    at             BIGINT NOT NULL,
    wish           BIGINT,
    version        BIGINT NOT NULL
);
