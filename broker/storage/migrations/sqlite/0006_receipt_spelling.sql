-- Ids of the providers whose receipts may spell them otherwise, by their folded form
-- (broker.domain.spelling). Those of all other providers have no row here.
CREATE TABLE provider_spellings (
    provider            TEXT NOT NULL,
    folded              TEXT NOT NULL,
    provider_message_id TEXT NOT NULL,
    PRIMARY KEY (provider, folded, provider_message_id)
) STRICT, WITHOUT ROWID;

-- One row: how many receipts are parked, counted as they come and go.
CREATE TABLE parked_total (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    receipts INTEGER NOT NULL
) STRICT;
INSERT INTO parked_total (one, receipts) SELECT 1, count(*) FROM parked_receipts;

-- The secret in the callback address of an instance whose settings name none.
CREATE TABLE callback_secrets (
    provider TEXT PRIMARY KEY,
    secret   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What instances keep for themselves over a restart.
CREATE TABLE keepsakes (
    provider TEXT NOT NULL,
    key      TEXT NOT NULL,
    value    BLOB NOT NULL,
    PRIMARY KEY (provider, key)
) STRICT, WITHOUT ROWID;
