-- What each provider instance with an opt-in interface was told of a wish last, and what it answered. `sender` is the
-- sender's key. `due_at` is when it is told (again), NULL once it has answered or was given up.
CREATE TABLE upstream_opt_ins (
    provider          TEXT COLLATE "C" NOT NULL,
    account_id        BIGINT NOT NULL,
    recipient         TEXT COLLATE "C" NOT NULL,
    sender            TEXT COLLATE "C" NOT NULL,
    record_id         BIGINT NOT NULL,
    due_at            BIGINT,
    tries             BIGINT NOT NULL,
    accepted          BIGINT NOT NULL,
    code              TEXT NOT NULL,
    text              TEXT NOT NULL,
    answered_at       BIGINT,
    PRIMARY KEY (provider, account_id, recipient, sender)
);
CREATE INDEX upstream_opt_ins_due ON upstream_opt_ins (provider, due_at) WHERE due_at IS NOT NULL;

-- How far each of them has read the record.
CREATE TABLE upstream_followers (
    provider  TEXT COLLATE "C" PRIMARY KEY,
    record_id BIGINT NOT NULL
);
