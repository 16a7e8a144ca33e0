"""How the cases get their store, and what is checked once each of them is done."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio

from broker.storage.keeping import NewAccount, create_accounts
from broker.storage.store import Store
from broker.testing.builders import NOW_US
from broker.testing.store_suite.bench import ACCOUNTS, Bench
from broker.testing.store_suite.invariants import check_store


class OpenedStore:
    """What all cases stand on."""

    def open_store(
        self, place: Path, *, queued_calls_max: int = 10_000
    ) -> AbstractAsyncContextManager[Store]:
        """The store at `place`, made and migrated where there is none yet, and closed at the end.

        `place` is an empty directory of the test's own: an engine elsewhere takes its name from it.
        """
        raise NotImplementedError

    async def check_invariants(self, store: Store, accounts: Sequence[int] = ACCOUNTS) -> None:
        """Raise AssertionError where the store as a whole does not fit together."""
        await store.read(check_store, accounts)

    async def add_accounts(self, store: Store) -> None:
        """Give a new store the accounts of the suite."""
        items = [NewAccount(number, f"account {number}", NOW_US) for number in ACCOUNTS]
        await store.write(create_accounts, items, ACCOUNTS)

    @pytest_asyncio.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[Store]:
        """An empty store with the suite's accounts."""
        async with self.open_store(tmp_path) as store:
            await self.add_accounts(store)
            yield store
            await self.check_invariants(store)

    @pytest.fixture
    def bench(self, store: Store) -> Bench:
        """The store's verbs, at NOW_US."""
        return Bench(store)
