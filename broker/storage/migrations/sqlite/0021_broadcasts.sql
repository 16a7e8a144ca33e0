-- Broadcasts. `state` and `stage` are numbers of broker.domain.broadcast; source and position say how far the
-- stage is. `active` is 1 while something of it is still to be done or may still move; only those are looked at.
-- A pace has begun `pace_done` messages since `pace_since`. Messages that were held are released up to
-- `released_to`, NULL: none are to be. The broadcast's submission has its id.
CREATE TABLE broadcasts (
    broadcast_id        INTEGER PRIMARY KEY,
    account_id          INTEGER NOT NULL,
    name                TEXT NOT NULL,
    state               INTEGER NOT NULL,
    active              INTEGER NOT NULL,
    stage               INTEGER NOT NULL,
    source              INTEGER NOT NULL,
    position            INTEGER NOT NULL,
    schedule_at         INTEGER,
    messages_per_minute INTEGER NOT NULL,
    upload_id           INTEGER,
    created_at          INTEGER NOT NULL,
    started_at          INTEGER,
    ended_at            INTEGER,
    pace_since          INTEGER NOT NULL,
    pace_done           INTEGER NOT NULL,
    released_to         INTEGER,
    detail              TEXT NOT NULL
) STRICT;
CREATE INDEX broadcasts_by_account ON broadcasts (account_id, broadcast_id);
CREATE INDEX broadcasts_active ON broadcasts (broadcast_id) WHERE active = 1;

-- What was asked for, as the API keeps it, apart because it may be large.
CREATE TABLE broadcast_requests (
    broadcast_id INTEGER PRIMARY KEY,
    request      BLOB NOT NULL
) STRICT;

-- Changed in the transactions that change messages. `told` is the sum that the last event told of.
CREATE TABLE broadcast_counts (
    broadcast_id INTEGER PRIMARY KEY,
    expected     INTEGER NOT NULL,
    duplicates   INTEGER NOT NULL,
    accepted     INTEGER NOT NULL,
    refused      INTEGER NOT NULL,
    sent         INTEGER NOT NULL,
    delivered    INTEGER NOT NULL,
    failed       INTEGER NOT NULL,
    ended        INTEGER NOT NULL,
    told         INTEGER NOT NULL
) STRICT;

CREATE TABLE broadcast_refusals (
    broadcast_id INTEGER NOT NULL,
    reason       TEXT NOT NULL,
    recipients   INTEGER NOT NULL,
    PRIMARY KEY (broadcast_id, reason)
) STRICT, WITHOUT ROWID;

-- Who is to get something, in order: an upload's rows, or those that a broadcast gathered, whose id its audience has.
-- Addresses are normal, '' where there is none; `more` is JSON, '' where there is nothing more.
CREATE TABLE audience_rows (
    audience_id  INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    phone_number TEXT NOT NULL,
    email        TEXT NOT NULL,
    device_token TEXT NOT NULL,
    more         TEXT NOT NULL,
    PRIMARY KEY (audience_id, number)
) STRICT, WITHOUT ROWID;

-- Rows of a broadcast's audiences that an earlier row makes needless.
CREATE TABLE audience_duplicates (
    broadcast_id INTEGER NOT NULL,
    audience_id  INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    PRIMARY KEY (broadcast_id, audience_id, number)
) STRICT, WITHOUT ROWID;

ALTER TABLE messages ADD COLUMN broadcast_id INTEGER;
ALTER TABLE due ADD COLUMN broadcast_id INTEGER;
CREATE INDEX due_broadcast ON due (broadcast_id, work, message_id) WHERE broadcast_id IS NOT NULL AND work < 2;
