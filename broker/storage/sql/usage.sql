-- Counting what was sent. `ends` are the states that a message ends in; its first event in one of them counts it.

-- name: usage_behind
SELECT a.account_id
FROM accounts a
LEFT JOIN usage_followers f ON f.account_id = a.account_id
WHERE a.last_sequence > coalesce(f.sequence, 0)
ORDER BY a.account_id

-- name: usage_state
SELECT a.last_sequence, coalesce(f.sequence, 0)
FROM accounts a
LEFT JOIN usage_followers f ON f.account_id = a.account_id
WHERE a.account_id = :account_id

-- name: count_ended
INSERT INTO usage_counts (
    account_id, bucket, channel, provider, campaign, country, state, refunded, opted_out, tagged,
    messages, units, credits
)
SELECT u.account_id, u.bucket, u.channel, u.provider, u.campaign, u.country, u.state, u.refunded, u.opted_out,
       u.tagged, count(*), sum(u.units), sum(u.credits)
FROM events e
JOIN usage_messages u ON u.message_id = e.message_id
WHERE e.account_id = :account_id AND e.sequence > :after AND e.sequence <= :upto
  AND e.kind = 1 AND e.state IN (SELECT value FROM json_each(:ends))
  AND (e.previous_state IS NULL OR e.previous_state <> e.state)
GROUP BY u.account_id, u.bucket, u.channel, u.provider, u.campaign, u.country, u.state, u.refunded, u.opted_out,
         u.tagged
ON CONFLICT (account_id, bucket, channel, provider, campaign, country, state, refunded, opted_out, tagged)
DO UPDATE SET messages = usage_counts.messages + excluded.messages, units = usage_counts.units + excluded.units,
              credits = usage_counts.credits + excluded.credits

-- name: count_ended_by_tag
INSERT INTO usage_tag_counts (
    account_id, bucket, tag, channel, provider, campaign, country, state, refunded, opted_out,
    messages, units, credits
)
SELECT u.account_id, u.bucket, t.tag, u.channel, u.provider, u.campaign, u.country, u.state, u.refunded, u.opted_out,
       count(*), sum(u.units), sum(u.credits)
FROM events e
JOIN usage_messages u ON u.message_id = e.message_id
JOIN usage_message_tags t ON t.message_id = e.message_id
WHERE e.account_id = :account_id AND e.sequence > :after AND e.sequence <= :upto
  AND e.kind = 1 AND e.state IN (SELECT value FROM json_each(:ends))
  AND (e.previous_state IS NULL OR e.previous_state <> e.state)
GROUP BY u.account_id, u.bucket, t.tag, u.channel, u.provider, u.campaign, u.country, u.state, u.refunded, u.opted_out
ON CONFLICT (account_id, bucket, tag, channel, provider, campaign, country, state, refunded, opted_out)
DO UPDATE SET messages = usage_tag_counts.messages + excluded.messages,
              units = usage_tag_counts.units + excluded.units,
              credits = usage_tag_counts.credits + excluded.credits

-- name: move_usage
INSERT INTO usage_followers (account_id, sequence) VALUES :rows
ON CONFLICT (account_id) DO UPDATE SET sequence = excluded.sequence

-- name: usage_groups
-- What was counted, then what ended since, then what has not ended. A dimension that is not asked for is the same in
-- every row.
SELECT (c.bucket - :start) / :width * :by_day, c.channel * :by_channel,
       CASE WHEN :by_provider = 1 THEN c.provider ELSE '' END,
       CASE WHEN :by_campaign = 1 THEN c.campaign ELSE '' END,
       CASE WHEN :by_country = 1 THEN c.country ELSE '' END,
       c.state * :by_status, '',
       CAST(sum(c.messages) AS BIGINT), CAST(sum(c.units) AS BIGINT), CAST(sum(c.credits) AS BIGINT)
