-- What each provider instance with an opt-in interface was told of a wish last, and what it answered. `sender` is the
-- sender's key. `due_at` is when it is told (again), NULL once it has answered or was given up.
CREATE TABLE upstream_opt_ins (
    provider          TEXT NOT NULL,
    account_id        INTEGER NOT NULL,
    recipient         TEXT NOT NULL,
    sender            TEXT NOT NULL,
    record_id         INTEGER NOT NULL,
    due_at            INTEGER,
    tries             INTEGER NOT NULL,
    accepted          INTEGER NOT NULL,
    code              TEXT NOT NULL,
    text              TEXT NOT NULL,
    answered_at       INTEGER,
    PRIMARY KEY (provider, account_id, recipient, sender)
) STRICT, WITHOUT ROWID;
CREATE INDEX upstream_opt_ins_due ON upstream_opt_ins (provider, due_at) WHERE due_at IS NOT NULL;

-- How far each of them has read the record.
CREATE TABLE upstream_followers (
    provider  TEXT PRIMARY KEY,
    record_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
