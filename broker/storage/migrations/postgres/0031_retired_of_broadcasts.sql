-- How many of a broadcast's messages retention has removed. What they share goes after the last of them.
ALTER TABLE broadcast_counts ADD COLUMN retired BIGINT NOT NULL DEFAULT 0;
