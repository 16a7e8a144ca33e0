# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of start and housekeeping: boots, ids, accounts and keys, and a store that is opened again."""

from pathlib import Path

from broker.domain.access import Principal, Role
from broker.storage.agenda import Work
from broker.storage.keeping import (
    Boot,
    NewKey,
    StoredKey,
    boot,
    create_keys,
    raise_id_ceiling,
    read_account_exists,
    read_due_counts,
    read_has_accounts,
    read_key,
)
from broker.storage.store import Store
from broker.testing.builders import DAY_US, NOW_US, phones
from broker.testing.store_suite.bench import Bench
from broker.testing.store_suite.opening import OpenedStore

NAME = b"8 bytes!"


class HousekeepingCases(OpenedStore):
    """The rest of the verbs."""

    async def test_each_start_is_counted(self, store: Store) -> None:
        """The number is the fence of what that process does."""
        boots = [(await store.write(boot, [NAME]))[0].boot for _ in range(3)]
        assert [1, 2, 3] == boots

    async def test_a_store_keeps_the_name_it_got_first(self, store: Store) -> None:
        """Cursors are bound to it."""
        await store.write(boot, [NAME])
        (again,) = await store.write(boot, [b"another!"])
        assert (NAME, 2) == (again.store_id, again.boot)

    async def test_the_ceiling_of_ids_only_rises(self, store: Store) -> None:
        """The highest of a batch counts, and a start finds it."""
        assert [30, 30] == await store.write(raise_id_ceiling, [10, 30])
        await store.write(boot, [NAME])
        await store.write(raise_id_ceiling, [10, 30])
        await store.write(raise_id_ceiling, [20])
        (found,) = await store.write(boot, [NAME])
        assert 30 == found.id_ceiling

    async def test_a_key_is_found_by_its_id(self, store: Store) -> None:
        """With whom it stands for, and when it ends."""
        items = [
            NewKey(7, 1, Role.SEND, "hash", NOW_US),
            NewKey(8, 2, Role.READ, "other", NOW_US, NOW_US + 5),
        ]
        await store.write(create_keys, items, [1, 2])
        assert StoredKey(Principal(7, 1, Role.SEND), "hash", None, None) == await store.read(read_key, 7)
        assert StoredKey(Principal(8, 2, Role.READ), "other", NOW_US + 5, None) == await store.read(
            read_key, 8
        )
        assert await store.read(read_key, 9) is None

    async def test_accounts_are_known_once_created(self, store: Store) -> None:
        """And no others."""
        assert [True, False] == [await store.read(read_account_exists, number) for number in (1, 99)]
        assert await store.read(read_has_accounts)

    async def test_a_new_store_has_no_accounts(self, tmp_path: Path) -> None:
        """Which is how the first start is known."""
        async with self.open_store(tmp_path) as store:
            assert not await store.read(read_has_accounts)

    async def test_what_is_due_is_counted_by_kind(self, bench: Bench) -> None:
        """For whoever watches the broker; with the time of the first dispatch."""
        await bench.sent("x")
        await bench.send(recipients=phones(3))
        await bench.claim(1)
        await bench.send(schedule_at_us=NOW_US + DAY_US)
        expected = {Work.RECEIPT: 1, Work.SUBMITTED: 1, Work.DISPATCH: 2, Work.WAITING: 1}, NOW_US
        assert expected == await bench.store.read(read_due_counts)

    async def test_a_closed_store_opens_with_all_it_had(self, tmp_path: Path) -> None:
        """Messages, events, what is due, the name and the ceiling."""
        async with self.open_store(tmp_path) as store:
            await self.add_accounts(store)
            bench = Bench(store)
            (message_id,) = await bench.send(recipients=phones(1), request_id="r1")
            await store.write(boot, [NAME])
            await store.write(raise_id_ceiling, [77])
            before = (await bench.message(message_id), await bench.due(message_id), await bench.events())
        async with self.open_store(tmp_path) as store:
            bench = Bench(store)
            after = (await bench.message(message_id), await bench.due(message_id), await bench.events())
            assert before == after
            (found,) = await store.write(boot, [NAME])
            assert Boot(NAME, 2, 77, newest_id=message_id) == found
            await self.check_invariants(store)