FROM (
    SELECT bucket, channel, provider, campaign, country, state, refunded, opted_out, messages, units, credits
    FROM usage_counts
    WHERE account_id = :account_id AND bucket >= :start AND bucket < :stop
    UNION ALL
    SELECT u.bucket, u.channel, u.provider, u.campaign, u.country, u.state, u.refunded, u.opted_out, 1, u.units,
           u.credits
    FROM events e
    JOIN usage_messages u ON u.message_id = e.message_id
    WHERE e.account_id = :account_id AND e.sequence > :counted AND e.kind = 1
      AND e.state IN (SELECT value FROM json_each(:ends))
      AND (e.previous_state IS NULL OR e.previous_state <> e.state)
      AND u.bucket >= :start AND u.bucket < :stop
    UNION ALL
    SELECT u.bucket, u.channel, u.provider, u.campaign, u.country, u.state, u.refunded, u.opted_out, 1, u.units,
           u.credits
    FROM due d
    JOIN usage_messages u ON u.message_id = d.message_id
    WHERE d.account_id = :account_id AND u.bucket >= :start AND u.bucket < :stop
) c
WHERE c.refunded <= :include_refunded AND c.opted_out <= :include_opted_out
GROUP BY 1, 2, 3, 4, 5, 6

-- name: usage_groups_by_tag
-- The same, once for each tag of a message; those without one have the tag ''.
SELECT (c.bucket - :start) / :width * :by_day, c.channel * :by_channel,
       CASE WHEN :by_provider = 1 THEN c.provider ELSE '' END,
       CASE WHEN :by_campaign = 1 THEN c.campaign ELSE '' END,
       CASE WHEN :by_country = 1 THEN c.country ELSE '' END,
       c.state * :by_status, c.tag,
       CAST(sum(c.messages) AS BIGINT), CAST(sum(c.units) AS BIGINT), CAST(sum(c.credits) AS BIGINT)
FROM (
    SELECT bucket, tag, channel, provider, campaign, country, state, refunded, opted_out, messages, units, credits
    FROM usage_tag_counts
    WHERE account_id = :account_id AND bucket >= :start AND bucket < :stop
    UNION ALL
    SELECT bucket, '', channel, provider, campaign, country, state, refunded, opted_out, messages, units, credits
    FROM usage_counts
    WHERE account_id = :account_id AND bucket >= :start AND bucket < :stop AND tagged = 0
    UNION ALL
    SELECT u.bucket, t.tag, u.channel, u.provider, u.campaign, u.country, u.state, u.refunded,
           u.opted_out, 1, u.units, u.credits
    FROM events e
    JOIN usage_messages u ON u.message_id = e.message_id
    JOIN usage_message_tags t ON t.message_id = u.message_id
    WHERE e.account_id = :account_id AND e.sequence > :counted AND e.kind = 1
      AND e.state IN (SELECT value FROM json_each(:ends))
      AND (e.previous_state IS NULL OR e.previous_state <> e.state)
      AND u.bucket >= :start AND u.bucket < :stop
    UNION ALL
    SELECT u.bucket, '', u.channel, u.provider, u.campaign, u.country, u.state, u.refunded,
           u.opted_out, 1, u.units, u.credits
    FROM events e
    JOIN usage_messages u ON u.message_id = e.message_id
    WHERE e.account_id = :account_id AND e.sequence > :counted AND e.kind = 1
      AND e.state IN (SELECT value FROM json_each(:ends))
      AND (e.previous_state IS NULL OR e.previous_state <> e.state)
      AND u.bucket >= :start AND u.bucket < :stop AND u.tagged = 0
    UNION ALL
    SELECT u.bucket, t.tag, u.channel, u.provider, u.campaign, u.country, u.state, u.refunded,
           u.opted_out, 1, u.units, u.credits
    FROM due d
    JOIN usage_messages u ON u.message_id = d.message_id
    JOIN usage_message_tags t ON t.message_id = u.message_id
    WHERE d.account_id = :account_id AND u.bucket >= :start AND u.bucket < :stop
    UNION ALL
    SELECT u.bucket, '', u.channel, u.provider, u.campaign, u.country, u.state, u.refunded,
           u.opted_out, 1, u.units, u.credits
    FROM due d
    JOIN usage_messages u ON u.message_id = d.message_id
    WHERE d.account_id = :account_id AND u.bucket >= :start AND u.bucket < :stop AND u.tagged = 0
) c
WHERE c.refunded <= :include_refunded AND c.opted_out <= :include_opted_out
GROUP BY 1, 2, 3, 4, 5, 6, 7
