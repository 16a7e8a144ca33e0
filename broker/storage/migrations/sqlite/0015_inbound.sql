-- Whom we wrote to: the last message of an account to a person, from an address (the sender; '' is the default of
-- the instance) through an instance, and when it was handed over.
CREATE TABLE correspondence (
    person     TEXT NOT NULL,
    address    TEXT NOT NULL,
    account_id INTEGER NOT NULL,
    provider   TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (person, address, account_id, provider)
) STRICT, WITHOUT ROWID;

-- Messages that came in: the provider's own id ('' where it gave none), so that each is kept once; when the
-- provider got it; and how its account was found, a number of broker.domain.inbound.AssignedBy.
CREATE TABLE inbound_messages (
    message_id          INTEGER PRIMARY KEY,
    provider            TEXT NOT NULL,
    provider_message_id TEXT NOT NULL,
    received_at         INTEGER NOT NULL,
    assigned_by         INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX inbound_messages_by_provider ON inbound_messages (provider, provider_message_id)
WHERE provider_message_id <> '';
