-- name: account_by_id
SELECT account_id, path, name, profile, api_access, policy, created_at, updated_at
FROM accounts WHERE account_id = :account_id

-- name: account_by_email
SELECT account_id, path, name, profile, api_access, policy, created_at, updated_at
FROM accounts WHERE email_key = :email_key

-- name: account_path
SELECT path FROM accounts WHERE account_id = :account_id

-- name: count_accounts
SELECT count(*) FROM accounts

-- name: add_accounts
INSERT INTO accounts (account_id, path, name, profile, email_key, api_access, policy, created_at,
                      updated_at, last_sequence)
VALUES :rows

-- name: change_account
UPDATE accounts SET name = :name, profile = :profile, api_access = :api_access, policy = :policy,
                    updated_at = :updated_at
WHERE account_id = :account_id

-- Paths are hexadecimal, so what is below one is between it and it with a "g".
-- name: accounts_page
SELECT account_id, path, name, profile, api_access, policy, created_at, updated_at
FROM accounts
WHERE path > :after AND path < :before
  AND (:path_characters = 0 OR length(path) = :path_characters)
ORDER BY path
LIMIT :rows_max
