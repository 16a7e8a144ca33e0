-- Every version of the prices, the newest of which is in force. `rules` is JSON; `created_by` is the key.
CREATE TABLE price_tables (
    version    BIGINT PRIMARY KEY,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    rules      TEXT NOT NULL,
    currency   TEXT NOT NULL
);

-- What a message costs, in micros; NULL: no rule fits it. Until a provider took it that is the dearest of its
-- candidates. `prices` is JSON, what it costs through each; NULL: the same through all. `charge` is a number of
-- broker.domain.charging.Charge.
ALTER TABLE messages ADD COLUMN price BIGINT;
ALTER TABLE messages ADD COLUMN prices TEXT;
ALTER TABLE messages ADD COLUMN currency TEXT;
ALTER TABLE messages ADD COLUMN charge BIGINT NOT NULL DEFAULT 0;

-- An account's credit, double entry: what it can spend, what is held for messages under way and what was spent, and
-- where that came from: bought, and moved from or to other accounts. All five sum to zero in each account, so that no
-- row is shared between accounts. `entries` counts those in ledger_entries.
CREATE TABLE ledgers (
    account_id BIGINT PRIMARY KEY,
    currency   TEXT NOT NULL,
    available  BIGINT NOT NULL CHECK (available >= 0),
    held       BIGINT NOT NULL CHECK (held >= 0),
    spent      BIGINT NOT NULL CHECK (spent >= 0),
    bought     BIGINT NOT NULL CHECK (bought <= 0),
    moved      BIGINT NOT NULL,
    entries    BIGINT NOT NULL,
    CHECK (available + held + spent + bought + moved = 0)
);

-- What one commit changed of an account's credit.
CREATE TABLE ledger_entries (
    account_id BIGINT NOT NULL,
    entry      BIGINT NOT NULL,
    time       BIGINT NOT NULL,
    available  BIGINT NOT NULL,
    held       BIGINT NOT NULL,
    spent      BIGINT NOT NULL,
    bought     BIGINT NOT NULL,
    moved      BIGINT NOT NULL,
    PRIMARY KEY (account_id, entry),
    CHECK (available + held + spent + bought + moved = 0)
);

-- What was asked for once and is answered alike when it is asked for again: purchases and transfers. `state` is a number
-- of broker.storage.crediting.DeedState; `other_account_id` is who got a transfer, 0: it is a purchase. `told` is what the
-- payments backend said, as JSON.
CREATE TABLE credit_deeds (
    account_id       BIGINT NOT NULL,
    request_id       TEXT COLLATE "C" NOT NULL,
    deed_id          BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    other_account_id BIGINT NOT NULL,
    amount           BIGINT NOT NULL,
    state            BIGINT NOT NULL,
    told             TEXT NOT NULL,
    PRIMARY KEY (account_id, request_id)
);

DROP VIEW usage_messages;
-- A message that was sent, as it is counted: the only place that says how.
CREATE VIEW usage_messages AS
SELECT m.message_id, m.account_id, m.accepted_at / 900000000 AS bucket, coalesce(m.channel, 0) AS channel,
       m.provider COLLATE "C" AS provider,
       coalesce(s.labels::JSONB #>> '{campaign,0}', '') COLLATE "C" AS campaign, m.country COLLATE "C" AS country,
       m.state,
       CASE WHEN m.charge = 3 THEN 1 ELSE 0 END::BIGINT AS refunded,
       CASE WHEN m.reason IN ('OPTED_OUT', 'OPTED_OUT_GLOBALLY') THEN 1 ELSE 0 END::BIGINT AS opted_out,
       CASE WHEN jsonb_array_length(s.labels::JSONB -> 'tags') > 0 THEN 1 ELSE 0 END::BIGINT AS tagged,
       m.units, CASE WHEN m.charge > 1 THEN m.price ELSE 0 END AS credits
FROM messages m
JOIN submissions s ON s.submission_id = m.submission_id
WHERE m.direction = 1;
