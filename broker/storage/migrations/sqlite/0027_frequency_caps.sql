-- When the promotional messages of a contact are due that count for its account's frequency cap: a JSON array of
-- microseconds, in rising order. From `forget_at` on none of them matters.
CREATE TABLE contact_promotions (
    account_id INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    dues       TEXT NOT NULL,
    forget_at  INTEGER NOT NULL,
    PRIMARY KEY (account_id, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_promotions_by_end ON contact_promotions (forget_at);
