# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of broadcasts: their moves, their audiences, their messages and their counters."""

from dataclasses import replace

from broker.domain.audience import NOTHING_MORE, AudienceRow
from broker.domain.broadcast import (
    AddressKind,
    Move,
    Pace,
    Place,
    Progress,
    Stage,
)
from broker.domain.lifecycle import State
from broker.domain.outcome import Accepted, Rejected
from broker.domain.records import EventFilter
from broker.domain.submission import Recipient
from broker.domain.vocabulary import EventKind, Reason
from broker.storage.acceptance import Reused
from broker.storage.broadcast_rows import (
    BroadcastQuery,
    read_active,
    read_broadcast,
    read_broadcasts,
    read_refusals,
    read_request,
)
from broker.storage.broadcasts import (
    Edit,
    NoSuchBroadcast,
    NotMovable,
    edit_broadcasts,
    needs_tending,
    stop_failed,
)
from broker.storage.expanding import (
    Duplicates,
    mark_duplicates,
    read_ahead,
    read_audience_size,
    read_duplicates,
    read_rows,
)
from broker.testing.builders import NOW_US, SECOND_US, phones
from broker.testing.store_suite.bench import Bench, receipt
from broker.testing.store_suite.broadcast_bench import REQUEST, Kept, S, make, rows, running
from broker.testing.store_suite.broadcast_holding import HoldingCases
from broker.testing.store_suite.opening import OpenedStore


class MovingCases(OpenedStore):
    """What is done to a broadcast as a whole."""

    async def test_a_broadcast_is_stored_whole(self, bench: Bench) -> None:
        """With the request as it was given, and nothing counted."""
        made = await make(bench, messages_per_minute=60, progress=Progress(expected=7))
        found = await bench.store.read(read_broadcast, 1, made.broadcast_id)
        assert made == found
        assert REQUEST == await bench.store.read(read_request, made.broadcast_id)

    async def test_a_repeated_request_gets_its_broadcast_as_it_is(self, bench: Bench) -> None:
        """Another request under the same id is told so."""
        made = await make(bench, request_id="r", name="first")
        await Kept(bench, made).move(Move.SUSPEND)
        again = await make(bench, request_id="r", name="second")
        assert (made.broadcast_id, "first", S.SUSPENDED) == (again.broadcast_id, again.name, again.state)
        assert Reused("r") == await make(bench, request_id="r", fingerprint="other")
        query = BroadcastQuery(1, frozenset(), None, 10)
        assert [made.broadcast_id] == [
            each.broadcast_id for each in await bench.store.read(read_broadcasts, query)
        ]

    async def test_a_move_that_cannot_be_names_the_state(self, bench: Bench) -> None:
        """And changes nothing."""
        held = await running(bench)
        assert NotMovable(S.RUNNING) == await held.move(Move.RESUME)
        assert S.RUNNING is (await held.now()).state

    async def test_anothers_broadcast_is_like_none(self, bench: Bench) -> None:
        """To move, to edit and to read."""
        mine = await running(bench)
        assert NoSuchBroadcast() == await mine.move(Move.STOP, account_id=2)
        other = replace(await mine.now(), account_id=2)
        (answer,) = await bench.store.write(edit_broadcasts, [Edit(other, b"")], [2])
        assert NoSuchBroadcast() == answer
        assert await bench.store.read(read_broadcast, 2, mine.broadcast_id) is None

    async def test_a_draft_is_edited_until_it_begins(self, bench: Bench) -> None:
        """Its name, its time, its pace and the request."""
        draft = Kept(bench, await make(bench, S.DRAFT))
        wish = replace(await draft.now(), name="summer", messages_per_minute=5, progress=Progress(expected=3))
        (edited,) = await bench.store.write(edit_broadcasts, [Edit(wish, b"other")], [1])
        assert wish == edited == await draft.now()
        assert b"other" == await bench.store.read(read_request, draft.broadcast_id)
        await draft.move(Move.START)
        (answer,) = await bench.store.write(edit_broadcasts, [Edit(wish, b"late")], [1])
        assert NotMovable(S.RUNNING) == answer

    async def test_a_scheduled_broadcast_begins_at_its_time(self, bench: Bench) -> None:
        """Not before."""
        at_us = bench.now_us + 60 * SECOND_US
        waiting = Kept(bench, await make(bench, S.SCHEDULED, schedule_at_us=at_us))
        assert not needs_tending(await waiting.row(), at_us - 1, tells=True)
        bench.wait(60)
        assert needs_tending(await waiting.row(), bench.now_us, tells=False)
        assert await waiting.tend()
        now = await waiting.now()
        assert (S.RUNNING, at_us) == (now.state, now.started_at_us)

    async def test_each_move_is_an_event(self, bench: Bench) -> None:
        """With the state before, and found by the broadcast's id."""
        moved = await running(bench)
        for wish in (Move.SUSPEND, Move.RESUME, Move.STOP, Move.DELETE):
            await moved.move(wish)
        wanted = EventFilter(broadcast_ids=frozenset({moved.broadcast_id}))
        told = [each for each in await bench.events() if wanted.matches(each)]
        assert {EventKind.BROADCAST} == {each.kind for each in told}
        states = [(each.told["previous_state"], each.told["state"]) for each in told if each.told]
        expected = [(S.RUNNING, S.RUNNING), (S.RUNNING, S.SUSPENDED), (S.SUSPENDED, S.RUNNING)]
        assert [*expected, (S.RUNNING, S.STOPPED), (S.STOPPED, S.DELETED)] == states

    async def test_lists_have_the_newest_first_and_what_is_deleted_only_on_demand(self, bench: Bench) -> None:
        """Page by page."""
        made = [await running(bench) for _ in range(3)]
        await made[1].move(Move.DELETE)
        query = BroadcastQuery(1, frozenset(), None, 1)
        (first,) = await bench.store.read(read_broadcasts, query)
        (second,) = await bench.store.read(read_broadcasts, replace(query, before_id=first.broadcast_id))
        assert [made[2].broadcast_id, made[0].broadcast_id] == [first.broadcast_id, second.broadcast_id]
        gone = await bench.store.read(read_broadcasts, replace(query, states=frozenset({S.DELETED})))
        assert [made[1].broadcast_id] == [each.broadcast_id for each in gone]

    async def test_what_cannot_go_on_stops_with_a_reason(self, bench: Bench) -> None:
        """As where its template is gone."""
        broken = await running(bench)
        await bench.store.write(stop_failed, [(broken.broadcast_id, "no template", bench.now_us)], [1])
        now = await broken.now()
        assert (S.STOPPED, "no template", bench.now_us) == (now.state, now.detail, now.ended_at_us)


