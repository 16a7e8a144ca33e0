-- The URL that the messages of a submission asked for; most submissions have none, and no row.
CREATE TABLE submission_callbacks (
    submission_id INTEGER PRIMARY KEY,
    url           TEXT NOT NULL,
    method        INTEGER NOT NULL
) STRICT;

-- An account's endpoints. `kinds` and `facts` are JSON arrays of numbers; empty ones mean all.
CREATE TABLE webhooks (
    webhook_id     INTEGER PRIMARY KEY,
    account_id     INTEGER NOT NULL,
    url            TEXT NOT NULL,
    description    TEXT NOT NULL,
    kinds          TEXT NOT NULL,
    facts          TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    after_sequence INTEGER NOT NULL,
    disabled_at    INTEGER,
    disabled_for   INTEGER
) STRICT;
CREATE INDEX webhooks_by_account ON webhooks (account_id);

-- What callbacks are signed with, newest last. Webhook 0 stands for the account's message callbacks.
-- An `expire_at` is set once there is a newer secret.
CREATE TABLE signing_secrets (
    account_id INTEGER NOT NULL,
    webhook_id INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    secret     TEXT NOT NULL,
    expire_at  INTEGER,
    PRIMARY KEY (account_id, webhook_id, number)
) STRICT, WITHOUT ROWID;

-- Accounts whose log is followed for callbacks, and up to where it was.
CREATE TABLE callback_followers (
    account_id INTEGER PRIMARY KEY,
    sequence   INTEGER NOT NULL
) STRICT;

-- Who is called: a webhook (of the same id, without an origin), or an origin of an account's message
-- callbacks. `waiting` counts its rows in `callbacks`; a closed one gets no more, and loses those it has.
CREATE TABLE callback_endpoints (
    endpoint_id INTEGER PRIMARY KEY,
    account_id  INTEGER NOT NULL,
    origin      TEXT NOT NULL,
    closed      INTEGER NOT NULL,
    waiting     INTEGER NOT NULL,
    failures    INTEGER NOT NULL,
    held_until  INTEGER NOT NULL
) STRICT;
CREATE INDEX callback_endpoints_by_origin ON callback_endpoints (account_id, origin);
CREATE INDEX callback_endpoints_waiting ON callback_endpoints (held_until) WHERE waiting > 0;
CREATE INDEX callback_endpoints_closed ON callback_endpoints (endpoint_id) WHERE closed = 1;

-- One event for one endpoint, until it was taken or given up. `fence` is the boot number of the process
-- that calls it now, and then `at` is when its lease runs out; otherwise 0, and `at` is when it is due.
CREATE TABLE callbacks (
    account_id  INTEGER NOT NULL,
    sequence    INTEGER NOT NULL,
    endpoint_id INTEGER NOT NULL,
    message_id  INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    fence       INTEGER NOT NULL,
    expire_at   INTEGER NOT NULL,
    PRIMARY KEY (account_id, sequence, endpoint_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX callbacks_by_endpoint ON callbacks (endpoint_id, at, sequence);
