"""Ids: rising, never given twice, whatever the clock and the restarts do."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from broker.delivery.identities import RENEW_EVERY_S, RESERVE_AHEAD_MS, Identities
from broker.domain.ids import first_id_at, time_ms_of
from broker.errors import BrokerError, ErrorReason
from broker.storage.keeping import boot
from broker.storage.store import Store
from broker.testing.builders import NOW_US, SECOND_US, ManualClock

Start = Callable[[], Any]
NOW_MS = NOW_US // 1_000


@pytest.fixture
def start(store: Store, clock: ManualClock) -> Start:
    """Begin like a new process: from what the store says."""

    async def begin() -> Identities:
        (found,) = await store.write(boot, [b"8 bytes!"])
        return Identities(store, clock, node=0, last=found.id_ceiling)

    return begin


async def test_ids_carry_the_time(start: Start) -> None:
    """The millisecond in which they are taken."""
    identities = await start()
    assert [first_id_at(NOW_MS), first_id_at(NOW_MS) + 1] == await identities.take(2)


async def test_ids_rise_from_call_to_call(start: Start, clock: ManualClock) -> None:
    """Within a millisecond, across it, and beyond a full counter."""
    identities = await start()
    taken = await identities.take(3)
    taken += await identities.take(9_000)
    clock.advance(0.001)
    taken += await identities.take(2)
    assert taken == sorted(set(taken))


async def test_no_id_is_given_before_the_store_has_reserved_it(start: Start, store: Store) -> None:
    """The ceiling on disk is above every id that was given."""
    identities = await start()
    (taken,) = await identities.take(1)
    (found,) = await store.write(boot, [b"8 bytes!"])
    assert taken < found.id_ceiling
    assert NOW_MS + RESERVE_AHEAD_MS == time_ms_of(found.id_ceiling)


async def test_a_restart_begins_above_the_ceiling(start: Start) -> None:
    """Whatever the process before gave out, it was below."""
    before = await (await start()).take(5)
    after = await (await start()).take(5)
    assert NOW_MS + RESERVE_AHEAD_MS == time_ms_of(after[0])
    assert before[-1] < after[0]


async def test_restarts_in_a_row_never_repeat_an_id(start: Start, clock: ManualClock) -> None:
    """Also with a clock that goes backwards in between."""
    taken: list[int] = []
    for _ in range(5):
        taken += await (await start()).take(3)
        clock.time_us -= 3_600 * SECOND_US
    assert taken == sorted(set(taken))


async def test_a_clock_that_goes_backwards_stops_no_ids(start: Start, clock: ManualClock) -> None:
    """They go on rising from the last one."""
    identities = await start()
    before = await identities.take(1)
    clock.time_us -= 3_600 * SECOND_US
    after = await identities.take(5_000)
    assert before[0] + 1 == after[0]
    assert after == sorted(set(after))


async def test_a_reservation_that_ran_out_is_renewed_by_who_needs_it(
    start: Start, clock: ManualClock
) -> None:
    """An hour after the last one, nobody having renewed it."""
    identities = await start()
    await identities.take(1)
    clock.advance(3_600)
    assert [first_id_at(NOW_MS + 3_600_000)] == await identities.take(1)


async def test_many_at_once_get_ids_of_their_own(start: Start) -> None:
    """While the first reservation is on its way to the disk."""
    identities = await start()
    taken = [
        number for each in await asyncio.gather(*[identities.take(7) for _ in range(50)]) for number in each
    ]
    assert 350 == len(set(taken))


async def test_the_reservation_is_kept_ahead_of_the_clock(
    start: Start, store: Store, clock: ManualClock, running, until
) -> None:
    """So that no caller waits for it."""
    identities = await start()
    async with running(identities.run()):
        for _ in range(5):
            await until(lambda: clock.sleeps_s)
            clock.sleeps_s.clear()
            clock.advance(RENEW_EVERY_S)
        await until(lambda: clock.sleeps_s)
        (found,) = await store.write(boot, [b"8 bytes!"])
    assert clock.now_us() // 1_000 + RESERVE_AHEAD_MS == time_ms_of(found.id_ceiling)


@pytest.mark.parametrize("reason", [ErrorReason.STORE_UNAVAILABLE, ErrorReason.QUEUE_FULL])
async def test_a_failing_store_does_not_end_the_renewal(
    start: Start, store: Store, clock: ManualClock, running, until, monkeypatch, reason: ErrorReason
) -> None:
    """A full disk or a full queue passes; a broker that stops for it would not come back."""
    identities = await start()
    write, failures = store.write, [1, 2]

    async def failing(*arguments: Any) -> Any:
        if failures:
            failures.pop()
            raise BrokerError(reason)
        return await write(*arguments)

    monkeypatch.setattr(store, "write", failing)
    async with running(identities.run()) as task:
        for _ in range(3):
            await until(lambda: clock.sleeps_s)
            clock.sleeps_s.clear()
            clock.advance(RENEW_EVERY_S)
        assert not task.done()
    monkeypatch.undo()
    (found,) = await store.write(boot, [b"8 bytes!"])
    assert found.id_ceiling > 0
