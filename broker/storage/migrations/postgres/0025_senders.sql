-- Senders that accounts have registered. A value may be there once for each country, as with short codes.
-- `kind` and `capabilities` (JSON) are numbers of broker.domain.sender; `providers` and `tags` are JSON.
CREATE TABLE senders (
    sender_id    BIGINT PRIMARY KEY,
    account_id   BIGINT NOT NULL,
    value        TEXT COLLATE "C" NOT NULL,
    kind         BIGINT NOT NULL,
    country      TEXT NOT NULL,
    capabilities TEXT NOT NULL,
    providers    TEXT NOT NULL,
    pool         TEXT NOT NULL,
    tags         TEXT NOT NULL,
    is_default   BIGINT NOT NULL,
    created_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX senders_by_value ON senders (value, account_id, kind, country);
CREATE INDEX senders_of_account ON senders (account_id, sender_id);

-- The sender of a pool that a recipient got last. `recipient` stands for the address, which is not kept.
CREATE TABLE sender_choices (
    account_id BIGINT NOT NULL,
    pool       TEXT COLLATE "C" NOT NULL,
    recipient  TEXT COLLATE "C" NOT NULL,
    sender     TEXT NOT NULL,
    used_at    BIGINT NOT NULL,
    PRIMARY KEY (account_id, pool, recipient)
);
CREATE INDEX sender_choices_by_use ON sender_choices (used_at);

-- Whom a message is from, where the broker chose it; NULL: as its submission says.
ALTER TABLE messages ADD COLUMN sender TEXT;
