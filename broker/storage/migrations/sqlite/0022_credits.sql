-- Every version of the prices, the newest of which is in force. `rules` is JSON; `created_by` is the key.
CREATE TABLE price_tables (
    version    INTEGER PRIMARY KEY,
    created_at INTEGER NOT NULL,
    created_by INTEGER NOT NULL,
    rules      TEXT NOT NULL,
    currency   TEXT NOT NULL
) STRICT;

-- What a message costs, in micros; NULL: no rule fits it. Until a provider took it that is the dearest of its
-- candidates. `prices` is JSON, what it costs through each; NULL: the same through all. `charge` is a number of
-- broker.domain.charging.Charge.
ALTER TABLE messages ADD COLUMN price INTEGER;
ALTER TABLE messages ADD COLUMN prices TEXT;
ALTER TABLE messages ADD COLUMN currency TEXT;
ALTER TABLE messages ADD COLUMN charge INTEGER NOT NULL DEFAULT 0;

-- An account's credit, double entry: what it can spend, what is held for messages under way and what was spent, and
-- where that came from: bought, and moved from or to other accounts. All five sum to zero in each account, so that no
-- row is shared between accounts. `entries` counts those in ledger_entries.
CREATE TABLE ledgers (
    account_id INTEGER PRIMARY KEY,
    currency   TEXT NOT NULL,
    available  INTEGER NOT NULL CHECK (available >= 0),
    held       INTEGER NOT NULL CHECK (held >= 0),
    spent      INTEGER NOT NULL CHECK (spent >= 0),
    bought     INTEGER NOT NULL CHECK (bought <= 0),
    moved      INTEGER NOT NULL,
    entries    INTEGER NOT NULL,
    CHECK (available + held + spent + bought + moved = 0)
) STRICT;

-- What one commit changed of an account's credit.
CREATE TABLE ledger_entries (
    account_id INTEGER NOT NULL,
    entry      INTEGER NOT NULL,
    time       INTEGER NOT NULL,
    available  INTEGER NOT NULL,
    held       INTEGER NOT NULL,
    spent      INTEGER NOT NULL,
    bought     INTEGER NOT NULL,
    moved      INTEGER NOT NULL,
    PRIMARY KEY (account_id, entry),
    CHECK (available + held + spent + bought + moved = 0)
) STRICT, WITHOUT ROWID;

-- What was asked for once and is answered alike when it is asked for again: purchases and transfers. `state` is a number
-- of broker.storage.crediting.DeedState; `other_account_id` is who got a transfer, 0: it is a purchase. `told` is what the
-- payments backend said, as JSON.
CREATE TABLE credit_deeds (
    account_id       INTEGER NOT NULL,
    request_id       TEXT NOT NULL,
    deed_id          INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    other_account_id INTEGER NOT NULL,
    amount           INTEGER NOT NULL,
    state            INTEGER NOT NULL,
    told             TEXT NOT NULL,
    PRIMARY KEY (account_id, request_id)
) STRICT, WITHOUT ROWID;

DROP VIEW usage_messages;
-- A message that was sent, as it is counted: the only place that says how.
CREATE VIEW usage_messages AS
SELECT m.message_id, m.account_id, m.accepted_at / 900000000 AS bucket, coalesce(m.channel, 0) AS channel,
       m.provider, coalesce(s.labels ->> '$.campaign[0]', '') AS campaign, m.country, m.state,
       CASE WHEN m.charge = 3 THEN 1 ELSE 0 END AS refunded,
       CASE WHEN m.reason IN ('OPTED_OUT', 'OPTED_OUT_GLOBALLY') THEN 1 ELSE 0 END AS opted_out,
       CASE WHEN json_array_length(s.labels, '$.tags') > 0 THEN 1 ELSE 0 END AS tagged,
       m.units, CASE WHEN m.charge > 1 THEN m.price ELSE 0 END AS credits
FROM messages m
JOIN submissions s ON s.submission_id = m.submission_id
WHERE m.direction = 1;
