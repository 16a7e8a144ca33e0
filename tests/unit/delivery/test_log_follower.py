"""Followers of the log, above all the indexer: it follows the log, finds by itself what it missed, and gives way to callers."""

from dataclasses import dataclass, field

import pytest

from broker.delivery.log_follower import (
    BATCH_EVENTS,
    COUNTING,
    GATHER_S,
    INDEXING,
    PAUSE_S_MAX,
    SHARE_MIN,
    LogFollower,
)
from broker.storage.indexing import Indexed, IndexWish, read_indexes_behind
from broker.storage.store import Store
from broker.storage.usage import read_usage_behind
from broker.testing.builders import ManualClock, phones
from broker.testing.store_suite import Bench

SHOP = frozenset({"Shop"})


@dataclass
class Process:
    """How much of a processor the broker uses: `load` of whatever time passes."""

    clock: ManualClock
    load: float = 0.0
    used_s: float = 0.0
    seen_us: int = 0

    def cpu_s(self) -> float:
        """As the indexer asks for it."""
        self.used_s += self.load * (self.clock.now_us() - self.seen_us) / 1_000_000
        self.seen_us = self.clock.now_us()
        return self.used_s


@dataclass
class SlowStore:
    """Has as many events to index as a test says, and takes a tenth of a second for each batch."""

    clock: ManualClock
    left: int
    busy_s: float = 0.0
    wishes: list[IndexWish] = field(default_factory=list)

    async def read(self, _verb: object) -> list[int]:
        """One account is behind."""
        return [1]

    async def write(self, _verb: object, items: list[IndexWish], _accounts: object) -> list[Indexed]:
        """A batch."""
        self.wishes += items
        self.left = max(0, self.left - items[0].events_max)
        return [Indexed(0, self.left, 0.1)]


async def test_what_a_start_finds_is_indexed(
    store: Store, bench: Bench, clock: ManualClock, running, until
) -> None:
    """Without any hint: it was stored before."""
    sent = await bench.send(recipients=phones(3), sender="Shop")
    indexer = LogFollower(store, clock, INDEXING)
    async with running(indexer.run()):
        await until(lambda: clock.sleeps_s == [GATHER_S])
        clock.advance(GATHER_S)
        await until(lambda: _is_whole(store))
    assert [sent[::-1]] == await bench.pages(senders=SHOP)


async def _is_whole(store: Store) -> bool:
    return not await store.read(read_indexes_behind)


async def test_a_hint_wakes_it(store: Store, bench: Bench, clock: ManualClock, running, until) -> None:
    """And it looks at the accounts that were named, after others' events had time to gather."""
    indexer = LogFollower(store, clock, INDEXING)
    async with running(indexer.run()):
        await bench.send()
        indexer.hint(frozenset({1}))
        await until(lambda: bool(clock.sleeps_s))
        clock.advance(GATHER_S)
        await until(lambda: _is_whole(store))


async def test_another_counts_what_was_sent(
    store: Store, bench: Bench, clock: ManualClock, running, until
) -> None:
    """The same way: what a start finds, and what it is told of."""
    await bench.send()
    async with running(LogFollower(store, clock, COUNTING).run()):
        await until(lambda: bool(clock.sleeps_s))
        clock.advance(GATHER_S)
        await until(lambda: _is_counted(store))


async def _is_counted(store: Store) -> bool:
    return not await store.read(read_usage_behind)


@pytest.mark.parametrize(
    ("load", "rest_s"), [(0.0, 0.1), (0.5, 0.3), (1.0, 0.1 / SHARE_MIN - 0.1), (9.0, 0.1 / SHARE_MIN - 0.1)]
)
async def test_it_rests_the_longer_the_busier_the_broker_is(
    clock: ManualClock, running, until, load: float, rest_s: float
) -> None:
    """Half of the time is its own where callers leave all of it, and a fiftieth where they leave none."""
    process = Process(clock, load, seen_us=clock.now_us())
    store = SlowStore(clock, left=3 * BATCH_EVENTS)
    async with running(LogFollower(store, clock, INDEXING, cpu_s=process.cpu_s).run()):  # type: ignore[arg-type]
        await until(lambda: len(clock.sleeps_s) == 1)
        clock.advance(GATHER_S)
        await until(lambda: len(clock.sleeps_s) == 2)
    assert [GATHER_S, pytest.approx(min(PAUSE_S_MAX, rest_s))] == clock.sleeps_s
    assert [BATCH_EVENTS] == [wish.events_max for wish in store.wishes]


async def test_a_writer_that_never_rests_is_busy_too(clock: ManualClock, running, until) -> None:
    """On a machine without time for it, the broker uses little of a processor."""
    store = SlowStore(clock, left=BATCH_EVENTS)
    async with running(LogFollower(store, clock, INDEXING, cpu_s=lambda: 0.0).run()):  # type: ignore[arg-type]
        await until(lambda: len(clock.sleeps_s) == 1)
        store.busy_s += GATHER_S
        clock.advance(GATHER_S)
        await until(lambda: len(clock.sleeps_s) == 2)
    assert pytest.approx(0.1 / SHARE_MIN - 0.1) == clock.sleeps_s[1]
