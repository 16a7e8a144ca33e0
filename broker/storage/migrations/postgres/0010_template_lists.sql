-- What lists of templates show of a version, so that they need not read all that it says.
ALTER TABLE template_versions ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE template_versions ADD COLUMN default_locale TEXT NOT NULL DEFAULT '';
