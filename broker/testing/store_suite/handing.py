# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of broadcasts that an upstream runs: the intention before each call, and what came of it."""

from dataclasses import replace
from typing import Any

from broker.domain.broadcast import Broadcast, BroadcastState, Move, Place, Stage
from broker.domain.lifecycle import State
from broker.domain.outcome import NotAccepted, Rejected, Unknown
from broker.domain.submission import Recipient
from broker.domain.upstream_broadcast import (
    LEAD_US,
    HandedOver,
    HandOver,
    Phase,
    Turn,
    UpstreamBroadcast,
    after_call,
    after_question,
)
from broker.domain.vocabulary import EventKind, Reason
from broker.storage.broadcast_rows import BroadcastQuery as Query
from broker.storage.broadcast_rows import read_broadcasts, read_refusals
from broker.storage.broadcasts import Edit, NoSuchBroadcast, NotMovable, edit_broadcasts, needs_tending
from broker.storage.expanding import read_rows
from broker.storage.hand_overs import read_hand_over
from broker.storage.handing import (
    Control,
    Intention,
    Noted,
    Undecided,
    intend_controls,
    intend_hand_overs,
    note_turns,
    read_upstream_broadcasts,
    waits_for_upstream,
)
from broker.testing.builders import SECOND_US
from broker.testing.store_suite.bench import Bench
from broker.testing.store_suite.broadcast_bench import Kept, S, make, rows
from broker.testing.store_suite.consenting import record, said
from broker.testing.store_suite.opening import OpenedStore

EXPANDING = Place(Stage.EXPANDING)
POLL_US = 10 * SECOND_US


class Handed(Kept):
    """A broadcast that "campaigns" runs, in the words of a test."""

    async def ready(self, count: int) -> None:
        """Its audience is gathered and sifted."""
        assert await self.gather(*rows(count))
        assert await self.sift(count)

    async def intend(self, count: int, **changes: Any) -> frozenset[int] | None:
        """What is to be handed over of so many recipients."""
        now_us = self.bench.now_us
        stored = await self.own()
        attempts = 1 if stored is None else stored.attempts + 1
        until_us = now_us + SECOND_US
        version = stored.version if stored is not None and stored.phase is Phase.WAITING else 0
        own = HandOver(
            self.broadcast_id,
            1,
            "campaigns",
            Phase.CALLING,
            "",
            0,
            attempts,
            0,
            now_us,
            until_us,
            None,
            version,
        )
        plan = self.plan(*[Recipient(phone_number=each.phone_number) for each in rows(count)], **changes)
        places = tuple((self.broadcast_id, number) for number in range(1, count + 1))
        item = Intention(own, EXPANDING, plan, places)
        (answer,) = await self.bench.store.write(intend_hand_overs, [item], [1])
        return None if answer is None else answer[1]

    async def own(self) -> HandOver | None:
        """Its hand-over, as it is stored."""
        return await self.bench.store.read(read_hand_over, self.broadcast_id)

    async def answered(self, answer: Any) -> Broadcast | None:
        """What its upstream answered to the hand-over, stored."""
        own = await self.own()
        assert own is not None
        return await self.note(own, after_call(own, await self.now(), answer, self.bench.now_us))

    async def asked(self, answer: Any) -> Broadcast | None:
        """What its upstream said when it was asked, stored."""
        own = await self.own()
        assert own is not None
        turn = after_question(own, await self.now(), answer, self.bench.now_us, POLL_US)
        return await self.note(own, turn)

    async def note(self, before: HandOver, turn: Turn) -> Broadcast | None:
        """Store a turn."""
        item = Noted(before, turn, self.bench.now_us)
        (noted,) = await self.bench.store.write(note_turns, [item], [1])
        return noted

    async def control(self, wish: Move, account_id: int = 1) -> Any:
        """Store that its upstream is to be told something."""
        until_us = self.bench.now_us + SECOND_US
        item = Control(account_id, self.broadcast_id, wish, until_us, self.bench.now_us)
        (answer,) = await self.bench.store.write(intend_controls, [item], [account_id])
        return answer


def seen(state: BroadcastState, sent: int | None = None, **changes: Any) -> UpstreamBroadcast:
    """What an upstream says of a broadcast."""
    return UpstreamBroadcast("up-1", state, sent=sent, **changes)


async def upstreams(bench: Bench, **changes: Any) -> Handed:
    """A broadcast that an upstream is to run."""
    return Handed(bench, await make(bench, upstream_provider="campaigns", **changes))


async def taken(bench: Bench, count: int = 3, state: BroadcastState = S.RUNNING) -> Handed:
    """One that its upstream has."""
    one = await upstreams(bench)
    await one.ready(count)
    assert await one.intend(count)
    assert await one.answered(seen(state))
    return one


