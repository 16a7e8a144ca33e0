-- Words that people text to one of our addresses (`sender`), in plain form. At one address a word is one account's.
-- `group_id` NULL: no group; `forward_to` and `callback_url` '': nowhere.
CREATE TABLE keywords (
    sender          TEXT NOT NULL,
    keyword         TEXT NOT NULL,
    account_id      INTEGER NOT NULL,
    rented_at       INTEGER NOT NULL,
    group_id        INTEGER,
    autoreply       TEXT NOT NULL,
    forward_to      TEXT NOT NULL,
    callback_url    TEXT NOT NULL,
    callback_method INTEGER NOT NULL,
    send_unique     INTEGER NOT NULL,
    PRIMARY KEY (sender, keyword)
) STRICT, WITHOUT ROWID;
CREATE INDEX keywords_by_account ON keywords (account_id, sender, keyword);

-- What is left to do about messages that came in, as JSON; `at` is when.
CREATE TABLE errands (
    message_id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    document   TEXT NOT NULL
) STRICT;
CREATE INDEX errands_by_time ON errands (at);

-- Answers that the broker gave by itself within the last hour, from one of our addresses to a person.
CREATE TABLE auto_replies (
    address    TEXT NOT NULL,
    person     TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (address, person, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX auto_replies_by_time ON auto_replies (at);

-- Whether the URL alone is called of a message, and no webhook.
ALTER TABLE submission_callbacks ADD COLUMN exclusive INTEGER NOT NULL DEFAULT 0;
