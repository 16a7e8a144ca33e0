-- name: insert_templates
INSERT INTO templates (template_id, account_id, project, name, latest_version, created_at) VALUES :rows

-- name: insert_template_versions
INSERT INTO template_versions (
    template_id, version, created_at, description, default_locale, document
) VALUES :rows

-- name: template_by_name
SELECT template_id, latest_version, created_at
FROM templates
WHERE account_id = :account_id AND project = :project AND name = :name

-- name: template_version
SELECT created_at, description, default_locale, document
FROM template_versions
WHERE template_id = :template_id AND version = :version

-- name: set_latest_version
UPDATE templates SET latest_version = :version WHERE template_id = :template_id

-- name: count_templates
SELECT count(*) FROM templates WHERE account_id = :account_id

-- name: delete_template
DELETE FROM templates WHERE template_id = :template_id

-- name: delete_template_versions
DELETE FROM template_versions WHERE template_id = :template_id

-- name: templates_page
SELECT t.template_id, t.project, t.name, t.latest_version, t.created_at, v.created_at, v.description,
       v.default_locale
FROM templates t
JOIN template_versions v ON v.template_id = t.template_id AND v.version = t.latest_version
WHERE t.account_id = :account_id AND (t.project, t.name) > (:project, :name)
ORDER BY t.project, t.name
LIMIT :rows_max

-- name: templates_of_project
SELECT t.template_id, t.project, t.name, t.latest_version, t.created_at, v.created_at, v.description,
       v.default_locale
FROM templates t
JOIN template_versions v ON v.template_id = t.template_id AND v.version = t.latest_version
WHERE t.account_id = :account_id AND t.project = :project AND t.name > :name
ORDER BY t.name
LIMIT :rows_max
