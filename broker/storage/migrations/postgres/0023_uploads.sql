-- Files of recipients. Their rows are audience_rows under the upload's id. `state` is a number of
-- broker.storage.uploads.UploadState, `columns` is JSON: the names of what its rows fill.
CREATE TABLE uploads (
    upload_id  BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    state      BIGINT NOT NULL,
    rows       BIGINT NOT NULL,
    refused    BIGINT NOT NULL,
    columns    TEXT NOT NULL
);
CREATE INDEX uploads_unusable ON uploads (upload_id) WHERE state <> 2;

-- Lines that became no row, and why.
CREATE TABLE refused_rows (
    upload_id BIGINT NOT NULL,
    line      BIGINT NOT NULL,
    problem   TEXT NOT NULL,
    PRIMARY KEY (upload_id, line)
);
