-- What recipients said of senders, for ever. `act`, `scope` and `source` are numbers of broker.domain.consent;
-- `told_by` is the id of a key or a provider instance; message_id 0: none.
CREATE TABLE consent_records (
    record_id         INTEGER PRIMARY KEY,
    account_id        INTEGER NOT NULL,
    sender            TEXT NOT NULL,
    recipient         TEXT NOT NULL,
    act               INTEGER NOT NULL,
    scope             INTEGER NOT NULL,
    source            INTEGER NOT NULL,
    at                INTEGER NOT NULL,
    keyword           TEXT NOT NULL,
    evidence          TEXT NOT NULL,
    told_by           TEXT NOT NULL,
    message_id        INTEGER NOT NULL,
    provider_code     TEXT NOT NULL,
    organisation_name TEXT NOT NULL,
    recipient_name    TEXT NOT NULL
) STRICT;
CREATE INDEX consent_records_by_recipient ON consent_records (account_id, recipient, record_id);

-- What that adds up to (broker.domain.consent.fold). `sender` is the sender's key, '' for every sender of the account;
-- account_id 0 is a wish about a sender whichever account uses it.
CREATE TABLE consent_states (
    account_id        INTEGER NOT NULL,
    recipient         TEXT NOT NULL,
    sender            TEXT NOT NULL,
    state             INTEGER NOT NULL,
    since             INTEGER NOT NULL,
    written_sender    TEXT NOT NULL,
    organisation_name TEXT NOT NULL,
    recipient_name    TEXT NOT NULL,
    PRIMARY KEY (account_id, recipient, sender)
) STRICT, WITHOUT ROWID;

-- Looked into for every message, so it holds only what may refuse one.
CREATE INDEX consent_states_opted_out ON consent_states (recipient) WHERE state IN (2, 3);
