"""A real store in a temporary directory, a clock that the test sets, and a provider that it scripts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from broker.storage.keeping import NewAccount, create_accounts
from broker.storage.migrate import load_migrations, migrate
from broker.storage.sqlite import SqliteEngine
from broker.storage.store import Store
from broker.testing.builders import NOW_US, ManualClock
from broker.testing.scripted_provider import ScriptedProvider
from broker.testing.store_suite import ACCOUNTS, Bench
from broker.testing.store_suite.invariants import check_store
from tests.unit.delivery.broadcast_desk import desk, new_desk, templates

__all__ = ["desk", "new_desk", "templates"]

Until = Callable[[Callable[[], Any]], Any]
Running = Callable[..., AbstractAsyncContextManager[Any]]


@pytest.fixture
def clock() -> ManualClock:
    """It stands still until the test lets time pass."""
    return ManualClock()


@pytest.fixture
def provider() -> ScriptedProvider:
    """It can be asked, and gives receipts."""
    return ScriptedProvider(query=True)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A SQLite store with a few accounts; whole at the end of every test, but for the last one's log."""
    engine = SqliteEngine(tmp_path)
    connection = engine.connect()
    migrate(connection, load_migrations(), NOW_US)
    connection.close()
    store = Store(engine)
    await store.write(create_accounts, [NewAccount(each, "test", NOW_US) for each in ACCOUNTS], ACCOUNTS)
    yield store
    await store.read(check_store, ACCOUNTS[:-1])
    await store.close()


@pytest.fixture
def bench(store: Store, clock: ManualClock) -> Bench:
    """The store's verbs, at the time when the test begins."""
    return Bench(store, now_us=clock.now_us())


@pytest.fixture
def until() -> Until:
    """Wait, in steps of a few milliseconds, until something is so; fails after some seconds."""

    async def wait(condition: Callable[[], Any]) -> Any:
        async with asyncio.timeout(10):
            while True:
                found = condition()
                if asyncio.iscoroutine(found):
                    found = await found
                if found:
                    return found
                await asyncio.sleep(0.002)

    return wait


@pytest.fixture
def running() -> Running:
    """Run a job beside the block, and cancel it at its end; its failure is the test's."""

    @asynccontextmanager
    async def run(job: Any) -> AsyncIterator["asyncio.Task[None]"]:
        task = asyncio.ensure_future(job)
        try:
            yield task
        finally:
            if task.done() and not task.cancelled():
                task.result()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return run
