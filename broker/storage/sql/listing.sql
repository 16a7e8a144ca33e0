-- Lists of messages. Ids are found first, as one JSON array: each row of an answer gives up the interpreter once.
-- Then those that fit are read.

-- name: spans_between
SELECT span, first_id
FROM message_spans
WHERE account_id = :account_id AND first_id < :before_id
ORDER BY first_id DESC

-- name: index_count
SELECT count(*) FROM (
    SELECT 1 FROM message_index
    WHERE span = :span AND kind = :kind AND value IN (SELECT value FROM json_each(:values))
    LIMIT :rows_max
) counted

-- name: index_ids
SELECT json_group_array(message_id) FROM (
    SELECT message_id FROM message_index
    WHERE span = :span AND kind = :kind AND value = :value
      AND message_id < :before_id AND message_id >= :floor_id
    ORDER BY message_id DESC
    LIMIT :rows_max
) found

-- name: index_ids_of_any
SELECT json_group_array(message_id) FROM (
    SELECT DISTINCT message_id FROM message_index
    WHERE span = :span AND kind = :kind AND value IN (SELECT value FROM json_each(:values))
      AND message_id < :before_id AND message_id >= :floor_id
    ORDER BY message_id DESC
    LIMIT :rows_max
) found

-- name: unindexed_ids
SELECT json_group_array(message_id) FROM (
    SELECT DISTINCT message_id FROM events
    WHERE account_id = :account_id AND sequence > :after
      AND message_id < :before_id AND message_id >= :floor_id
) found

-- name: contact_message_ids
SELECT json_group_array(message_id) FROM (
    SELECT message_id FROM messages
    WHERE contact_id = :contact_id AND message_id < :before_id AND message_id >= :floor_id
    ORDER BY message_id DESC
    LIMIT :rows_max
) found

-- name: scanned_ids
SELECT json_group_array(CASE WHEN account_id = :account_id THEN message_id END), min(message_id), count(*)
FROM (
    SELECT message_id, account_id FROM messages
    WHERE message_id < :before_id AND message_id >= :floor_id
    ORDER BY message_id DESC
    LIMIT :rows_max
) scanned

-- name: fitting_messages
SELECT m.message_id, m.account_id, m.recipient, coalesce(m.sender, s.sender), m.channel, s.traffic, s.guarantee, m.state,
       m.reason, m.encoding, m.units, m.provider, m.attempts, m.accepted_at, m.transmit_at, m.expire_at,
       m.ended_at, m.client_reference, m.data, s.labels, m.contact_id, m.route_version, m.direction,
       m.deleted_at, m.read_at, m.price, m.currency
FROM messages m
JOIN submissions s ON s.submission_id = m.submission_id
WHERE m.message_id IN (SELECT value FROM json_each(:message_ids))
  AND m.account_id = :account_id
  AND m.accepted_at >= :start AND m.accepted_at < :end
  AND ((m.deleted_at IS NULL AND (:any_state = 1 OR m.state IN (SELECT value FROM json_each(:states))))
       OR (m.deleted_at IS NOT NULL AND :deleted = 1))
  AND (:any_channel = 1 OR m.channel IN (SELECT value FROM json_each(:channels)))
  AND (:any_traffic = 1 OR s.traffic IN (SELECT value FROM json_each(:traffics)))
  AND (:any_direction = 1 OR m.direction IN (SELECT value FROM json_each(:directions)))
  AND (:any_recipient = 1 OR m.recipient IN (SELECT value FROM json_each(:recipients))
       OR EXISTS (SELECT 1 FROM message_ways w
                  WHERE w.message_id = m.message_id AND w.last_sequence IS NOT NULL
                    AND w.recipient IN (SELECT value FROM json_each(:recipients))))
  AND (:any_client_reference = 1
       OR m.client_reference IN (SELECT value FROM json_each(:client_references)))
  AND (:any_data = 1 OR m.data IN (SELECT value FROM json_each(:data)))
  AND (:any_sender = 1 OR coalesce(m.sender, s.sender) IN (SELECT value FROM json_each(:senders))
       OR EXISTS (SELECT 1 FROM message_ways w
                  WHERE w.message_id = m.message_id AND w.last_sequence IS NOT NULL
                    AND coalesce(w.sender, s.sender) IN (SELECT value FROM json_each(:senders))))
  AND (:any_contact = 1 OR m.contact_id = :contact_id)
  AND (:any_provider = 1 OR m.provider IN (SELECT value FROM json_each(:providers)))
ORDER BY m.message_id DESC
