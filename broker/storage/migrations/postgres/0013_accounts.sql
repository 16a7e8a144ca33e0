-- Accounts form trees. `path` has every account from the top of the tree down, 16 hexadecimal digits each;
-- `profile` is JSON; `email_key` is what tells two emails apart.
ALTER TABLE accounts ADD COLUMN path TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';
ALTER TABLE accounts ADD COLUMN email_key TEXT;
ALTER TABLE accounts ADD COLUMN api_access BIGINT NOT NULL DEFAULT 1;
ALTER TABLE accounts ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
UPDATE accounts SET path = lpad(to_hex(account_id), 16, '0');
CREATE UNIQUE INDEX accounts_by_path ON accounts (path);
CREATE UNIQUE INDEX accounts_by_email ON accounts (email_key);
