-- How each provider instance was doing: its circuit, and the outcomes of the last minute.
CREATE TABLE provider_health (
    provider   TEXT PRIMARY KEY,
    state      BIGINT NOT NULL,
    since      BIGINT NOT NULL,
    open_until BIGINT NOT NULL,
    openings   BIGINT NOT NULL,
    good       BIGINT NOT NULL,
    bad        BIGINT NOT NULL
);
