-- Times are integer microseconds since 1970 UTC. Enumerations are the numbers of broker.domain.

-- One row: what names this store, and what a restart must not go behind.
CREATE TABLE store (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    store_id   BLOB NOT NULL,
    boot       INTEGER NOT NULL,
    id_ceiling INTEGER NOT NULL
) STRICT;

CREATE TABLE accounts (
    account_id    INTEGER PRIMARY KEY,
    name          TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE api_keys (
    key_id      INTEGER PRIMARY KEY,
    account_id  INTEGER NOT NULL,
    role        INTEGER NOT NULL,
    secret_hash TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expire_at   INTEGER,
    revoked_at  INTEGER
) STRICT;

-- What the messages of one call share. `labels` and `content` are JSON.
CREATE TABLE submissions (
    submission_id INTEGER PRIMARY KEY,
    account_id    INTEGER NOT NULL,
    sender        TEXT NOT NULL,
    traffic       INTEGER NOT NULL,
    guarantee     INTEGER NOT NULL,
    provider_pin  TEXT NOT NULL,
    labels        TEXT NOT NULL,
    content       TEXT NOT NULL
) STRICT;

-- History, in the order of ids. `last_sequence` heads the chain of the message's events.
CREATE TABLE messages (
    message_id       INTEGER PRIMARY KEY,
    account_id       INTEGER NOT NULL,
    submission_id    INTEGER NOT NULL,
    channel          INTEGER,
    recipient        TEXT NOT NULL,
    state            INTEGER NOT NULL,
    reason           TEXT,
    encoding         INTEGER,
    units            INTEGER NOT NULL,
    provider         TEXT NOT NULL,
    attempts         INTEGER NOT NULL,
    accepted_at      INTEGER NOT NULL,
    transmit_at      INTEGER NOT NULL,
    expire_at        INTEGER NOT NULL,
    ended_at         INTEGER,
    client_reference TEXT NOT NULL,
    data             TEXT NOT NULL,
    last_sequence    INTEGER NOT NULL
) STRICT;

-- The log. `previous_sequence` is the message's event before this one, 0 at its first, so that a
-- timeline is a walk along keys and needs no index of its own.
CREATE TABLE events (
    account_id           INTEGER NOT NULL,
    sequence             INTEGER NOT NULL,
    time                 INTEGER NOT NULL,
    message_id           INTEGER NOT NULL,
    previous_sequence    INTEGER NOT NULL,
    fact                 INTEGER NOT NULL,
    state                INTEGER NOT NULL,
    previous_state       INTEGER,
    reason               TEXT,
    detail               TEXT,
    attempt              INTEGER NOT NULL,
    provider             TEXT,
    provider_message_ids TEXT,
    part                 INTEGER NOT NULL,
    provider_code        TEXT,
    provider_text        TEXT,
    next_attempt_at      INTEGER,
    PRIMARY KEY (account_id, sequence)
) STRICT, WITHOUT ROWID;

-- Hot and small: exactly one row for each message that has not ended, saying what happens next and
-- when. `work` is a number of broker.storage.agenda.Work.
CREATE TABLE due (
    message_id    INTEGER PRIMARY KEY,
    account_id    INTEGER NOT NULL,
    work          INTEGER NOT NULL,
    priority      INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    expire_at     INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    provider      TEXT NOT NULL,
    fence         INTEGER NOT NULL,
    submitted_at  INTEGER NOT NULL,
    asked         INTEGER NOT NULL,
    pending_parts INTEGER NOT NULL,
    doubtful      INTEGER NOT NULL
) STRICT;
CREATE INDEX due_dispatch ON due (priority, at) WHERE work = 1;
CREATE INDEX due_question ON due (at) WHERE work > 1;

-- Which message a provider's id belongs to. `reported` is 1 once its part was reported delivered.
CREATE TABLE provider_messages (
    provider            TEXT NOT NULL,
    provider_message_id TEXT NOT NULL,
    message_id          INTEGER NOT NULL,
    part                INTEGER NOT NULL,
    reported            INTEGER NOT NULL,
    PRIMARY KEY (provider, provider_message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX provider_messages_by_message ON provider_messages (message_id);

-- Receipts that match nothing yet. `receipt` is JSON.
CREATE TABLE parked_receipts (
    parked_id           INTEGER PRIMARY KEY,
    provider            TEXT NOT NULL,
    provider_message_id TEXT NOT NULL,
    receipt             TEXT NOT NULL,
    parked_at           INTEGER NOT NULL
) STRICT;
CREATE INDEX parked_receipts_by_id ON parked_receipts (provider, provider_message_id);

-- Remembered requests, in a ring of tables by acceptance time, so that forgetting empties a whole table.
CREATE TABLE request_ids_0 (
    account_id  INTEGER NOT NULL,
    request_id  TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    answer      TEXT NOT NULL,
    PRIMARY KEY (account_id, request_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE request_ids_1 (
    account_id  INTEGER NOT NULL,
    request_id  TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    answer      TEXT NOT NULL,
    PRIMARY KEY (account_id, request_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE request_ids_2 (
    account_id  INTEGER NOT NULL,
    request_id  TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    answer      TEXT NOT NULL,
    PRIMARY KEY (account_id, request_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE request_ids_3 (
    account_id  INTEGER NOT NULL,
    request_id  TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    answer      TEXT NOT NULL,
    PRIMARY KEY (account_id, request_id)
) STRICT, WITHOUT ROWID;
