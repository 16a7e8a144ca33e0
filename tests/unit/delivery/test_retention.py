"""Retention: what an operator does not keep goes, in rounds, and all else stays."""

from typing import Any

import pytest

from broker.delivery.retention import EVERY_S, REST_S, ROWS_MAX, Retention
from broker.storage.expanding import read_audience_size
from broker.storage.history import read_log_bounds
from broker.storage.store import Store
from broker.storage.uploads import read_upload
from broker.testing.builders import ManualClock, phones
from broker.testing.store_suite import Bench
from broker.testing.store_suite.crediting import buy
from broker.testing.store_suite.retiring_broadcasts import shares, stopped
from broker.testing.store_suite.uploading import received

DAY_S = 86_400.0


async def test_a_broker_that_keeps_everything_removes_nothing(
    store: Store, bench: Bench, clock: ManualClock
) -> None:
    """As by default, however old it gets."""
    (message_id,) = await bench.send()
    await bench.cancel(message_id)
    await bench.index()
    await bench.count()
    clock.advance(1_000 * DAY_S)
    await Retention(store, clock, event_retention_s=0, message_retention_s=0).round()
    assert (1, 2) == await store.read(read_log_bounds, 1)
    assert [[message_id]] == await bench.pages()


async def test_events_go_after_their_time_and_messages_after_theirs(
    store: Store, bench: Bench, clock: ManualClock
) -> None:
    """Of every account."""
    ended = [*(await bench.send()), *(await bench.send(account_id=2))]
    for account_id, message_id in enumerate(ended, start=1):
        await bench.cancel(message_id, account_id)
        await bench.index(account_id)
        await bench.count(account_id)
    retention = Retention(store, clock, event_retention_s=DAY_S, message_retention_s=3 * DAY_S)
    clock.advance(2 * DAY_S)
    await retention.round()
    assert [(3, 2), (3, 2)] == [await store.read(read_log_bounds, each) for each in (1, 2)]
    assert [[[ended[0]]], [[ended[1]]]] == [await bench.pages(each) for each in (1, 2)]
    clock.advance(2 * DAY_S)
    await retention.round()
    assert [[[]], [[]]] == [await bench.pages(each) for each in (1, 2)]


async def test_files_of_recipients_go_with_the_messages_of_their_time(
    store: Store, bench: Bench, clock: ManualClock
) -> None:
    """Where messages are kept for ever, so are they."""
    upload = await received(bench)
    clock.advance(4 * DAY_S)
    await Retention(store, clock, event_retention_s=DAY_S, message_retention_s=0).round()
    assert upload == await store.read(read_upload, 1, upload.upload_id)
    await Retention(store, clock, event_retention_s=DAY_S, message_retention_s=3 * DAY_S).round()
    assert await store.read(read_upload, 1, upload.upload_id) is None
    assert 0 == await store.read(read_audience_size, upload.upload_id)


async def test_what_messages_of_a_broadcast_share_goes_with_them(
    store: Store, bench: Bench, clock: ManualClock
) -> None:
    """In the round that removes the last of them, and of broadcasts that never had any."""
    broadcasts = [await stopped(bench, *phones(count)) for count in (2, 0)]
    await bench.index()
    await bench.count()
    clock.advance(4 * DAY_S)
    assert [True, True] == [await shares(each) for each in broadcasts]
    await Retention(store, clock, event_retention_s=DAY_S, message_retention_s=3 * DAY_S).round()
    assert [False, False] == [await shares(each) for each in broadcasts]


@pytest.mark.parametrize("count", [ROWS_MAX - 1, 2 * ROWS_MAX])
async def test_it_rests_between_batches(
    store: Store, bench: Bench, clock: ManualClock, running, until, count: int
) -> None:
    """Callers have the store for most of the time; a round that is done waits for the next."""
    await bench.send(recipients=phones(count))
    await bench.index()
    await bench.count()
    clock.advance(2 * DAY_S)
    retention = Retention(store, clock, event_retention_s=DAY_S, message_retention_s=0)
    async with running(retention.run()):
        for rests in range(1, 1 + count // ROWS_MAX):
            await until(lambda rests=rests: len(clock.sleeps_s) == rests)
            clock.advance(REST_S)
        await until(lambda: clock.sleeps_s and clock.sleeps_s[-1] == EVERY_S)
    assert [*[REST_S] * (count // ROWS_MAX), EVERY_S] == clock.sleeps_s
    assert (count + 1, count) == await store.read(read_log_bounds, 1)


async def test_old_entries_of_the_ledger_become_one(
    store: Store, clock: ManualClock, bench: Bench, running: Any, until: Any
) -> None:
    """In every account, a batch at a time; what was bought since is still told one by one."""
    for account_id in (1, 2):
        for number in range(3):
            await buy(bench, f"old {number}", 10, account_id)
    clock.advance(2 * DAY_S)
    bench.now_us = clock.now_us()
    await buy(bench, "new", 10)
    await buy(bench, "newer", 10)
    retention = Retention(store, clock, event_retention_s=0, message_retention_s=0, ledger_retention_s=DAY_S)
    async with running(retention.run()):
        for rests in (1, 2):
            await until(lambda rests=rests: len(clock.sleeps_s) == rests)
            clock.advance(REST_S)
        await until(lambda: clock.sleeps_s and clock.sleeps_s[-1] == EVERY_S)
    rows = await store.read(lambda tx: tx.all("all_ledger_entries"))
    assert [(1, 50, 3), (2, 30, 1)] == [(account_id, bought, count) for account_id, bought, *_, count in rows]
