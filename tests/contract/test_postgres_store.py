"""PostgreSQL passes the suite of every engine, against a real server."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from broker.storage.migrate import load_migrations, migrate
from broker.storage.postgres import PostgresEngine
from broker.storage.store import Store
from broker.testing.builders import NOW_US
from broker.testing.postgres_server import PostgresServer
from broker.testing.store_suite import StoreSuite


class TestPostgresStore(StoreSuite):
    """PostgreSQL in a schema for each store."""

    @pytest.fixture(autouse=True)
    def _server(self, postgres: PostgresServer) -> None:
        self.server = postgres

    @asynccontextmanager
    async def open_store(self, place: Path, *, queued_calls_max: int = 10_000) -> AsyncIterator[Store]:
        """A store in the schema that is named for the directory."""
        name = "s_" + hashlib.sha256(str(place).encode()).hexdigest()[:16]
        engine = PostgresEngine(self.server.url(name))
        connection = engine.connect()
        migrate(connection, load_migrations(engine.dialect), NOW_US)
        connection.close()
        store = Store(engine, queued_calls_max=queued_calls_max)
        try:
            yield store
        finally:
            await store.close()
