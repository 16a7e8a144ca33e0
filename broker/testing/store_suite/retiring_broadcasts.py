# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of retention: what the messages of a broadcast shared goes after the last of them."""

from broker.domain.broadcast import Move
from broker.domain.submission import Recipient
from broker.storage.retiring import (
    BroadcastsSwept,
    BroadcastSweep,
    LogTrim,
    Retirement,
    read_retired,
    retire_messages,
    sweep_broadcasts,
    trim_logs,
)
from broker.testing.builders import phones
from broker.testing.store_suite.bench import Bench
from broker.testing.store_suite.broadcast_bench import Kept, S, rows, running
from broker.testing.store_suite.consenting import record, said
from broker.testing.store_suite.handing import seen, upstreams
from broker.testing.store_suite.opening import OpenedStore


async def stopped(bench: Bench, *recipients: Recipient) -> Kept:
    """A broadcast that was stopped when it had these messages; nothing more is to be done for it."""
    one = await running(bench)
    await one.expanded(*recipients)
    await finished(one)
    return one


async def finished(one: Kept) -> None:
    """Stop it, and look after it until nothing is left to do."""
    await one.move(Move.STOP)
    while await one.tend():
        pass


async def retire(bench: Bench) -> int:
    """Remove all messages that have ended by now; how many went."""
    await bench.index()
    await bench.count(1)
    await bench.store.write(trim_logs, [LogTrim(1, bench.now_us, 1_000)], [1])
    (done,) = await bench.store.write(retire_messages, [Retirement(0, bench.now_us, 1_000)])
    return done.messages


async def sweep(bench: Bench, after_id: int = 0, rows_max: int = 100) -> BroadcastsSwept:
    """Remove what messages of broadcasts that ended by now shared."""
    wish = BroadcastSweep(after_id, bench.now_us, rows_max)
    (done,) = await bench.store.write(sweep_broadcasts, [wish])
    return done


async def shares(one: Kept) -> bool:
    """Whether what its messages share is there."""
    ids = [one.broadcast_id]
    return bool(await one.bench.store.read(lambda tx: tx.all("submission_contents", submission_ids=ids)))


class RetiringBroadcastCases(OpenedStore):
    """Content, sender and the like, which are stored once for all messages of a broadcast."""

    async def test_what_the_messages_of_a_broadcast_share_goes_after_the_last(self, bench: Bench) -> None:
        """Not before, however long it has ended; the broadcast and its counters stay."""
        one = await running(bench)
        (first, _, refused) = await one.expanded(*phones(2), Recipient("12"))
        await bench.cancel(first)
        bench.wait(1)
        assert 2 == await retire(bench)
        await finished(one)
        assert BroadcastsSwept(0, None) == await sweep(bench)
        assert 2 == await bench.store.read(read_retired, one.broadcast_id)
        bench.wait(1)
        assert BroadcastsSwept(0, None) == await sweep(bench)
        assert await shares(one)
        assert 1 == await retire(bench)
        assert BroadcastsSwept(1, None) == await sweep(bench)
        assert not await shares(one)
        assert BroadcastsSwept(0, None) == await sweep(bench)
        now = await one.now()
        assert (S.STOPPED, 2, 1) == (now.state, now.progress.accepted, now.progress.refused)
        assert refused not in {each.message_id for each in await one.messages()}

    async def test_while_a_broadcast_goes_on_all_of_it_stays(self, bench: Bench) -> None:
        """There may be more messages, though those that there were are gone."""
        one = await running(bench)
        (message_id,) = await one.expanded(*phones(1))
        await bench.cancel(message_id)
        bench.wait(1)
        assert 1 == await retire(bench)
        assert BroadcastsSwept(0, None) == await sweep(bench)
        assert await shares(one)

    async def test_a_broadcast_without_messages_leaves_nothing(self, bench: Bench) -> None:
        """Once it ended before the time."""
        one = await stopped(bench)
        assert BroadcastsSwept(0, None) == await sweep(bench)
        assert await shares(one)
        bench.wait(1)
        assert BroadcastsSwept(1, None) == await sweep(bench)
        assert not await shares(one)

    async def test_of_an_upstreams_broadcast_only_those_who_were_refused_were_messages(
        self, bench: Bench
    ) -> None:
        """It goes with these."""
        one = await upstreams(bench)
        await one.ready(3)
        await record(bench, said(recipient=rows(1)[0].phone_number, sender=""))
        assert await one.intend(3)
        await one.answered(seen(S.RUNNING))
        await one.asked(seen(S.COMPLETED, 2))
        while await one.tend():
            pass
        progress = (await one.now()).progress
        assert (2, 1) == (progress.accepted, progress.refused)
        bench.wait(1)
        assert BroadcastsSwept(0, None) == await sweep(bench)
        assert 1 == await retire(bench)
        assert BroadcastsSwept(1, None) == await sweep(bench)

    async def test_a_sweep_goes_on_where_the_last_ended(self, bench: Bench) -> None:
        """So many broadcasts at once, also past those that stay."""
        broadcasts = [await stopped(bench, *phones(count)) for count in (0, 1, 0)]
        bench.wait(1)
        ids = [each.broadcast_id for each in broadcasts]
        assert BroadcastsSwept(1, ids[0]) == await sweep(bench, 0, 1)
        assert BroadcastsSwept(0, ids[1]) == await sweep(bench, ids[0], 1)
        assert BroadcastsSwept(1, ids[2]) == await sweep(bench, ids[1], 1)
        assert BroadcastsSwept(0, None) == await sweep(bench, ids[2], 1)
        assert [False, True, False] == [await shares(each) for each in broadcasts]