class HandingCases(OpenedStore):
    """From the intention to the end."""

    async def test_an_upstreams_broadcast_names_its_provider(self, bench: Bench) -> None:
        """Wherever it is read; and only such ones are looked after with upstreams."""
        one = await upstreams(bench)
        await make(bench)
        assert "campaigns" == (await one.now()).upstream_provider
        (listed, _) = await bench.store.read(read_broadcasts, Query(1, frozenset(), None, 10))
        assert "" == listed.upstream_provider
        ((row, own),) = await bench.store.read(read_upstream_broadcasts)
        assert (one.broadcast_id, None) == (row.broadcast.broadcast_id, own)
        assert not waits_for_upstream(row), "its audience is gathered first"

    async def test_an_intention_is_stored_before_anybody_is_called(self, bench: Bench) -> None:
        """With how many are handed over; nobody becomes a message, and nobody counts as accepted yet."""
        one = await upstreams(bench)
        await one.ready(3)
        assert waits_for_upstream(await one.row())
        wanted = await one.intend(3)
        assert wanted is not None
        assert 3 == len(wanted)
        own = await one.own()
        assert own is not None
        assert (Phase.CALLING, 3, 1, "") == (own.phase, own.recipients, own.attempts, own.upstream_id)
        assert [] == await one.messages()
        progress = (await one.now()).progress
        assert (0, 0) == (progress.accepted, progress.refused)

    async def test_it_is_intended_once(self, bench: Bench) -> None:
        """Whoever else comes to the same place, or finds it moved, hands nothing over."""
        one = await upstreams(bench)
        await one.ready(1)
        assert await one.intend(1)
        assert await one.intend(1) is None
        held = await upstreams(bench)
        await held.ready(1)
        await held.move(Move.SUSPEND)
        assert await held.intend(1) is None

    async def test_who_opted_out_is_refused_and_not_handed_over(self, bench: Bench) -> None:
        """With a message that says so, counted apart; and left out of every later attempt."""
        one = await upstreams(bench)
        await one.ready(3)
        await record(bench, said(recipient=rows(2)[1].phone_number, sender=""))
        wanted = await one.intend(3)
        assert wanted is not None
        assert 2 == len(wanted)
        (refused,) = await one.messages()
        assert (State.REJECTED, Reason.OPTED_OUT) == (refused.state, refused.reason)
        assert [(Reason.OPTED_OUT, 1)] == await bench.store.read(read_refusals, one.broadcast_id)
        await one.answered(NotAccepted())
        left = await bench.store.read(read_rows, one.broadcast_id, one.broadcast_id, 0, 10)
        assert [1, 3] == [each.number for each in left]

    async def test_without_anybody_left_nothing_is_handed_over(self, bench: Bench) -> None:
        """It is completed as one that the broker runs is."""
        one = await upstreams(bench)
        await one.ready(1)
        await record(bench, said(recipient=rows(1)[0].phone_number, sender=""))
        assert frozenset() == await one.intend(1)
        assert await one.own() is None
        await one.tend()
        assert S.COMPLETED is (await one.now()).state

    async def test_what_is_taken_counts_as_accepted_and_follows_its_upstream(self, bench: Bench) -> None:
        """State for state, and its counters; each that changes is an event."""
        one = await taken(bench, 3, S.SCHEDULED)
        now = await one.now()
        assert (S.SCHEDULED, 3) == (now.state, now.progress.accepted)
        for state, sent in ((S.RUNNING, 1), (S.RUNNING, 1), (S.SUSPENDED, 2), (S.RUNNING, 1)):
            await one.asked(seen(state, sent))
        assert 2 == (await one.now()).progress.sent, "a counter never shrinks"
        await one.asked(seen(S.COMPLETED, 3, delivered=2, failed=1, ended_at_us=bench.now_us - 7))
        now = await one.now()
        progress = now.progress
        assert (S.COMPLETED, bench.now_us - 7) == (now.state, now.ended_at_us)
        assert (3, 2, 1) == (progress.sent, progress.delivered, progress.failed)
        told = [each.told for each in await bench.events() if each.kind is EventKind.BROADCAST]
        states = [each["state"] for each in told if each]
        assert [S.RUNNING, S.SCHEDULED, S.RUNNING, S.SUSPENDED, S.RUNNING, S.COMPLETED] == states

    async def test_the_end_clears_up(self, bench: Bench) -> None:
        """As of every broadcast: its audience goes, and nobody looks after it any more."""
        one = await taken(bench)
        await one.asked(seen(S.COMPLETED, 3))
        while await one.tend():
            pass
        assert [] == await bench.store.read(read_upstream_broadcasts)
        assert [] == await bench.store.read(read_rows, one.broadcast_id, one.broadcast_id, 0, 10)

    async def test_a_refused_broadcast_stops_with_the_reason(self, bench: Bench) -> None:
        """In its upstream's words."""
        one = await upstreams(bench)
        await one.ready(1)
        await one.intend(1)
        await one.answered(Rejected(code="BAD", text="no such code"))
        now = await one.now()
        assert (S.STOPPED, "campaigns refused it: BAD no such code") == (now.state, now.detail)
        assert 0 == now.progress.accepted

    async def test_what_was_not_accepted_is_the_brokers_own_until_the_next_attempt(
        self, bench: Bench
    ) -> None:
        """It can be held, resumed and stopped without its upstream; then it is handed over again."""
        one = await upstreams(bench)
        await one.ready(1)
        await one.intend(1)
        await one.answered(NotAccepted())
        own = await one.own()
        assert own is not None
        assert Phase.WAITING is own.phase
        assert own.at_us > bench.now_us
        assert S.SUSPENDED is (await one.move(Move.SUSPEND)).state
        assert S.RUNNING is (await one.move(Move.RESUME)).state
        await one.tend()
        assert await one.intend(1)
        await one.answered(seen(S.RUNNING))
        own = await one.own()
        assert own is not None
        assert (Phase.TAKEN, 2, "up-1") == (own.phase, own.attempts, own.upstream_id)

    async def test_a_broadcast_in_doubt_is_never_handed_over_again_by_itself(self, bench: Bench) -> None:
        """It waits for an answer to a question; where nobody can tell, that is its end."""
        one = await upstreams(bench)
        await one.ready(1)
        await one.intend(1)
        await one.answered(Unknown())
        assert await one.intend(1) is None
        assert HandedOver() == await one.move(Move.STOP)
        assert Undecided() == await one.control(Move.STOP)
        for _ in range(10):
            if (await one.now()).state is S.UNKNOWN:
                break
            await one.asked(Unknown())
        now = await one.now()
        assert S.UNKNOWN is now.state
        assert now.detail.startswith("nobody can tell whether campaigns took it")
        assert S.DELETED is (await one.move(Move.DELETE)).state

    async def test_a_doubt_can_be_cleared_up_either_way(self, bench: Bench) -> None:
        """The upstream has it, or surely not: then it is handed over again."""
        found, lost = await upstreams(bench), await upstreams(bench)
        for one in (found, lost):
            await one.ready(1)
            await one.intend(1)
            await one.answered(Unknown())
        await found.asked(seen(S.RUNNING))
        assert HandedOver() == await found.move(Move.STOP)
        await lost.asked(NotAccepted())
        assert await lost.intend(1)

    async def test_an_upstreams_broadcast_is_moved_there(self, bench: Bench) -> None:
        """The wish is stored first, and another one has to wait."""
        one = await taken(bench)
        assert HandedOver() == await one.move(Move.SUSPEND)
        own, now = await one.control(Move.SUSPEND)
        assert (Move.SUSPEND, S.RUNNING) == (own.wish, now.state)
        assert Undecided() == await one.control(Move.STOP)
        await one.note(own, Turn(replace(own, wish=None, at_us=bench.now_us), S.SUSPENDED))
        assert S.SUSPENDED is (await one.now()).state
        stopping = await one.control(Move.STOP)
        assert Move.STOP is stopping[0].wish

    async def test_a_move_that_cannot_be_is_refused_before_the_upstream_hears_of_it(
        self, bench: Bench
    ) -> None:
        """Also those that no upstream knows, and another account's."""
        one = await taken(bench)
        for wish in (Move.RESUME, Move.START):
            assert NotMovable(S.RUNNING) == await one.control(wish)
        assert NoSuchBroadcast() == await one.control(Move.STOP, account_id=2)
        waiting = await taken(bench, state=S.SCHEDULED)
        (answer,) = await bench.store.write(edit_broadcasts, [Edit(await waiting.now(), b"late")], [1])
        assert NotMovable(S.SCHEDULED) == answer

    async def test_an_answer_that_comes_too_late_changes_nothing(self, bench: Bench) -> None:
        """One that was asked for before its upstream was told to hold it."""
        one = await taken(bench)
        before = await one.own()
        assert before is not None
        own, _ = await one.control(Move.SUSPEND)
        await one.note(own, Turn(replace(own, wish=None, at_us=bench.now_us), S.SUSPENDED))
        late = after_question(before, await one.now(), seen(S.RUNNING, 2), bench.now_us, POLL_US)
        assert await one.note(before, late) is None
        now = await one.now()
        assert (S.SUSPENDED, 0) == (now.state, now.progress.sent)

    async def test_a_completed_one_is_deleted_upstream_too(self, bench: Bench) -> None:
        """It leaves the lists once that is done."""
        one = await taken(bench)
        await one.asked(seen(S.COMPLETED, 3))
        while await one.tend():
            pass
        assert HandedOver() == await one.move(Move.DELETE)
        own, _ = await one.control(Move.DELETE)
        await one.note(own, Turn(replace(own, wish=None), S.DELETED))
        assert [] == await bench.store.read(read_broadcasts, Query(1, frozenset(), None, 10))
        await one.tend()
        assert [] == await bench.store.read(read_upstream_broadcasts)

    async def test_it_is_begun_a_little_before_its_time(self, bench: Bench) -> None:
        """So that its upstream has it in time; one that is there already begins by its upstream's clock."""
        at_us = bench.now_us + LEAD_US + SECOND_US
        one = await upstreams(bench, state=S.SCHEDULED, schedule_at_us=at_us)
        assert not needs_tending(await one.row(), bench.now_us, tells=False)
        assert needs_tending(await one.row(), at_us - LEAD_US, tells=False)
        there = await taken(bench, state=S.SCHEDULED)
        assert not needs_tending(await there.row(), at_us, tells=False)