class ExpandingCases(OpenedStore):
    """From an audience to messages."""

    async def test_rows_come_back_in_order_without_those_left_out(self, bench: Bench) -> None:
        """With all that was known of them."""
        one = await running(bench)
        more = {"tokens": {"a": "b"}, "at": 7}
        given = (*rows(3), AudienceRow(4, "", "a@example.org", "token", more))
        assert await one.gather(*given)
        await bench.store.write(
            mark_duplicates, [Duplicates(one.broadcast_id, ((one.broadcast_id, 2),))] * 2, [1]
        )
        found = await bench.store.read(read_rows, one.broadcast_id, one.broadcast_id, 0, 10)
        assert [given[0], given[2], given[3]] == found
        assert [given[3]] == await bench.store.read(read_rows, one.broadcast_id, one.broadcast_id, 3, 10)
        assert 4 == await bench.store.read(read_audience_size, one.broadcast_id)

    async def test_rows_with_the_address_of_an_earlier_one_are_found(self, bench: Bench) -> None:
        """By the first address that they have, in the order that is asked for; one without any is like no other."""
        one = await running(bench)
        await one.gather(
            AudienceRow(1, "+447700900001", "a@example.org", "", NOTHING_MORE),
            AudienceRow(2, "+447700900001", "b@example.org", "", NOTHING_MORE),
            AudienceRow(3, "+447700900003", "a@example.org", "", NOTHING_MORE),
            AudienceRow(4, "", "a@example.org", "", NOTHING_MORE),
            AudienceRow(5, "", "a@example.org", "", NOTHING_MORE),
            AudienceRow(6, "", "", "", NOTHING_MORE),
            AudienceRow(7, "", "", "", NOTHING_MORE),
        )
        phone, email, device = AddressKind
        own = one.broadcast_id
        by_phone = await bench.store.read(read_duplicates, [own], (phone, email, device))
        assert [(own, 2), (own, 5)] == by_phone
        by_email = await bench.store.read(read_duplicates, [own], (email, phone, device))
        assert [(own, 3), (own, 4), (own, 5)] == by_email

    async def test_each_step_counts_once(self, bench: Bench) -> None:
        """However often it is repeated, as after a crash."""
        one = await running(bench)
        assert [True, False] == [await one.gather(*rows(2)) for _ in range(2)]
        assert [True, False] == [await one.sift(2) for _ in range(2)]
        then = Place(Stage.EXPANDING, 0, 2)
        assert [True, False] == [await one.expand(*phones(2), then=then) for _ in range(2)]
        assert 2 == len(await one.messages())
        progress = (await one.now()).progress
        assert (2, 2) == (progress.expected, progress.accepted)

    async def test_nothing_becomes_a_message_while_it_is_held(self, bench: Bench) -> None:
        """And after that it goes on where it was."""
        one = await running(bench)
        await one.gather()
        await one.sift(1)
        await one.move(Move.SUSPEND)
        assert not await one.expand(*phones(1))
        await one.move(Move.RESUME)
        assert await one.expand(*phones(1))

    async def test_the_content_is_stored_once(self, bench: Bench) -> None:
        """All messages, of however many batches, say it."""
        one = await running(bench)
        await one.gather()
        await one.sift(2)
        await one.expand(*phones(1), then=Place(Stage.EXPANDING, 0, 1))
        await one.expand(Recipient("+447700900777"), at=1)
        found = await one.messages()
        assert [{"text": "Your parcel is on its way"}] * 2 == [each.content for each in found]
        assert {one.broadcast_id} == {each.labels.broadcast_id for each in found}
        stored = await bench.store.read(
            lambda tx: tx.all("submission_contents", submission_ids=[one.broadcast_id])
        )
        assert 1 == len(stored)

    async def test_its_pace_is_kept_with_its_place(self, bench: Bench) -> None:
        """So that a restart goes on with it."""
        one = await running(bench, messages_per_minute=60)
        await one.gather()
        await one.sift(2)
        await one.expand(*phones(1), then=Place(Stage.EXPANDING, 0, 1), pace=Pace(60, NOW_US, 1))
        assert Pace(60, NOW_US, 1) == (await one.row()).pace

    async def test_counters_follow_the_messages(self, bench: Bench) -> None:
        """Refused, taken, delivered and failed, each once, and refusals by reason."""
        one = await running(bench)
        good, bad, late, refused = await one.expanded(*phones(3), Recipient("12"))
        assert 3 == await bench.store.read(read_ahead, one.broadcast_id, 10)
        assert 2 == await bench.store.read(read_ahead, one.broadcast_id, 2)
        attempts = {each.message_id: each for each in (await bench.claim()).attempts}
        assert 0 == await bench.store.read(read_ahead, one.broadcast_id, 10)
        await bench.settle(attempts[good], Accepted(("g",)))
        await bench.settle(attempts[bad], Rejected())
        await bench.settle(attempts[late], Accepted(("l",)))
        assert [True, True] == await bench.report(receipt("g"), receipt("g"))
        progress = (await one.now()).progress
        assert Progress(4, 0, accepted=3, refused=1, sent=2, delivered=1, failed=1, ended=2) == progress
        assert [(Reason.INVALID_RECIPIENT, 1)] == await bench.store.read(read_refusals, one.broadcast_id)
        assert State.REJECTED is await bench.state(refused)

    async def test_it_completes_with_its_last_message(self, bench: Bench) -> None:
        """And not while one is still out."""
        one = await running(bench)
        (message_id,) = await one.expanded(*phones(1))
        await one.tend()
        assert S.RUNNING is (await one.now()).state
        (attempt,) = (await bench.claim()).attempts
        assert message_id == attempt.message_id
        await bench.settle(attempt, Accepted(("a",)), receipts=False)
        assert needs_tending(await one.row(), bench.now_us, tells=False)
        await one.tend()
        now = await one.now()
        assert (S.COMPLETED, bench.now_us, 1) == (now.state, now.ended_at_us, now.progress.sent)
        while await one.tend():
            pass
        assert [] == await bench.store.read(read_active)

    async def test_progress_is_told_once_for_what_moved(self, bench: Bench) -> None:
        """Only where it is time, and only where there is something new."""
        one = await running(bench)
        await one.expanded(*phones(2))
        before = len(await bench.events())
        await one.tend(tells=False)
        await one.tend(tells=True)
        await one.tend(tells=True)
        assert not needs_tending(await one.row(), bench.now_us, tells=True)
        (told,) = (await bench.events())[before:]
        assert told.told is not None
        assert 2 == told.told["progress"]["accepted"]


class BroadcastingCases(MovingCases, ExpandingCases, HoldingCases):
    """All of broadcasts."""
