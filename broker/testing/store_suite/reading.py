# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of reading events, of `cancel`, and of accounts being strangers to each other."""

from dataclasses import replace

import pytest

from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import Accepted, NotAccepted, Unknown
from broker.domain.records import EventRecord, Labels, MessageChange
from broker.domain.vocabulary import Channel, Reason
from broker.storage.acceptance import Acceptance, accept
from broker.storage.history import (
    Cancellation,
    Cancelled,
    NoSuchMessage,
    NotCancellable,
    cancel,
    read_events,
    read_log_bounds,
    read_message,
)
from broker.testing.builders import (
    NOW_US,
    PROVIDER,
    REMEMBER_US,
    SECOND_US,
    phones,
    planned,
    submission,
)
from broker.testing.store_suite.bench import Bench, message_ids
from broker.testing.store_suite.opening import OpenedStore


class EventCases(OpenedStore):
    """The log of an account."""

    async def test_a_message_shows_its_candidates_until_it_has_ended(self, bench: Bench) -> None:
        """And always which version of the routes named them."""
        asked = submission()
        plan = planned(asked, bench.ids.take(2), find_candidates=lambda *_: (PROVIDER, "second"))
        item = Acceptance(replace(plan, route_version=7), REMEMBER_US)
        (answer,) = await bench.store.write(accept, [item], [asked.account_id])
        (message_id,) = message_ids(answer)
        message = await bench.message(message_id)
        assert (7, (PROVIDER, "second")) == (message.route_version, message.candidates)
        await bench.cancel(message_id)
        message = await bench.message(message_id)
        assert (7, ()) == (message.route_version, message.candidates)

    async def test_an_event_carries_what_filters_and_readers_need(self, bench: Bench) -> None:
        """The message's own fields beside what happened."""
        (message_id,) = await bench.send(
            sender="Shop", tags=("a",), client_reference="ref", data="{}", origin="crm"
        )
        (event,) = await bench.events()
        expected = EventRecord(
            account_id=1,
            sequence=1,
            time_us=NOW_US,
            message_id=message_id,
            change=MessageChange(Fact.ACCEPTED, State.ACCEPTED, None),
            recipient="+447700900000",
            sender="Shop",
            channel=Channel.SMS,
            units=1,
            client_reference="ref",
            data="{}",
            labels=Labels(tags=("a",), origin="crm"),
        )
        assert expected == event

    async def test_a_reader_goes_on_after_any_event(self, bench: Bench) -> None:
        """With as many at once as it likes."""
        await bench.send(recipients=phones(7))
        sequences: list[int] = []
        while page := await bench.store.read(read_events, 1, sequences[-1] if sequences else 0, 3):
            sequences += [event.sequence for event in page]
        assert list(range(1, 8)) == sequences

    async def test_the_bounds_of_a_log_are_its_oldest_and_its_head(self, bench: Bench) -> None:
        """An empty log is one past its head; an unknown account has an empty one."""
        assert (1, 0) == await bench.store.read(read_log_bounds, 1)
        assert (1, 0) == await bench.store.read(read_log_bounds, 99)
        await bench.send(recipients=phones(2))
        assert (1, 2) == await bench.store.read(read_log_bounds, 1)


class CancelCases(OpenedStore):
    """Ending a message that surely no provider has."""

    async def test_a_waiting_message_can_be_cancelled(self, bench: Bench) -> None:
        """It ends, nothing is due, and it is never claimed."""
        (message_id,) = await bench.send()
        assert Cancelled() == await bench.cancel(message_id)
        message = await bench.message(message_id)
        assert (State.CANCELLED, Reason.CANCELLED_BY_SENDER, NOW_US) == (
            message.state,
            message.reason,
            message.ended_at_us,
        )
        assert () == (await bench.claim()).attempts

    async def test_a_scheduled_message_can_be_cancelled_before_its_time(self, bench: Bench) -> None:
        """It never reached a provider."""
        (message_id,) = await bench.send(schedule_at_us=NOW_US + 60 * SECOND_US)
        assert Cancelled() == await bench.cancel(message_id)

    async def test_a_message_that_surely_was_not_taken_can_be_cancelled(self, bench: Bench) -> None:
        """Between a clear refusal and the next attempt."""
        attempt = await bench.open()
        await bench.settle(attempt, NotAccepted(retry_after_s=60))
        assert Cancelled() == await bench.cancel(attempt.message_id)

    async def test_an_open_attempt_cannot_be_cancelled(self, bench: Bench) -> None:
        """Its provider may be sending it."""
        attempt = await bench.open()
        assert NotCancellable(State.PROCESSING) == await bench.cancel(attempt.message_id)
        assert await bench.settle(attempt, Accepted(("x",)))
        assert NotCancellable(State.SENT) == await bench.cancel(attempt.message_id)

    async def test_a_doubtful_message_cannot_be_cancelled(self, bench: Bench) -> None:
        """CANCELLED would claim that it was not sent."""
        attempt = await bench.open()
        await bench.settle(attempt, Unknown())
        assert NotCancellable(State.PROCESSING) == await bench.cancel(attempt.message_id)

    async def test_an_ended_message_cannot_be_cancelled(self, bench: Bench) -> None:
        """Nor twice, in one call or across calls."""
        (message_id,) = await bench.send()
        wish = Cancellation(1, message_id, NOW_US)
        assert [Cancelled(), NotCancellable(State.CANCELLED)] == await bench.store.write(
            cancel, [wish, wish], [1]
        )
        assert NotCancellable(State.CANCELLED) == await bench.cancel(message_id)

    async def test_a_missing_message_cannot_be_cancelled(self, bench: Bench) -> None:
        """And is told apart from one that has ended."""
        assert NoSuchMessage() == await bench.cancel(12345)


class StrangerCases(OpenedStore):
    """Another account's message is the same as none."""

    @pytest.mark.parametrize("account_id", [2, 99])
    async def test_a_strangers_message_cannot_be_read(self, bench: Bench, account_id: int) -> None:
        """Not even that it exists."""
        (message_id,) = await bench.send()
        assert await bench.store.read(read_message, account_id, message_id) is None
        assert await bench.store.read(read_message, account_id, 12345) is None

    async def test_a_strangers_message_cannot_be_cancelled(self, bench: Bench) -> None:
        """It goes its way."""
        (message_id,) = await bench.send()
        assert NoSuchMessage() == await bench.cancel(message_id, account_id=2)
        assert State.ACCEPTED == await bench.state(message_id)


class ReadingCases(EventCases, CancelCases, StrangerCases):
    """Reading and cancelling."""
