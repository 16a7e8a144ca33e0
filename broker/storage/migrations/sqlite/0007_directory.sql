-- The directory. What is compared by ranges is so by code points: name_prefix is a range of names.

-- How much an account has in its directory. `newest_id` is the highest id that was given in it.
CREATE TABLE directories (
    account_id INTEGER PRIMARY KEY,
    contacts   INTEGER NOT NULL,
    groups     INTEGER NOT NULL,
    newest_id  INTEGER NOT NULL
) STRICT;

-- `card` is JSON; the tables below hold what of it is looked up.
CREATE TABLE contacts (
    contact_id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    card       TEXT NOT NULL
) STRICT;
CREATE INDEX contacts_by_account ON contacts (account_id, contact_id);

CREATE TABLE contact_external_ids (
    account_id  INTEGER NOT NULL,
    external_id TEXT NOT NULL,
    contact_id  INTEGER NOT NULL,
    PRIMARY KEY (account_id, external_id)
) STRICT, WITHOUT ROWID;

-- Phone numbers and mailboxes, in lower case.
CREATE TABLE contact_addresses (
    account_id INTEGER NOT NULL,
    address    TEXT NOT NULL,
    contact_id INTEGER NOT NULL,
    PRIMARY KEY (account_id, address, contact_id)
) STRICT, WITHOUT ROWID;

-- Folded names. `previous` is the contact's name before this one in the same order, '' for its first: of a
-- range of names, the one whose previous is not in the range stands for the contact.
CREATE TABLE contact_names (
    account_id INTEGER NOT NULL,
    name       TEXT NOT NULL,
    contact_id INTEGER NOT NULL,
    previous   TEXT NOT NULL,
    PRIMARY KEY (account_id, name, contact_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE contact_delegates (
    account_id  INTEGER NOT NULL,
    contact_id  INTEGER NOT NULL,
    delegate_id INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    relation    TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    PRIMARY KEY (contact_id, delegate_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_delegates_by_delegate ON contact_delegates (delegate_id);

-- `name_key` is the folded name. A deleted group is seen by nobody and keeps its members until they are swept.
CREATE TABLE contact_groups (
    group_id     INTEGER PRIMARY KEY,
    account_id   INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    name         TEXT NOT NULL,
    name_key     TEXT NOT NULL,
    description  TEXT NOT NULL,
    member_count INTEGER NOT NULL,
    deleted      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX contact_groups_by_name ON contact_groups (account_id, name_key) WHERE deleted = 0;
CREATE INDEX contact_groups_by_account ON contact_groups (account_id, group_id) WHERE deleted = 0;
CREATE INDEX contact_groups_deleted ON contact_groups (group_id) WHERE deleted = 1;

CREATE TABLE group_members (
    account_id INTEGER NOT NULL,
    group_id   INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    PRIMARY KEY (group_id, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_members_by_contact ON group_members (contact_id, group_id);

-- The directory contact that a message goes to.
ALTER TABLE messages ADD COLUMN contact_id INTEGER;
CREATE INDEX messages_by_contact ON messages (contact_id, message_id) WHERE contact_id IS NOT NULL;
