-- The URL that the messages of a submission asked for; most submissions have none, and no row.
CREATE TABLE submission_callbacks (
    submission_id BIGINT PRIMARY KEY,
    url           TEXT NOT NULL,
    method        BIGINT NOT NULL
);

-- An account's endpoints. `kinds` and `facts` are JSON arrays of numbers; empty ones mean all.
CREATE TABLE webhooks (
    webhook_id     BIGINT PRIMARY KEY,
    account_id     BIGINT NOT NULL,
    url            TEXT NOT NULL,
    description    TEXT NOT NULL,
    kinds          TEXT NOT NULL,
    facts          TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    after_sequence BIGINT NOT NULL,
    disabled_at    BIGINT,
    disabled_for   BIGINT
);
CREATE INDEX webhooks_by_account ON webhooks (account_id);

-- What callbacks are signed with, newest last. Webhook 0 stands for the account's message callbacks.
-- An `expire_at` is set once there is a newer secret.
CREATE TABLE signing_secrets (
    account_id BIGINT NOT NULL,
    webhook_id BIGINT NOT NULL,
    number     BIGINT NOT NULL,
    secret     TEXT NOT NULL,
    expire_at  BIGINT,
    PRIMARY KEY (account_id, webhook_id, number)
);

-- Accounts whose log is followed for callbacks, and up to where it was.
CREATE TABLE callback_followers (
    account_id BIGINT PRIMARY KEY,
    sequence   BIGINT NOT NULL
) WITH (fillfactor = 50);

-- Who is called: a webhook (of the same id, without an origin), or an origin of an account's message
-- callbacks. `waiting` counts its rows in `callbacks`; a closed one gets no more, and loses those it has.
CREATE TABLE callback_endpoints (
    endpoint_id BIGINT PRIMARY KEY,
    account_id  BIGINT NOT NULL,
    origin      TEXT NOT NULL,
    closed      BIGINT NOT NULL,
    waiting     BIGINT NOT NULL,
    failures    BIGINT NOT NULL,
    held_until  BIGINT NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0.0);
CREATE INDEX callback_endpoints_by_origin ON callback_endpoints (account_id, origin);
CREATE INDEX callback_endpoints_waiting ON callback_endpoints (held_until) WHERE waiting > 0;
CREATE INDEX callback_endpoints_closed ON callback_endpoints (endpoint_id) WHERE closed = 1;

-- One event for one endpoint, until it was taken or given up. `fence` is the boot number of the process
-- that calls it now, and then `at` is when its lease runs out; otherwise 0, and `at` is when it is due.
CREATE TABLE callbacks (
    account_id  BIGINT NOT NULL,
    sequence    BIGINT NOT NULL,
    endpoint_id BIGINT NOT NULL,
    message_id  BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    fence       BIGINT NOT NULL,
    expire_at   BIGINT NOT NULL,
    PRIMARY KEY (account_id, sequence, endpoint_id)
);
CREATE INDEX callbacks_by_endpoint ON callbacks (endpoint_id, at, sequence);
