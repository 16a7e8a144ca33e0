-- name: insert_webhooks
INSERT INTO webhooks (
    webhook_id, account_id, url, description, kinds, facts, created_at, after_sequence
) VALUES :rows

-- name: count_webhooks
SELECT account_id, count(*)
FROM webhooks
WHERE account_id IN (SELECT value FROM json_each(:account_ids))
GROUP BY account_id

-- name: webhooks_of_account
SELECT w.webhook_id, w.account_id, w.url, w.description, w.kinds, w.facts, w.created_at, w.after_sequence,
       w.disabled_at, w.disabled_for, e.waiting, e.failures
FROM webhooks w
JOIN callback_endpoints e ON e.endpoint_id = w.webhook_id
WHERE w.account_id = :account_id
ORDER BY w.webhook_id

-- name: webhook_owner
SELECT account_id FROM webhooks WHERE webhook_id = :webhook_id

-- name: delete_webhook
DELETE FROM webhooks WHERE webhook_id = :webhook_id

-- name: disable_webhooks
WITH changed (webhook_id, disabled_at, disabled_for) AS (VALUES :rows)
UPDATE webhooks SET disabled_at = changed.disabled_at, disabled_for = changed.disabled_for
FROM changed
WHERE webhooks.webhook_id = changed.webhook_id

-- name: webhook_urls
SELECT webhook_id, url FROM webhooks WHERE webhook_id IN (SELECT value FROM json_each(:webhook_ids))

-- name: signing_secrets
SELECT number, secret, expire_at
FROM signing_secrets
WHERE account_id = :account_id AND webhook_id = :webhook_id
ORDER BY number

-- name: insert_signing_secrets
INSERT INTO signing_secrets (account_id, webhook_id, number, secret, expire_at) VALUES :rows

-- name: delete_signing_secrets
DELETE FROM signing_secrets WHERE account_id = :account_id AND webhook_id = :webhook_id
