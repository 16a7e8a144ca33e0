# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of broadcasts that are held, stopped or deleted: what becomes of their messages."""

from broker.domain.broadcast import (
    Move,
)
from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import Accepted
from broker.domain.submission import Recipient
from broker.domain.vocabulary import Reason
from broker.storage.agenda import Work
from broker.storage.broadcast_rows import read_active, read_request
from broker.storage.expanding import (
    read_audience_size,
)
from broker.testing.builders import DAY_US, NOW_US, SECOND_US, phones
from broker.testing.store_suite.bench import Bench, receipt
from broker.testing.store_suite.broadcast_bench import rows, running
from broker.testing.store_suite.opening import OpenedStore


class HoldingCases(OpenedStore):
    """Messages whose broadcast is held, stopped or deleted."""

    async def test_what_is_suspended_is_not_handed_over(self, bench: Bench) -> None:
        """It waits, without standing in the way of what comes after it."""
        one = await running(bench)
        held = await one.expanded(*phones(2))
        await one.move(Move.SUSPEND)
        (other,) = await bench.send(recipients=(Recipient("+447700900999"),))
        claimed = await bench.claim()
        assert [other] == [each.message_id for each in claimed.attempts]
        due = [await bench.due(each) for each in held]
        assert {Work.WAITING} == {each.work for each in due if each}
        assert [] == list((await bench.claim()).attempts)

    async def test_what_is_resumed_is_handed_over_once(self, bench: Bench) -> None:
        """In batches, and nothing is lost."""
        one = await running(bench)
        held = await one.expanded(*phones(5))
        await one.move(Move.SUSPEND)
        await bench.claim()
        await one.move(Move.RESUME)
        rounds = 0
        while (await one.row()).released_to is not None:
            await one.tend(rows_max=2)
            rounds += 1
        assert 3 == rounds
        assert held == sorted(each.message_id for each in (await bench.claim()).attempts)

    async def test_what_has_a_time_of_its_own_keeps_it_when_resumed(self, bench: Bench) -> None:
        """It is no more due than before."""
        one = await running(bench)
        at_us = bench.now_us + 60 * SECOND_US
        (later,) = await one.expanded(Recipient("+447700900001", schedule_at_us=at_us))
        await one.move(Move.SUSPEND)
        await one.move(Move.RESUME)
        await one.tend()
        due = await bench.due(later)
        assert due is not None
        assert (Work.WAITING, at_us) == (due.work, due.at_us)

    async def test_what_is_held_expires_in_time(self, bench: Bench) -> None:
        """Like any message that waits."""
        one = await running(bench)
        (held,) = await one.expanded(*phones(1), validity_us=10 * SECOND_US)
        await one.move(Move.SUSPEND)
        await bench.claim()
        bench.wait(11)
        await bench.claim()
        assert State.EXPIRED is await bench.state(held)
        assert 1 == (await one.now()).progress.failed

    async def test_what_is_stopped_is_cancelled(self, bench: Bench) -> None:
        """Whoever meets it first: the claim, or the one who looks after the broadcast, in batches."""
        one = await running(bench)
        messages = await one.expanded(*phones(3), Recipient("+447700900888", schedule_at_us=NOW_US + DAY_US))
        await one.move(Move.STOP)
        assert [] == list((await bench.claim(messages_max=1)).attempts)
        while await one.tend(rows_max=2):
            pass
        assert {State.CANCELLED} == set((await bench.states(messages)).values())
        message = await bench.message(messages[0])
        assert (Reason.BROADCAST_STOPPED, 4) == (message.reason, (await one.now()).progress.failed)
        assert [] == await bench.store.read(read_active)

    async def test_what_is_with_a_provider_goes_on_after_a_stop(self, bench: Bench) -> None:
        """Its outcome counts, and the broadcast is looked after until it is known."""
        one = await running(bench)
        await one.expanded(*phones(1))
        (attempt,) = (await bench.claim()).attempts
        await one.move(Move.STOP)
        await one.tend()
        assert (await one.row()).active
        await bench.settle(attempt, Accepted(("a",)))
        await bench.report(receipt("a"))
        await one.tend()
        assert 1 == (await one.now()).progress.delivered
        assert [] == await bench.store.read(read_active)

    async def test_a_deleted_broadcast_leaves_its_messages(self, bench: Bench) -> None:
        """Its audience and what was asked for are gone."""
        one = await running(bench)
        await one.gather(*rows(3))
        await one.sift(3)
        await one.expand(*phones(1))
        await one.move(Move.DELETE)
        while await one.tend(rows_max=2):
            pass
        assert [Fact.ACCEPTED, Fact.CANCELLED] == await bench.facts((await one.messages())[0].message_id)
        assert 0 == await bench.store.read(read_audience_size, one.broadcast_id)
        assert await bench.store.read(read_request, one.broadcast_id) is None
