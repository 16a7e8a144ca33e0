-- What an account paid for renting a keyword, in micros; NULL: nothing.
ALTER TABLE keywords ADD COLUMN paid BIGINT;
ALTER TABLE keywords ADD COLUMN currency TEXT;
