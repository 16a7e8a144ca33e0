-- Broadcasts. `state` and `stage` are numbers of broker.domain.broadcast; source and position say how far the
-- stage is. `active` is 1 while something of it is still to be done or may still move; only those are looked at.
-- A pace has begun `pace_done` messages since `pace_since`. Messages that were held are released up to
-- `released_to`, NULL: none are to be. The broadcast's submission has its id.
CREATE TABLE broadcasts (
    broadcast_id        BIGINT PRIMARY KEY,
    account_id          BIGINT NOT NULL,
    name                TEXT NOT NULL,
    state               BIGINT NOT NULL,
    active              BIGINT NOT NULL,
    stage               BIGINT NOT NULL,
    source              BIGINT NOT NULL,
    position            BIGINT NOT NULL,
    schedule_at         BIGINT,
    messages_per_minute BIGINT NOT NULL,
    upload_id           BIGINT,
    created_at          BIGINT NOT NULL,
    started_at          BIGINT,
    ended_at            BIGINT,
    pace_since          BIGINT NOT NULL,
    pace_done           BIGINT NOT NULL,
    released_to         BIGINT,
    detail              TEXT NOT NULL
);
CREATE INDEX broadcasts_by_account ON broadcasts (account_id, broadcast_id);
CREATE INDEX broadcasts_active ON broadcasts (broadcast_id) WHERE active = 1;

-- What was asked for, as the API keeps it, apart because it may be large.
CREATE TABLE broadcast_requests (
    broadcast_id BIGINT PRIMARY KEY,
    request      BYTEA NOT NULL
);

-- Changed in the transactions that change messages. `told` is the sum that the last event told of.
CREATE TABLE broadcast_counts (
    broadcast_id BIGINT PRIMARY KEY,
    expected     BIGINT NOT NULL,
    duplicates   BIGINT NOT NULL,
    accepted     BIGINT NOT NULL,
    refused      BIGINT NOT NULL,
    sent         BIGINT NOT NULL,
    delivered    BIGINT NOT NULL,
    failed       BIGINT NOT NULL,
    ended        BIGINT NOT NULL,
    told         BIGINT NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE broadcast_refusals (
    broadcast_id BIGINT NOT NULL,
    reason       TEXT COLLATE "C" NOT NULL,
    recipients   BIGINT NOT NULL,
    PRIMARY KEY (broadcast_id, reason)
);

-- Who is to get something, in order: an upload's rows, or those that a broadcast gathered, whose id its audience has.
-- Addresses are normal, '' where there is none; `more` is JSON, '' where there is nothing more.
CREATE TABLE audience_rows (
    audience_id  BIGINT NOT NULL,
    number       BIGINT NOT NULL,
    phone_number TEXT COLLATE "C" NOT NULL,
    email        TEXT COLLATE "C" NOT NULL,
    device_token TEXT COLLATE "C" NOT NULL,
    more         TEXT NOT NULL,
    PRIMARY KEY (audience_id, number)
);

-- Rows of a broadcast's audiences that an earlier row makes needless.
CREATE TABLE audience_duplicates (
    broadcast_id BIGINT NOT NULL,
    audience_id  BIGINT NOT NULL,
    number       BIGINT NOT NULL,
    PRIMARY KEY (broadcast_id, audience_id, number)
);

ALTER TABLE messages ADD COLUMN broadcast_id BIGINT;
ALTER TABLE due ADD COLUMN broadcast_id BIGINT;
CREATE INDEX due_broadcast ON due (broadcast_id, work, message_id) WHERE broadcast_id IS NOT NULL AND work < 2;
