-- The ring of remembered requests: four tables of one shape, so each has its own three statements.

-- name: find_request_ids
SELECT r.account_id, r.request_id, r.accepted_at, r.fingerprint, r.answer
FROM json_each(:wanted)
CROSS JOIN request_ids_0 r ON r.account_id = json_each.value ->> 0 AND r.request_id = json_each.value ->> 1
UNION ALL
SELECT r.account_id, r.request_id, r.accepted_at, r.fingerprint, r.answer
FROM json_each(:wanted)
CROSS JOIN request_ids_1 r ON r.account_id = json_each.value ->> 0 AND r.request_id = json_each.value ->> 1
UNION ALL
SELECT r.account_id, r.request_id, r.accepted_at, r.fingerprint, r.answer
FROM json_each(:wanted)
CROSS JOIN request_ids_2 r ON r.account_id = json_each.value ->> 0 AND r.request_id = json_each.value ->> 1
UNION ALL
SELECT r.account_id, r.request_id, r.accepted_at, r.fingerprint, r.answer
FROM json_each(:wanted)
CROSS JOIN request_ids_3 r ON r.account_id = json_each.value ->> 0 AND r.request_id = json_each.value ->> 1

-- name: remember_request_ids_0
INSERT INTO request_ids_0 (account_id, request_id, accepted_at, fingerprint, answer) VALUES :rows
ON CONFLICT (account_id, request_id) DO UPDATE
SET accepted_at = excluded.accepted_at, fingerprint = excluded.fingerprint, answer = excluded.answer

-- name: forget_request_ids_0
DELETE FROM request_ids_0

-- name: remember_request_ids_1
INSERT INTO request_ids_1 (account_id, request_id, accepted_at, fingerprint, answer) VALUES :rows
ON CONFLICT (account_id, request_id) DO UPDATE
SET accepted_at = excluded.accepted_at, fingerprint = excluded.fingerprint, answer = excluded.answer

-- name: forget_request_ids_1
DELETE FROM request_ids_1

-- name: remember_request_ids_2
INSERT INTO request_ids_2 (account_id, request_id, accepted_at, fingerprint, answer) VALUES :rows
ON CONFLICT (account_id, request_id) DO UPDATE
SET accepted_at = excluded.accepted_at, fingerprint = excluded.fingerprint, answer = excluded.answer

-- name: forget_request_ids_2
DELETE FROM request_ids_2

-- name: remember_request_ids_3
INSERT INTO request_ids_3 (account_id, request_id, accepted_at, fingerprint, answer) VALUES :rows
ON CONFLICT (account_id, request_id) DO UPDATE
SET accepted_at = excluded.accepted_at, fingerprint = excluded.fingerprint, answer = excluded.answer

-- name: forget_request_ids_3
DELETE FROM request_ids_3
