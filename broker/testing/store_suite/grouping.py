# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of `Store` itself: shared commits, failures within them, callers who leave, limits, closing."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from broker.domain.account import place_of
from broker.domain.lifecycle import State
from broker.errors import BrokerError, ErrorReason
from broker.storage.acceptance import Acceptance, accept
from broker.storage.history import read_log_bounds
from broker.storage.keeping import read_account_exists
from broker.storage.store import Commit, Store
from broker.storage.transaction import Transaction
from broker.testing.builders import NOW_US, acceptance, submission
from broker.testing.store_suite.bench import Bench
from broker.testing.store_suite.opening import OpenedStore


class PoisonError(Exception):
    """What a failing verb of these cases raises."""


def write_and_fail(tx: Transaction, items: list[int]) -> list[None]:
    """Create accounts, and then fail: nothing of it may stay."""
    tx.bulk("insert_accounts", [(item, "poisoned", NOW_US, 0, place_of(item)) for item in items])
    raise PoisonError


def answer_too_little(tx: Transaction, items: list[int]) -> list[int]:
    """Break the contract of verbs: one answer for each item."""
    tx.bulk("insert_accounts", [(item, "poisoned", NOW_US, 0, place_of(item)) for item in items])
    return items[1:]


def create(tx: Transaction, items: list[int]) -> list[int]:
    """Create accounts; the same twice is an error."""
    tx.bulk("insert_accounts", [(item, "new", NOW_US, 0, place_of(item)) for item in items])
    return items


@contextmanager
def busy_writer(store: Store) -> Iterator[Callable[[], None]]:
    """Keep the writer within a transaction until the block calls what it gets, or ends.

    What is queued meanwhile shares the next commit.
    """
    release = threading.Event()

    def hold(_tx: Transaction, items: list[None]) -> list[None]:
        release.wait(10)
        return items

    holding = asyncio.get_running_loop().create_task(store.write(hold, [None]))
    try:
        yield release.set
    finally:
        release.set()
        holding.add_done_callback(lambda task: task.exception())


async def queued(*calls: Awaitable[object]) -> "Sequence[asyncio.Future[object]]":
    """The calls under way, all of them in the store's queue."""
    futures = [asyncio.ensure_future(call) for call in calls]
    for _ in range(3):
        await asyncio.sleep(0)
    return futures


