-- What a key is for, and how many calls it may make in a second (0: no limit of its own). `pepper_mark` tells
-- whether a broker has the secret that the hashes of keys are made with.
ALTER TABLE api_keys ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN calls_per_second BIGINT NOT NULL DEFAULT 0;
CREATE INDEX api_keys_by_account ON api_keys (account_id, key_id);
ALTER TABLE store ADD COLUMN pepper_mark TEXT NOT NULL DEFAULT '';
