"""The embedded engine passes the suite of every engine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from broker.storage.migrate import load_migrations, migrate
from broker.storage.sqlite import SqliteEngine
from broker.storage.store import Store
from broker.testing.builders import NOW_US
from broker.testing.store_suite import StoreSuite


class TestSqliteStore(StoreSuite):
    """SQLite in a directory."""

    @asynccontextmanager
    async def open_store(self, place: Path, *, queued_calls_max: int = 10_000) -> AsyncIterator[Store]:
        """A store in the directory itself."""
        engine = SqliteEngine(place)
        connection = engine.connect()
        migrate(connection, load_migrations(), NOW_US)
        connection.close()
        store = Store(engine, queued_calls_max=queued_calls_max)
        try:
            yield store
        finally:
            await store.close()
