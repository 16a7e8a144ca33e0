-- A recipient's own values for the placeholders of what it is told, as JSON; only messages that have some.
CREATE TABLE message_tokens (
    message_id BIGINT PRIMARY KEY,
    tokens     TEXT NOT NULL
);

-- Templates by name. `latest_version` is the newest of template_versions, which never change.
CREATE TABLE templates (
    template_id    BIGINT PRIMARY KEY,
    account_id     BIGINT NOT NULL,
    project        TEXT COLLATE "C" NOT NULL,
    name           TEXT COLLATE "C" NOT NULL,
    latest_version BIGINT NOT NULL,
    created_at     BIGINT NOT NULL
);
CREATE UNIQUE INDEX templates_by_name ON templates (account_id, project, name);

-- `document` is JSON: description, parameters, and what is said in each locale.
CREATE TABLE template_versions (
    template_id BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    document    TEXT NOT NULL,
    PRIMARY KEY (template_id, version)
);
