-- How each provider instance was doing: its circuit, and the outcomes of the last minute.
CREATE TABLE provider_health (
    provider   TEXT PRIMARY KEY,
    state      INTEGER NOT NULL,
    since      INTEGER NOT NULL,
    open_until INTEGER NOT NULL,
    openings   INTEGER NOT NULL,
    good       INTEGER NOT NULL,
    bad        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
