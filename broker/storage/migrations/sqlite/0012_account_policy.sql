-- What an account decided about its own messages: broker.domain.account_policy as JSON, defaults left out.
ALTER TABLE accounts ADD COLUMN policy TEXT NOT NULL DEFAULT '{}';
