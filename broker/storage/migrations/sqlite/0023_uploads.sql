-- Files of recipients. Their rows are audience_rows under the upload's id. `state` is a number of
-- broker.storage.uploads.UploadState, `columns` is JSON: the names of what its rows fill.
CREATE TABLE uploads (
    upload_id  INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    state      INTEGER NOT NULL,
    rows       INTEGER NOT NULL,
    refused    INTEGER NOT NULL,
    columns    TEXT NOT NULL
) STRICT;
CREATE INDEX uploads_unusable ON uploads (upload_id) WHERE state <> 2;

-- Lines that became no row, and why.
CREATE TABLE refused_rows (
    upload_id INTEGER NOT NULL,
    line      INTEGER NOT NULL,
    problem   TEXT NOT NULL,
    PRIMARY KEY (upload_id, line)
) STRICT, WITHOUT ROWID;
