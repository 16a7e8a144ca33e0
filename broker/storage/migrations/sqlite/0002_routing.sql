-- The instances that may carry a message, in the order to try them, separated by commas; what it counts for
-- against a rate; how many of its attempts a process did not survive; how often it went from one provider to
-- another; and how often all of them have failed.
ALTER TABLE due ADD COLUMN candidates TEXT NOT NULL DEFAULT '';
ALTER TABLE due ADD COLUMN units INTEGER NOT NULL DEFAULT 1;
ALTER TABLE due ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE due ADD COLUMN hops INTEGER NOT NULL DEFAULT 0;
ALTER TABLE due ADD COLUMN rounds INTEGER NOT NULL DEFAULT 0;

-- What waits for its time is apart from what waits for its provider: there every row is due, so that a provider's
-- lane can be walked by priority and account. What waits there can expire.
UPDATE due SET work = 0 WHERE work = 1;
DROP INDEX due_dispatch;
CREATE INDEX due_waiting ON due (at) WHERE work = 0;
CREATE INDEX due_lane ON due (provider, priority, account_id, at) WHERE work = 1;
CREATE INDEX due_expiry ON due (expire_at) WHERE work = 1;

-- Which version of the routes a message was planned with; 0: the order of the settings.
ALTER TABLE messages ADD COLUMN route_version INTEGER NOT NULL DEFAULT 0;

-- The instance that gets the next attempt.
ALTER TABLE events ADD COLUMN next_provider TEXT;
