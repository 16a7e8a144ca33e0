-- Ids of the providers whose receipts may spell them otherwise, by their folded form
-- (broker.domain.spelling). Those of all other providers have no row here.
CREATE TABLE provider_spellings (
    provider            TEXT COLLATE "C" NOT NULL,
    folded              TEXT COLLATE "C" NOT NULL,
    provider_message_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (provider, folded, provider_message_id)
);

-- One row: how many receipts are parked, counted as they come and go.
CREATE TABLE parked_total (
    one      BIGINT PRIMARY KEY CHECK (one = 1),
    receipts BIGINT NOT NULL
);
INSERT INTO parked_total (one, receipts) SELECT 1, count(*) FROM parked_receipts;

-- The secret in the callback address of an instance whose settings name none.
CREATE TABLE callback_secrets (
    provider TEXT COLLATE "C" PRIMARY KEY,
    secret   TEXT NOT NULL
);

-- What instances keep for themselves over a restart.
CREATE TABLE keepsakes (
    provider TEXT COLLATE "C" NOT NULL,
    key      TEXT COLLATE "C" NOT NULL,
    value    BYTEA NOT NULL,
    PRIMARY KEY (provider, key)
);
