-- The ledger, and what was asked of it once.

-- name: ledger_of_account
SELECT l.currency, l.available, l.held, l.spent, l.bought, l.moved, l.entries, a.policy
FROM accounts a
LEFT JOIN ledgers l ON l.account_id = a.account_id
WHERE a.account_id = :account_id

-- name: insert_ledgers
INSERT INTO ledgers (account_id, currency, available, held, spent, bought, moved, entries) VALUES :rows

-- name: update_ledgers
WITH changed (account_id, currency, available, held, spent, bought, moved, entries) AS (VALUES :rows)
UPDATE ledgers
SET currency = changed.currency, available = changed.available, held = changed.held, spent = changed.spent,
    bought = changed.bought, moved = changed.moved, entries = changed.entries
FROM changed
WHERE ledgers.account_id = changed.account_id

-- name: insert_ledger_entries
INSERT INTO ledger_entries (account_id, entry, time, available, held, spent, bought, moved) VALUES :rows

-- name: oldest_ledger_entries
SELECT entry, time, available, held, spent, bought, moved
FROM ledger_entries
WHERE account_id = :account_id
ORDER BY entry
LIMIT :rows_max

-- name: delete_ledger_entries
DELETE FROM ledger_entries WHERE account_id = :account_id AND entry < :before_entry

-- name: open_ledger_entries
UPDATE ledger_entries
SET available = :available, held = :held, spent = :spent, bought = :bought, moved = :moved
WHERE account_id = :account_id AND entry = :entry

-- name: other_currency
SELECT currency FROM ledgers WHERE currency <> :currency AND currency <> '' LIMIT 1

-- name: credit_deed
SELECT deed_id, other_account_id, amount, state, told
FROM credit_deeds
WHERE account_id = :account_id AND request_id = :request_id

-- name: insert_credit_deeds
INSERT INTO credit_deeds (
    account_id, request_id, deed_id, created_at, other_account_id, amount, state, told
) VALUES :rows

-- name: update_credit_deed
UPDATE credit_deeds SET state = :state, told = :told
WHERE account_id = :account_id AND request_id = :request_id

-- name: all_ledgers
SELECT account_id, available, held, spent, bought, moved, entries FROM ledgers ORDER BY account_id

-- name: all_ledger_entries
SELECT account_id, CAST(sum(available) AS BIGINT), CAST(sum(held) AS BIGINT), CAST(sum(spent) AS BIGINT),
       CAST(sum(bought) AS BIGINT), CAST(sum(moved) AS BIGINT), max(entry), min(entry), count(*)
FROM ledger_entries
GROUP BY account_id
ORDER BY account_id

-- name: all_charges
SELECT account_id, charge, CAST(sum(price) AS BIGINT)
FROM messages
WHERE charge > 0
GROUP BY account_id, charge
