-- A recipient's own values for the placeholders of what it is told, as JSON; only messages that have some.
CREATE TABLE message_tokens (
    message_id INTEGER PRIMARY KEY,
    tokens     TEXT NOT NULL
) STRICT;

-- Templates by name. `latest_version` is the newest of template_versions, which never change.
CREATE TABLE templates (
    template_id    INTEGER PRIMARY KEY,
    account_id     INTEGER NOT NULL,
    project        TEXT NOT NULL,
    name           TEXT NOT NULL,
    latest_version INTEGER NOT NULL,
    created_at     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX templates_by_name ON templates (account_id, project, name);

-- `document` is JSON: description, parameters, and what is said in each locale.
CREATE TABLE template_versions (
    template_id INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    document    TEXT NOT NULL,
    PRIMARY KEY (template_id, version)
) STRICT;
