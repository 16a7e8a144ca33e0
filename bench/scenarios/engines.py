"""Durable Sends and frames on PostgreSQL, against the same on SQLite; only with `--store URL`."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import psycopg
from psycopg import sql

from bench.measure import Line, Run, interleave
from bench.stage import PAUSED, Stage


async def measure(stage: Stage) -> Sequence[Line]:
    """Calls and messages a second."""
    seconds = stage.scale.seconds
    async with (
        _schema(stage.store_url) as url,
        stage.broker(stage.new_data_dir()) as sqlite,
        stage.broker(stage.new_data_dir(), {**PAUSED, "WAYPOST_STORE__URL": url}) as postgres,
    ):

        async def sends_on_sqlite(share: float) -> Run:
            return (await stage.calls(sqlite, seconds * share))[0]

        async def sends_on_postgres(share: float) -> Run:
            return (await stage.calls(postgres, seconds * share))[0]

        async def frames_on_sqlite(share: float) -> Run:
            return (await stage.frames(sqlite, seconds * share))[0]

        async def frames_on_postgres(share: float) -> Run:
            return (await stage.frames(postgres, seconds * share))[0]

        sends = await interleave(stage.scale.rounds, sends_on_sqlite, sends_on_postgres)
        frames = await interleave(stage.scale.rounds, frames_on_sqlite, frames_on_postgres)
    return [
        Line("postgresql", "Send on PostgreSQL, 64 at a time", "calls/s", sends[1], "SQLite", sends[0]),
        Line("postgresql", "SendStream on PostgreSQL", "messages/s", frames[1], "SQLite", frames[0]),
    ]


@asynccontextmanager
async def _schema(url: str) -> AsyncIterator[str]:
    """A schema of this run's own, which goes with it."""
    name = f"waypost_bench_{secrets.token_hex(4)}"
    schema = sql.Identifier(name)
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
        try:
            yield f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{name}"
        finally:
            admin.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(schema))
