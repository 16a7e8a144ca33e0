-- What was sent, counted. A follower of each account's log counts a message once, when it has ended: from then on
-- nothing that is counted here changes. What has not ended is counted when somebody asks.

-- The country of its number, by ISO 3166 alpha-2; '' where there is none.
ALTER TABLE messages ADD COLUMN country TEXT NOT NULL DEFAULT '';

-- The log is counted up to `sequence`.
CREATE TABLE usage_followers (
    account_id BIGINT PRIMARY KEY,
    sequence   BIGINT NOT NULL
);

-- `bucket` counts quarters of an hour since 1970 UTC, by the time of acceptance. `tagged`: these messages are in
-- usage_tag_counts too, once for each of their tags.
CREATE TABLE usage_counts (
    account_id BIGINT NOT NULL,
    bucket     BIGINT NOT NULL,
    channel    BIGINT NOT NULL,
    provider   TEXT COLLATE "C" NOT NULL,
    campaign   TEXT COLLATE "C" NOT NULL,
    country    TEXT COLLATE "C" NOT NULL,
    state      BIGINT NOT NULL,
    refunded   BIGINT NOT NULL,
    opted_out  BIGINT NOT NULL,
    tagged     BIGINT NOT NULL,
    messages   BIGINT NOT NULL,
    units      BIGINT NOT NULL,
    credits    BIGINT NOT NULL,
    PRIMARY KEY (account_id, bucket, channel, provider, campaign, country, state, refunded, opted_out, tagged)
);

CREATE TABLE usage_tag_counts (
    account_id BIGINT NOT NULL,
    bucket     BIGINT NOT NULL,
    tag        TEXT COLLATE "C" NOT NULL,
    channel    BIGINT NOT NULL,
    provider   TEXT COLLATE "C" NOT NULL,
    campaign   TEXT COLLATE "C" NOT NULL,
    country    TEXT COLLATE "C" NOT NULL,
    state      BIGINT NOT NULL,
    refunded   BIGINT NOT NULL,
    opted_out  BIGINT NOT NULL,
    messages   BIGINT NOT NULL,
    units      BIGINT NOT NULL,
    credits    BIGINT NOT NULL,
    PRIMARY KEY (account_id, bucket, tag, channel, provider, campaign, country, state, refunded, opted_out)
);

-- A message that was sent, as it is counted: the only place that says how.
CREATE VIEW usage_messages AS
SELECT m.message_id, m.account_id, m.accepted_at / 900000000 AS bucket, coalesce(m.channel, 0) AS channel,
       m.provider COLLATE "C" AS provider,
       coalesce(s.labels::JSONB #>> '{campaign,0}', '') COLLATE "C" AS campaign, m.country COLLATE "C" AS country,
       m.state,
       0::BIGINT AS refunded,
       CASE WHEN m.reason IN ('OPTED_OUT', 'OPTED_OUT_GLOBALLY') THEN 1 ELSE 0 END::BIGINT AS opted_out,
       CASE WHEN jsonb_array_length(s.labels::JSONB -> 'tags') > 0 THEN 1 ELSE 0 END::BIGINT AS tagged,
       m.units, 0::BIGINT AS credits
FROM messages m
JOIN submissions s ON s.submission_id = m.submission_id
WHERE m.direction = 1;

CREATE VIEW usage_message_tags AS
SELECT m.message_id, tag.value COLLATE "C" AS tag
FROM messages m
JOIN submissions s ON s.submission_id = m.submission_id
CROSS JOIN LATERAL jsonb_array_elements_text(s.labels::JSONB -> 'tags') AS tag (value);
