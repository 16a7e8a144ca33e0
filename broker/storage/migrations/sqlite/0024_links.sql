-- The links of messages whose links are shortened, in the order of their text. `url` is as the text has it, `target`
-- where it leads (NULL: the same). Of a message's clicks the first few are events; all are counted here.
CREATE TABLE message_links (
    message_id    INTEGER NOT NULL,
    place         INTEGER NOT NULL,
    account_id    INTEGER NOT NULL,
    code          INTEGER NOT NULL,
    domain        TEXT NOT NULL,
    url           TEXT NOT NULL,
    target        TEXT,
    clicks        INTEGER NOT NULL DEFAULT 0,
    last_click_at INTEGER,
    PRIMARY KEY (message_id, place)
) STRICT, WITHOUT ROWID;

-- What a code stands for. Codes are random, so this holds as little as can be.
CREATE TABLE link_codes (
    code       INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL,
    place      INTEGER NOT NULL
) STRICT;
