-- The ways of messages that may go on by another channel: those they left, the one they are on, those ahead.
-- Events from `first_sequence` to `last_sequence` are of this way; NULL: it was not reached, or not left. `attempts`
-- are those made up to its end. `after` is how long a message stays on a way, in microseconds; NULL: until it fails.
CREATE TABLE message_ways (
    message_id     BIGINT NOT NULL,
    way            BIGINT NOT NULL,
    channel        BIGINT NOT NULL,
    recipient      TEXT NOT NULL,
    units          BIGINT NOT NULL,
    encoding       BIGINT,
    candidates     TEXT NOT NULL,
    after          BIGINT,
    attempts       BIGINT NOT NULL,
    first_sequence BIGINT,
    last_sequence  BIGINT,
    PRIMARY KEY (message_id, way)
);

-- How many ways a message has left, and how many are ahead of it; and on which a provider took it.
ALTER TABLE due ADD COLUMN way BIGINT NOT NULL DEFAULT 0;
ALTER TABLE due ADD COLUMN ways_ahead BIGINT NOT NULL DEFAULT 0;
ALTER TABLE provider_messages ADD COLUMN way BIGINT NOT NULL DEFAULT 0;
