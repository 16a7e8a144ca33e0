-- The ways of messages that may go on by another channel: those they left, the one they are on, those ahead.
-- Events from `first_sequence` to `last_sequence` are of this way; NULL: it was not reached, or not left. `attempts`
-- are those made up to its end. `after` is how long a message stays on a way, in microseconds; NULL: until it fails.
CREATE TABLE message_ways (
    message_id     INTEGER NOT NULL,
    way            INTEGER NOT NULL,
    channel        INTEGER NOT NULL,
    recipient      TEXT NOT NULL,
    units          INTEGER NOT NULL,
    encoding       INTEGER,
    candidates     TEXT NOT NULL,
    after          INTEGER,
    attempts       INTEGER NOT NULL,
    first_sequence INTEGER,
    last_sequence  INTEGER,
    PRIMARY KEY (message_id, way)
) STRICT, WITHOUT ROWID;

-- How many ways a message has left, and how many are ahead of it; and on which a provider took it.
ALTER TABLE due ADD COLUMN way INTEGER NOT NULL DEFAULT 0;
ALTER TABLE due ADD COLUMN ways_ahead INTEGER NOT NULL DEFAULT 0;
ALTER TABLE provider_messages ADD COLUMN way INTEGER NOT NULL DEFAULT 0;
