-- name: directory_sizes
SELECT account_id, contacts, groups
FROM directories
WHERE account_id IN (SELECT value FROM json_each(:account_ids))

-- name: grow_directories
INSERT INTO directories (account_id, contacts, groups, newest_id) VALUES :rows
ON CONFLICT (account_id) DO UPDATE
SET contacts = directories.contacts + excluded.contacts,
    groups = directories.groups + excluded.groups,
    newest_id = CASE WHEN excluded.newest_id > directories.newest_id
                THEN excluded.newest_id ELSE directories.newest_id END

-- name: contacts_by_id
SELECT contact_id, account_id, version, created_at, updated_at, card
FROM contacts
WHERE contact_id IN (SELECT value FROM json_each(:contact_ids))

-- name: delegates_of_contacts
SELECT contact_id, delegate_id, relation, priority
FROM contact_delegates
WHERE contact_id IN (SELECT value FROM json_each(:contact_ids))
ORDER BY contact_id, position

-- name: count_delegators
SELECT delegate_id, count(*)
FROM contact_delegates
WHERE delegate_id IN (SELECT value FROM json_each(:contact_ids))
GROUP BY delegate_id

-- name: find_external_ids
SELECT e.account_id, e.external_id, e.contact_id
FROM json_each(:wanted)
CROSS JOIN contact_external_ids e
    ON e.account_id = json_each.value ->> 0 AND e.external_id = json_each.value ->> 1

-- name: insert_contacts
INSERT INTO contacts (contact_id, account_id, version, created_at, updated_at, card) VALUES :rows

-- name: update_contacts
WITH changed (contact_id, version, updated_at, card) AS (VALUES :rows)
UPDATE contacts
SET version = changed.version, updated_at = changed.updated_at, card = changed.card
FROM changed
WHERE contacts.contact_id = changed.contact_id

-- name: delete_contacts
DELETE FROM contacts WHERE contact_id IN (VALUES :rows)

-- name: insert_external_ids
INSERT INTO contact_external_ids (account_id, external_id, contact_id) VALUES :rows

-- name: delete_external_ids
DELETE FROM contact_external_ids WHERE (account_id, external_id, contact_id) IN (VALUES :rows)

-- name: insert_addresses
INSERT INTO contact_addresses (account_id, address, contact_id) VALUES :rows

-- name: delete_addresses
DELETE FROM contact_addresses WHERE (account_id, address, contact_id) IN (VALUES :rows)

-- name: insert_names
INSERT INTO contact_names (account_id, name, contact_id, previous) VALUES :rows

-- name: delete_names
DELETE FROM contact_names WHERE (account_id, name, contact_id, previous) IN (VALUES :rows)

-- name: insert_delegates
INSERT INTO contact_delegates (account_id, contact_id, delegate_id, position, relation, priority)
VALUES :rows

-- name: delete_delegates_of
DELETE FROM contact_delegates WHERE contact_id IN (VALUES :rows)

-- name: delete_delegates_by
DELETE FROM contact_delegates WHERE delegate_id IN (VALUES :rows)

-- name: contacts_of_account
SELECT contact_id, ''
FROM contacts
WHERE account_id = :account_id AND contact_id > :after_id
ORDER BY contact_id
LIMIT :rows_max

-- name: contacts_by_external_id
SELECT contact_id, ''
FROM contact_external_ids
WHERE account_id = :account_id AND external_id = :external_id AND contact_id > :after_id
LIMIT :rows_max

-- name: contacts_by_address
SELECT contact_id, ''
FROM contact_addresses
WHERE account_id = :account_id AND address = :address AND contact_id > :after_id
ORDER BY contact_id
LIMIT :rows_max

-- name: contacts_by_group
SELECT contact_id, ''
FROM group_members
WHERE account_id = :account_id AND group_id = :group_id AND contact_id > :after_id
ORDER BY contact_id
LIMIT :rows_max

-- name: contacts_by_name
SELECT contact_id, name
FROM contact_names
WHERE account_id = :account_id AND (name, contact_id) > (:after_name, :after_id) AND name < :name_end
  AND previous < :name_start
ORDER BY name, contact_id
LIMIT :rows_max

-- name: groups_by_id
SELECT group_id, account_id, version, created_at, updated_at, name, description, member_count
FROM contact_groups
WHERE group_id IN (SELECT value FROM json_each(:group_ids)) AND deleted = 0

-- name: group_by_name
SELECT group_id FROM contact_groups WHERE account_id = :account_id AND name_key = :name_key AND deleted = 0

-- name: insert_group
INSERT INTO contact_groups (
    group_id, account_id, version, created_at, updated_at, name, name_key, description, member_count, deleted
) VALUES (:group_id, :account_id, 1, :now, :now, :name, :name_key, :description, 0, 0)

-- name: update_group
UPDATE contact_groups
SET version = :version, updated_at = :now, name = :name, name_key = :name_key, description = :description
WHERE group_id = :group_id

-- name: mark_group_deleted
UPDATE contact_groups SET deleted = 1 WHERE group_id = :group_id

-- name: deleted_group
SELECT group_id FROM contact_groups WHERE deleted = 1 LIMIT 1

-- name: delete_group
DELETE FROM contact_groups WHERE group_id = :group_id

-- name: sweep_members
DELETE FROM group_members
WHERE group_id = :group_id AND contact_id IN (
    SELECT contact_id FROM group_members WHERE group_id = :group_id ORDER BY contact_id LIMIT :rows_max
)
RETURNING 1

-- name: groups_of_account
SELECT group_id, account_id, version, created_at, updated_at, name, description, member_count
FROM contact_groups
WHERE account_id = :account_id AND deleted = 0 AND group_id > :after_id
ORDER BY group_id
LIMIT :rows_max

-- name: groups_by_name
SELECT group_id, account_id, version, created_at, updated_at, name, description, member_count
FROM contact_groups
WHERE account_id = :account_id AND deleted = 0 AND name_key > :after_name
  AND name_key >= :name_start AND name_key < :name_end
ORDER BY name_key
LIMIT :rows_max

-- name: groups_by_contact
SELECT g.group_id, g.account_id, g.version, g.created_at, g.updated_at, g.name, g.description,
       g.member_count
FROM group_members m
JOIN contact_groups g ON g.group_id = m.group_id AND g.deleted = 0
WHERE m.account_id = :account_id AND m.contact_id = :contact_id AND m.group_id > :after_id
ORDER BY m.group_id
LIMIT :rows_max

-- name: members_among
SELECT contact_id
FROM group_members
WHERE group_id = :group_id AND contact_id IN (SELECT value FROM json_each(:contact_ids))

-- name: count_groups_of_contacts
SELECT contact_id, count(*)
FROM group_members
WHERE contact_id IN (SELECT value FROM json_each(:contact_ids))
GROUP BY contact_id

-- name: count_contacts_in_groups
SELECT group_id, count(*)
FROM group_members
WHERE contact_id IN (SELECT value FROM json_each(:contact_ids))
GROUP BY group_id

-- name: insert_members
INSERT INTO group_members (account_id, group_id, contact_id) VALUES :rows

-- name: delete_members
DELETE FROM group_members WHERE (group_id, contact_id) IN (VALUES :rows)

-- name: delete_memberships
DELETE FROM group_members WHERE contact_id IN (VALUES :rows)

-- name: resize_groups
WITH changed (group_id, member_count) AS (VALUES :rows)
UPDATE contact_groups
SET member_count = contact_groups.member_count + changed.member_count
FROM changed
WHERE contact_groups.group_id = changed.group_id
