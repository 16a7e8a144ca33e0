-- The ring of remembered requests: four tables of one shape, so each has its own three statements.

-- name: find_request_ids
SELECT account_id, request_id, accepted_at, fingerprint, answer FROM request_ids_0
WHERE account_id IN (SELECT value FROM json_each(:account_ids))
  AND request_id IN (SELECT value FROM json_each(:request_ids))
UNION ALL
SELECT account_id, request_id, accepted_at, fingerprint, answer FROM request_ids_1
WHERE account_id IN (SELECT value FROM json_each(:account_ids))
  AND request_id IN (SELECT value FROM json_each(:request_ids))
UNION ALL
SELECT account_id, request_id, accepted_at, fingerprint, answer FROM request_ids_2
WHERE account_id IN (SELECT value FROM json_each(:account_ids))
  AND request_id IN (SELECT value FROM json_each(:request_ids))
UNION ALL
SELECT account_id, request_id, accepted_at, fingerprint, answer FROM request_ids_3
WHERE account_id IN (SELECT value FROM json_each(:account_ids))
  AND request_id IN (SELECT value FROM json_each(:request_ids))

-- name: remember_request_ids_0
INSERT OR REPLACE INTO request_ids_0 (account_id, request_id, accepted_at, fingerprint, answer) VALUES :rows

-- name: forget_request_ids_0
DELETE FROM request_ids_0

-- name: remember_request_ids_1
INSERT OR REPLACE INTO request_ids_1 (account_id, request_id, accepted_at, fingerprint, answer) VALUES :rows

-- name: forget_request_ids_1
DELETE FROM request_ids_1

-- name: remember_request_ids_2
INSERT OR REPLACE INTO request_ids_2 (account_id, request_id, accepted_at, fingerprint, answer) VALUES :rows

-- name: forget_request_ids_2
DELETE FROM request_ids_2

-- name: remember_request_ids_3
INSERT OR REPLACE INTO request_ids_3 (account_id, request_id, accepted_at, fingerprint, answer) VALUES :rows

-- name: forget_request_ids_3
DELETE FROM request_ids_3