class GroupingCases(OpenedStore):
    """One commit for many callers, and each of them for itself."""

    async def test_an_empty_write_answers_nothing(self, store: Store) -> None:
        """Without a transaction."""
        assert [] == await store.write(write_and_fail, [])

    async def test_each_caller_gets_its_own_answers(self, store: Store) -> None:
        """In the order of its items, although one transaction ran them all."""
        with busy_writer(store) as release:
            calls = await queued(*[store.write(create, [10 * n, 10 * n + 1]) for n in range(1, 6)])
            release()
            answers = await asyncio.gather(*calls)
        assert [[10 * n, 10 * n + 1] for n in range(1, 6)] == answers

    @pytest.mark.parametrize("verb", [write_and_fail, answer_too_little])
    async def test_a_failing_verb_leaves_nothing_behind(
        self, store: Store, verb: Callable[[Transaction, list[int]], list[None]]
    ) -> None:
        """Its caller gets the exception itself."""
        expected = PoisonError if verb is write_and_fail else AssertionError
        with pytest.raises(expected):
            await store.write(verb, [50, 51])
        assert not await store.read(read_account_exists, 50)

    async def test_one_failing_call_harms_no_other_of_its_group(self, bench: Bench) -> None:
        """The group rolls back, and every other verb is applied exactly once."""
        store = bench.store
        item = acceptance(submission(request_id="r1"), bench.ids)
        with busy_writer(store) as release:
            calls = await queued(
                store.write(accept, [item], [1]),
                store.write(write_and_fail, [50]),
                store.write(create, [60]),
                store.write(create, [61]),
            )
            release()
            answers = await asyncio.gather(*calls, return_exceptions=True)
        assert PoisonError is type(answers[1])
        assert ([60], [61]) == (answers[2], answers[3])
        assert 1 == len(await bench.events())
        found = [await store.read(read_account_exists, number) for number in (50, 60, 61)]
        assert [False, True, True] == found

    async def test_two_calls_of_one_verb_fail_each_for_itself(self, store: Store) -> None:
        """The second of two equal accounts is refused, the first is stored."""
        with busy_writer(store) as release:
            calls = await queued(
                store.write(create, [60]), store.write(create, [60]), store.write(create, [61])
            )
            release()
            answers = await asyncio.gather(*calls, return_exceptions=True)
        assert [[60], [61]] == [answers[0], answers[2]]
        assert isinstance(answers[1], Exception)
        assert await store.read(read_account_exists, 60)

    async def test_a_failed_group_uses_up_no_sequence(self, bench: Bench) -> None:
        """The log stays dense."""

        def accept_and_fail(tx: Transaction, items: list[Acceptance]) -> list[None]:
            accept(tx, items)
            raise PoisonError

        with pytest.raises(PoisonError):
            await bench.store.write(accept_and_fail, [acceptance(submission(), bench.ids)], [1])
        await bench.send()
        assert (1, 1) == await bench.store.read(read_log_bounds, 1)

    async def test_a_caller_who_leaves_does_not_take_its_write_along(self, bench: Bench) -> None:
        """A cancelled call is still stored, and the others of its group get their answers."""
        with busy_writer(bench.store) as release:
            leaving, staying = await queued(bench.send(), bench.send())
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving
            release()
            await staying
        events = await bench.events()
        assert [State.ACCEPTED] * 2 == [event.moved.state for event in events]

    async def test_a_caller_who_leaves_a_failing_write_is_not_told(self, store: Store) -> None:
        """Nobody is there to hear it, and nobody else does."""
        with busy_writer(store) as release:
            leaving, staying = await queued(store.write(write_and_fail, [50]), store.write(create, [60]))
            leaving.cancel()
            release()
            assert [60] == await staying

    async def test_a_full_queue_refuses_at_once(self, tmp_path: Path) -> None:
        """With when to come back; what is queued is stored, and room comes back with the commit."""
        async with self.open_store(tmp_path, queued_calls_max=3) as store:
            with busy_writer(store) as release:
                calls = await queued(store.write(create, [60]), store.write(create, [61]))
                assert 3 == store.calls_in_flight
                with pytest.raises(BrokerError) as refusal:
                    await store.write(create, [62])
                release()
                await asyncio.gather(*calls)
            assert (ErrorReason.QUEUE_FULL, 1) == (refusal.value.reason, refusal.value.retry_after_s)
            assert [62] == await store.write(create, [62])

    async def test_closing_commits_what_is_queued(self, tmp_path: Path) -> None:
        """And refuses what comes after it."""
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(self.open_store(tmp_path))
            with busy_writer(store) as release:
                calls = await queued(store.write(create, [60]), store.write(create, [61]))
                (closing,) = await queued(stack.aclose())
                with pytest.raises(BrokerError) as refusal:
                    await store.write(create, [62])
                release()
                assert [[60], [61]] == await asyncio.gather(*calls)
                await closing
        assert ErrorReason.DRAINING == refusal.value.reason
        async with self.open_store(tmp_path) as store:
            found = [await store.read(read_account_exists, number) for number in (60, 61, 62)]
        assert [True, True, False] == found

    async def test_listeners_are_told_after_the_commit_what_it_brought(self, bench: Bench) -> None:
        """Which accounts have events, whether there may be work, and what happened."""
        told: list[Commit] = []
        bench.store.on_commit(told.append)
        await bench.accept(submission(account_id=2), submission(account_id=1))
        await bench.claim()
        await bench.store.write(create, [60])
        work = [(sorted(each.accounts_with_events), each.work_is_due, each.calls) for each in told]
        assert [([1, 2], True, 1), ([1, 2], False, 1), ([], False, 1)] == work
        assert [{"ACCEPTED": 2}, {"ATTEMPTED": 2}, {}] == [dict(each.facts) for each in told]

    async def test_a_read_sees_what_was_committed_before_it(self, bench: Bench) -> None:
        """Also on another reader, and at once."""
        for number in range(1, 20):
            await bench.send()
            assert (1, number) == await bench.store.read(read_log_bounds, 1)

    async def test_a_read_is_one_snapshot(self, bench: Bench) -> None:
        """A commit in the middle of it is not seen by half."""
        reading, written = threading.Event(), threading.Event()

        def look_twice(tx: Transaction) -> list[tuple[int, int]]:
            first = read_log_bounds(tx, 1)
            reading.set()
            written.wait(10)
            return [first, read_log_bounds(tx, 1)]

        (looking,) = await queued(bench.store.read(look_twice))
        await asyncio.get_running_loop().run_in_executor(None, reading.wait, 10)
        await bench.send()
        written.set()
        assert [(1, 0), (1, 0)] == await looking

    async def test_a_failing_read_fails_its_caller_only(self, bench: Bench) -> None:
        """The reader is as good as new."""

        def fail(tx: Transaction) -> None:
            read_log_bounds(tx, 1)
            raise PoisonError

        for _ in range(5):
            with pytest.raises(PoisonError):
                await bench.store.read(fail)
        assert (1, 0) == await bench.store.read(read_log_bounds, 1)
