-- The directory. What is compared by ranges is so by code points: name_prefix is a range of names.

-- How much an account has in its directory. `newest_id` is the highest id that was given in it.
CREATE TABLE directories (
    account_id BIGINT PRIMARY KEY,
    contacts   BIGINT NOT NULL,
    groups     BIGINT NOT NULL,
    newest_id  BIGINT NOT NULL
) WITH (fillfactor = 50);

-- `card` is JSON; the tables below hold what of it is looked up.
CREATE TABLE contacts (
    contact_id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    card       TEXT NOT NULL
);
CREATE INDEX contacts_by_account ON contacts (account_id, contact_id);

CREATE TABLE contact_external_ids (
    account_id  BIGINT NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    contact_id  BIGINT NOT NULL,
    PRIMARY KEY (account_id, external_id)
);

-- Phone numbers and mailboxes, in lower case.
CREATE TABLE contact_addresses (
    account_id BIGINT NOT NULL,
    address    TEXT COLLATE "C" NOT NULL,
    contact_id BIGINT NOT NULL,
    PRIMARY KEY (account_id, address, contact_id)
);

-- Folded names. `previous` is the contact's name before this one in the same order, '' for its first: of a
-- range of names, the one whose previous is not in the range stands for the contact.
CREATE TABLE contact_names (
    account_id BIGINT NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    contact_id BIGINT NOT NULL,
    previous   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, name, contact_id)
);

CREATE TABLE contact_delegates (
    account_id  BIGINT NOT NULL,
    contact_id  BIGINT NOT NULL,
    delegate_id BIGINT NOT NULL,
    position    BIGINT NOT NULL,
    relation    TEXT NOT NULL,
    priority    BIGINT NOT NULL,
    PRIMARY KEY (contact_id, delegate_id)
);
CREATE INDEX contact_delegates_by_delegate ON contact_delegates (delegate_id);

-- `name_key` is the folded name. A deleted group is seen by nobody and keeps its members until they are swept.
CREATE TABLE contact_groups (
    group_id     BIGINT PRIMARY KEY,
    account_id   BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    name         TEXT NOT NULL,
    name_key     TEXT COLLATE "C" NOT NULL,
    description  TEXT NOT NULL,
    member_count BIGINT NOT NULL,
    deleted      BIGINT NOT NULL
);
CREATE UNIQUE INDEX contact_groups_by_name ON contact_groups (account_id, name_key) WHERE deleted = 0;
CREATE INDEX contact_groups_by_account ON contact_groups (account_id, group_id) WHERE deleted = 0;
CREATE INDEX contact_groups_deleted ON contact_groups (group_id) WHERE deleted = 1;

CREATE TABLE group_members (
    account_id BIGINT NOT NULL,
    group_id   BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    PRIMARY KEY (group_id, contact_id)
);
CREATE INDEX group_members_by_contact ON group_members (contact_id, group_id);

-- The directory contact that a message goes to.
ALTER TABLE messages ADD COLUMN contact_id BIGINT;
CREATE INDEX messages_by_contact ON messages (contact_id, message_id) WHERE contact_id IS NOT NULL;
