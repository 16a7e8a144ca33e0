-- Other orders of listing. A follower of each account's log fills message_index: one row for each value that a
-- message can be found by. `kind` is a number of broker.domain.correlation.IndexKind.

-- The log is indexed up to `sequence`; `newest_id` is the highest id among those messages, and `span` is
-- where later ones go.
CREATE TABLE message_indexes (
    account_id INTEGER PRIMARY KEY,
    sequence   INTEGER NOT NULL,
    indexed_at INTEGER NOT NULL,
    newest_id  INTEGER NOT NULL,
    span       INTEGER NOT NULL
) STRICT;

-- A span is a run of an account's ids, from `first_id` up to the next span's. Each has a part of the index to
-- itself: rows come only into the newest parts, which stay small enough for memory, however many there are.
CREATE TABLE message_spans (
    account_id INTEGER NOT NULL,
    first_id   INTEGER NOT NULL,
    span       INTEGER NOT NULL,
    messages   INTEGER NOT NULL,
    PRIMARY KEY (account_id, first_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX message_spans_by_number ON message_spans (span);

CREATE TABLE message_index (
    span       INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    value      TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    PRIMARY KEY (span, kind, value, message_id)
) STRICT, WITHOUT ROWID;

-- `direction` is a number of broker.domain.vocabulary.Direction. A message that was deleted or marked read has
-- the time of that.
ALTER TABLE messages ADD COLUMN direction INTEGER NOT NULL DEFAULT 1;
ALTER TABLE messages ADD COLUMN deleted_at INTEGER;
ALTER TABLE messages ADD COLUMN read_at INTEGER;
