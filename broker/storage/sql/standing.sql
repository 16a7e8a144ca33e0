-- name: record_health
INSERT INTO provider_health (provider, state, since, open_until, openings, good, bad)
VALUES :rows
ON CONFLICT (provider) DO UPDATE
SET state = excluded.state, since = excluded.since, open_until = excluded.open_until,
    openings = excluded.openings, good = excluded.good, bad = excluded.bad

-- name: read_health
SELECT provider, state, since, open_until, openings, good, bad FROM provider_health
