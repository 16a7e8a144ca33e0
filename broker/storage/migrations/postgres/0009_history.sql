-- Other orders of listing. A follower of each account's log fills message_index: one row for each value that a
-- message can be found by. `kind` is a number of broker.domain.correlation.IndexKind.

-- The log is indexed up to `sequence`; `newest_id` is the highest id among those messages, and `span` is
-- where later ones go.
CREATE TABLE message_indexes (
    account_id BIGINT PRIMARY KEY,
    sequence   BIGINT NOT NULL,
    indexed_at BIGINT NOT NULL,
    newest_id  BIGINT NOT NULL,
    span       BIGINT NOT NULL
);

-- A span is a run of an account's ids, from `first_id` up to the next span's. Each has a part of the index to
-- itself: rows come only into the newest parts, which stay small enough for memory, however many there are.
CREATE TABLE message_spans (
    account_id BIGINT NOT NULL,
    first_id   BIGINT NOT NULL,
    span       BIGINT NOT NULL,
    messages   BIGINT NOT NULL,
    PRIMARY KEY (account_id, first_id)
);
CREATE UNIQUE INDEX message_spans_by_number ON message_spans (span);

CREATE TABLE message_index (
    span       BIGINT NOT NULL,
    kind       BIGINT NOT NULL,
    value      TEXT COLLATE "C" NOT NULL,
    message_id BIGINT NOT NULL,
    PRIMARY KEY (span, kind, value, message_id)
);

-- `direction` is a number of broker.domain.vocabulary.Direction. A message that was deleted or marked read has
-- the time of that.
ALTER TABLE messages ADD COLUMN direction BIGINT NOT NULL DEFAULT 1;
ALTER TABLE messages ADD COLUMN deleted_at BIGINT;
ALTER TABLE messages ADD COLUMN read_at BIGINT;
