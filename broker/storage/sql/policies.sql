-- name: account_policies
SELECT account_id, policy FROM accounts WHERE account_id IN (SELECT value FROM json_each(:account_ids))

-- name: set_policies
WITH changed (account_id, policy) AS (VALUES :rows)
UPDATE accounts SET policy = changed.policy
FROM changed
WHERE accounts.account_id = changed.account_id
