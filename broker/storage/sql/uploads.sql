-- Files of recipients.

-- name: insert_uploads
INSERT INTO uploads (upload_id, account_id, created_at, state, rows, refused, columns) VALUES :rows

-- name: upload_by_id
SELECT upload_id, account_id, created_at, state, rows, refused, columns
FROM uploads
WHERE upload_id = :upload_id

-- name: finish_uploads
WITH changed (upload_id, state, rows, refused) AS (VALUES :rows)
UPDATE uploads SET state = changed.state, rows = changed.rows, refused = changed.refused
FROM changed
WHERE uploads.upload_id = changed.upload_id

-- name: insert_refused_rows
INSERT INTO refused_rows (upload_id, line, problem) VALUES :rows

-- name: refused_rows_after
SELECT line, problem FROM refused_rows
WHERE upload_id = :upload_id AND line > :after
ORDER BY line
LIMIT :rows_max

-- name: abandoned_uploads
-- Those that were being received by a process that is gone.
SELECT upload_id FROM uploads WHERE state <> 2 AND state = 1 AND upload_id < :before ORDER BY upload_id LIMIT 1

-- name: retirable_uploads
-- Those that were being removed, then old ones that nothing is to be sent to any more.
SELECT account_id, upload_id FROM uploads
WHERE state = 4
   OR (state IN (2, 3) AND created_at < :before AND NOT EXISTS (
       SELECT 1 FROM broadcasts b WHERE b.upload_id = uploads.upload_id AND b.state IN (1, 2, 3, 4)))
ORDER BY state DESC, upload_id
LIMIT 1

-- name: retire_upload
UPDATE uploads SET state = 4
WHERE upload_id = :upload_id AND state <> 1 AND NOT EXISTS (
    SELECT 1 FROM broadcasts b WHERE b.upload_id = :upload_id AND b.state IN (1, 2, 3, 4))
RETURNING 1

-- name: sweep_refused_rows
DELETE FROM refused_rows
WHERE upload_id = :upload_id AND line IN (
    SELECT line FROM refused_rows WHERE upload_id = :upload_id ORDER BY line LIMIT :rows_max
)
RETURNING 1

-- name: delete_upload
DELETE FROM uploads WHERE upload_id = :upload_id
