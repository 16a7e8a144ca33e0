-- Whom we wrote to: the last message of an account to a person, from an address (the sender; '' is the default of
-- the instance) through an instance, and when it was handed over.
CREATE TABLE correspondence (
    person     TEXT COLLATE "C" NOT NULL,
    address    TEXT COLLATE "C" NOT NULL,
    account_id BIGINT NOT NULL,
    provider   TEXT COLLATE "C" NOT NULL,
    message_id BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (person, address, account_id, provider)
);

-- Messages that came in: the provider's own id ('' where it gave none), so that each is kept once; when the
-- provider got it; and how its account was found, a number of broker.domain.inbound.AssignedBy.
CREATE TABLE inbound_messages (
    message_id          BIGINT PRIMARY KEY,
    provider            TEXT COLLATE "C" NOT NULL,
    provider_message_id TEXT COLLATE "C" NOT NULL,
    received_at         BIGINT NOT NULL,
    assigned_by         BIGINT NOT NULL
);
CREATE UNIQUE INDEX inbound_messages_by_provider ON inbound_messages (provider, provider_message_id)
WHERE provider_message_id <> '';
