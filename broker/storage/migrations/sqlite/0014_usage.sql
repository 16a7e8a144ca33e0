-- What was sent, counted. A follower of each account's log counts a message once, when it has ended: from then on
-- nothing that is counted here changes. What has not ended is counted when somebody asks.

-- The country of its number, by ISO 3166 alpha-2; '' where there is none.
ALTER TABLE messages ADD COLUMN country TEXT NOT NULL DEFAULT '';

-- The log is counted up to `sequence`.
CREATE TABLE usage_followers (
    account_id INTEGER PRIMARY KEY,
    sequence   INTEGER NOT NULL
) STRICT;

-- `bucket` counts quarters of an hour since 1970 UTC, by the time of acceptance. `tagged`: these messages are in
-- usage_tag_counts too, once for each of their tags.
CREATE TABLE usage_counts (
    account_id INTEGER NOT NULL,
    bucket     INTEGER NOT NULL,
    channel    INTEGER NOT NULL,
    provider   TEXT NOT NULL,
    campaign   TEXT NOT NULL,
    country    TEXT NOT NULL,
    state      INTEGER NOT NULL,
    refunded   INTEGER NOT NULL,
    opted_out  INTEGER NOT NULL,
    tagged     INTEGER NOT NULL,
    messages   INTEGER NOT NULL,
    units      INTEGER NOT NULL,
    credits    INTEGER NOT NULL,
    PRIMARY KEY (account_id, bucket, channel, provider, campaign, country, state, refunded, opted_out, tagged)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_tag_counts (
    account_id INTEGER NOT NULL,
    bucket     INTEGER NOT NULL,
    tag        TEXT NOT NULL,
    channel    INTEGER NOT NULL,
    provider   TEXT NOT NULL,
    campaign   TEXT NOT NULL,
    country    TEXT NOT NULL,
    state      INTEGER NOT NULL,
    refunded   INTEGER NOT NULL,
    opted_out  INTEGER NOT NULL,
    messages   INTEGER NOT NULL,
    units      INTEGER NOT NULL,
    credits    INTEGER NOT NULL,
    PRIMARY KEY (account_id, bucket, tag, channel, provider, campaign, country, state, refunded, opted_out)
) STRICT, WITHOUT ROWID;

-- A message that was sent, as it is counted: the only place that says how.
CREATE VIEW usage_messages AS
SELECT m.message_id, m.account_id, m.accepted_at / 900000000 AS bucket, coalesce(m.channel, 0) AS channel,
       m.provider, coalesce(s.labels ->> '$.campaign[0]', '') AS campaign, m.country, m.state,
       0 AS refunded,
       CASE WHEN m.reason IN ('OPTED_OUT', 'OPTED_OUT_GLOBALLY') THEN 1 ELSE 0 END AS opted_out,
       CASE WHEN json_array_length(s.labels, '$.tags') > 0 THEN 1 ELSE 0 END AS tagged,
       m.units, 0 AS credits
FROM messages m
JOIN submissions s ON s.submission_id = m.submission_id
WHERE m.direction = 1;

CREATE VIEW usage_message_tags AS
SELECT m.message_id, tag.value AS tag
FROM messages m
JOIN submissions s ON s.submission_id = m.submission_id
JOIN json_each(s.labels, '$.tags') tag;
