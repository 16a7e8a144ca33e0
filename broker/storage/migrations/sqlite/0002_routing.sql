-- The instances that may carry a message, in the order to try them, separated by commas; what it counts for
-- against a rate; and how many of its attempts a process did not survive.
ALTER TABLE due ADD COLUMN candidates TEXT NOT NULL DEFAULT '';
ALTER TABLE due ADD COLUMN units INTEGER NOT NULL DEFAULT 1;
ALTER TABLE due ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;

-- Which version of the routes a message was planned with; 0: the order of the settings.
ALTER TABLE messages ADD COLUMN route_version INTEGER NOT NULL DEFAULT 0;
