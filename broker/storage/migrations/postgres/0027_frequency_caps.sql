-- When the promotional messages of a contact are due that count for its account's frequency cap: a JSON array of
-- microseconds, in rising order. From `forget_at` on none of them matters.
CREATE TABLE contact_promotions (
    account_id BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    dues       TEXT NOT NULL,
    forget_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, contact_id)
);
CREATE INDEX contact_promotions_by_end ON contact_promotions (forget_at);
