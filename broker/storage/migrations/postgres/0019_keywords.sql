-- Words that people text to one of our addresses (`sender`), in plain form. At one address a word is one account's.
-- `group_id` NULL: no group; `forward_to` and `callback_url` '': nowhere.
CREATE TABLE keywords (
    sender          TEXT COLLATE "C" NOT NULL,
    keyword         TEXT COLLATE "C" NOT NULL,
    account_id      BIGINT NOT NULL,
    rented_at       BIGINT NOT NULL,
    group_id        BIGINT,
    autoreply       TEXT NOT NULL,
    forward_to      TEXT NOT NULL,
    callback_url    TEXT NOT NULL,
    callback_method BIGINT NOT NULL,
    send_unique     BIGINT NOT NULL,
    PRIMARY KEY (sender, keyword)
);
CREATE INDEX keywords_by_account ON keywords (account_id, sender, keyword);

-- What is left to do about messages that came in, as JSON; `at` is when.
CREATE TABLE errands (
    message_id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    document   TEXT NOT NULL
);
CREATE INDEX errands_by_time ON errands (at);

-- Answers that the broker gave by itself within the last hour, from one of our addresses to a person.
CREATE TABLE auto_replies (
    address    TEXT COLLATE "C" NOT NULL,
    person     TEXT COLLATE "C" NOT NULL,
    message_id BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (address, person, message_id)
);
CREATE INDEX auto_replies_by_time ON auto_replies (at);

-- Whether the URL alone is called of a message, and no webhook.
ALTER TABLE submission_callbacks ADD COLUMN exclusive BIGINT NOT NULL DEFAULT 0;
