-- Events that are about something else than a message's state: a reply, a wish, a click, a broadcast, a balance.
-- `kind` is a number of broker.domain.vocabulary.EventKind; `told` is what such an event says, as JSON. Its
-- message_id is the message that it came of, 0: none; its previous_sequence is -1, as it is in no message's chain.
ALTER TABLE events ADD COLUMN kind INTEGER NOT NULL DEFAULT 1;
ALTER TABLE events ADD COLUMN told TEXT;
