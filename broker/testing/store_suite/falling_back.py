# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of messages that go on by another channel: when they do, with what, and how they end."""

from typing import Any

import pytest

from broker.domain.fallback import ChannelFallback
from broker.domain.ids import format_id
from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import Accepted, NotAccepted, Outcome, Rejected, Unknown
from broker.domain.submission import Content, Recipient
from broker.domain.vocabulary import Channel, Guarantee, Reason
from broker.storage.agenda import Work
from broker.storage.dispatching import OpenAttempt
from broker.storage.erasing import Deleted
from broker.storage.history import Cancelled, NotCancellable
from broker.storage.questioning import release_leases
from broker.storage.retiring import LogTrim, Retirement, retire_messages, trim_logs
from broker.storage.ways import read_ways
from broker.testing.builders import NOW_US, SECOND_US, sms_and_email
from broker.testing.store_suite.bench import LEASE_US, Bench, attempt_at, receipt, room
from broker.testing.store_suite.opening import OpenedStore

PHONE, MAILBOX, TOKEN = "+447700900000", "ada@example.com", "token-1"
WAYS = {Channel.SMS: ("texter", "pigeon"), Channel.EMAIL: ("mailer",), Channel.PUSH: ("pusher",)}
INSTANCES = ("texter", "pigeon", "mailer", "pusher")
IN_A_MINUTE = ChannelFallback(60 * SECOND_US)
ON_FAILURE = ChannelFallback()


def rooms() -> tuple[Any, ...]:
    """Room with every instance."""
    return tuple(room(each) for each in INSTANCES)


async def send(bench: Bench, fallback: ChannelFallback | None = ON_FAILURE, **changes: Any) -> int:
    """A message that goes by SMS, and may go on by email."""
    fields: dict[str, Any] = {
        "recipients": (Recipient(phone_number=PHONE, email=MAILBOX),),
        "content": sms_and_email(),
        "fallback": fallback,
        "candidates": WAYS,
    }
    (message_id,) = await bench.send(**(fields | changes))
    return message_id


async def claim(bench: Bench, message_id: int) -> OpenAttempt:
    """The next attempt at a message, with whoever has it."""
    return attempt_at(message_id, await bench.claim(rooms=rooms()))


async def taken(bench: Bench, message_id: int, *ids: str) -> None:
    """The next attempt, which its provider takes."""
    assert await bench.settle(await claim(bench, message_id), Accepted(ids))


class FallbackCases(OpenedStore):
    """From one channel to the next."""

    @pytest.mark.parametrize(
        ("outcome", "reason"),
        [
            (Rejected(code="x1", text="no such subscriber"), Reason.REFUSED_BY_PROVIDER),
            (Rejected(Reason.INVALID_RECIPIENT), Reason.INVALID_RECIPIENT),
        ],
    )
    async def test_what_a_provider_rejects_goes_on(
        self, bench: Bench, outcome: Outcome, reason: Reason
    ) -> None:
        """One event says so and why; address, units and candidates are those of the next channel."""
        message_id = await send(bench)
        assert await bench.settle(await claim(bench, message_id), outcome)
        assert [Fact.ACCEPTED, Fact.ATTEMPTED, Fact.CHANNEL_CHANGED] == await bench.facts(message_id)
        message, change = await bench.message(message_id), (await bench.timeline(message_id))[-1].change
        assert (State.PROCESSING, Channel.EMAIL, MAILBOX, 1, None, ("mailer",)) == (
            message.state,
            message.channel,
            message.recipient,
            message.units,
            message.encoding,
            message.candidates,
        )
        said = (change.reason, change.provider, change.next_provider, change.previous_channel)
        assert (reason, "texter", "mailer", Channel.SMS) == said
        attempt = await claim(bench, message_id)
        assert (MAILBOX, Channel.EMAIL, f"{format_id(message_id)}-1", 2) == (
            attempt.message.recipient,
            attempt.message.channel,
            attempt.message.idempotency_key,
            attempt.message.attempt,
        )
        assert {"subject": "Your parcel", "text": "Your parcel is on its way"} == attempt.message.content

    async def test_every_event_is_of_the_channel_that_it_happened_on(self, bench: Bench) -> None:
        """Also those from before the move, read afterwards."""
        message_id = await send(bench)
        await bench.settle(await claim(bench, message_id), Rejected())
        await taken(bench, message_id, "e1")
        assert [
            (Fact.ACCEPTED, Channel.SMS, PHONE),
            (Fact.ATTEMPTED, Channel.SMS, PHONE),
            (Fact.CHANNEL_CHANGED, Channel.EMAIL, MAILBOX),
            (Fact.ATTEMPTED, Channel.EMAIL, MAILBOX),
            (Fact.HANDED_OVER, Channel.EMAIL, MAILBOX),
        ] == [(each.moved.fact, each.channel, each.recipient) for each in await bench.events()]

    async def test_what_the_network_could_not_deliver_goes_on(self, bench: Bench) -> None:
        """And ends once: by the receipt of the last channel."""
        message_id = await send(bench)
        await taken(bench, message_id, "s1")
        assert [True] == await bench.report(receipt("s1", "DELIVERY_FAILED", code="27"), provider="texter")
        assert State.PROCESSING == await bench.state(message_id)
        await taken(bench, message_id, "e1")
        assert [True] == await bench.report(receipt("e1"), provider="mailer")
        assert State.DELIVERED == await bench.state(message_id)
        ends = [each.moved for each in await bench.events() if each.moved.end]
        assert [Fact.DELIVERED] == [each.fact for each in ends]

    async def test_a_failure_that_a_question_finds_goes_on(self, bench: Bench) -> None:
        """The provider is asked about a receipt, and says that it failed."""
        message_id = await send(bench)
        await bench.settle(await claim(bench, message_id), Accepted(("s1",)), questions=True)
        bench.wait(31)
        (question,) = (await bench.overdue()).questions
        assert await bench.answer(question, receipt("s1", "DELIVERY_FAILED"))
        assert (Channel.EMAIL, State.PROCESSING) == await self.stands(bench, message_id)

    async def test_exhausted_attempts_go_on_with_new_ones(self, bench: Bench) -> None:
        """The next channel has all attempts of its own."""
        message_id = await send(bench)
        channels = []
        for _ in range(2 * bench.policy.retry.attempts_max):
            attempt = await claim(bench, message_id)
            channels.append(attempt.message.channel)
            assert await bench.settle(attempt, NotAccepted())
        most = bench.policy.retry.attempts_max
        assert [Channel.SMS] * most + [Channel.EMAIL] * most == channels
        assert (Channel.EMAIL, State.SENDING_FAILED) == await self.stands(bench, message_id)

    async def test_a_message_whose_providers_are_gone_goes_on(self, bench: Bench) -> None:
        """No route is left on its channel."""
        message_id = await send(bench)
        await bench.claim(rooms=(room("mailer"),), route=lambda *_: None)
        assert (Channel.EMAIL, State.ACCEPTED) == await self.stands(bench, message_id)
        await taken(bench, message_id, "e1")

    async def test_the_last_channel_ends_it(self, bench: Bench) -> None:
        """With its own reason."""
        message_id = await send(bench)
        await bench.settle(await claim(bench, message_id), Rejected(code="a"))
        await bench.settle(await claim(bench, message_id), Rejected(code="b"))
        assert (Channel.EMAIL, State.REJECTED) == await self.stands(bench, message_id)
        assert "b" == (await bench.timeline(message_id))[-1].change.provider_code
        assert await bench.due(message_id) is None

    async def test_three_channels_follow_each_other(self, bench: Bench) -> None:
        """In the caller's order."""
        content = Content({**sms_and_email().documents, Channel.PUSH: {"title": "", "body": "Hello"}})
        recipient = Recipient(phone_number=PHONE, email=MAILBOX, device_token=TOKEN)
        message_id = await send(
            bench,
            content=content,
            recipients=(recipient,),
            channels=(Channel.PUSH, Channel.SMS, Channel.EMAIL),
        )
        seen = []
        for _ in range(3):
            attempt = await claim(bench, message_id)
            seen.append((attempt.message.channel, attempt.message.recipient))
            await bench.settle(attempt, Rejected())
        assert [(Channel.PUSH, TOKEN), (Channel.SMS, PHONE), (Channel.EMAIL, MAILBOX)] == seen
        assert State.REJECTED == await bench.state(message_id)

    async def test_without_the_wish_a_failure_is_the_end(self, bench: Bench) -> None:
        """As ever, whatever content there is."""
        message_id = await send(bench, fallback=None)
        await bench.settle(await claim(bench, message_id), Rejected())
        assert (Channel.SMS, State.REJECTED) == await self.stands(bench, message_id)
        assert [] == await bench.store.read(read_ways, message_id)

    async def test_nobody_knows_is_no_failure(self, bench: Bench) -> None:
        """Without a time a message in doubt ends UNKNOWN: a second copy was not asked for."""
        message_id = await send(bench, guarantee=Guarantee.AT_MOST_ONCE)
        await bench.settle(await claim(bench, message_id), Unknown())
        assert (Channel.SMS, State.UNKNOWN) == await self.stands(bench, message_id)

    async def test_what_killed_the_process_is_not_tried_elsewhere(self, bench: Bench) -> None:
        """It would kill it there as well."""
        message_id = await send(bench)
        for _ in range(bench.policy.crashes_max):
            await claim(bench, message_id)
            bench.fence += 1
            await bench.store.write(release_leases, [(bench.now_us, LEASE_US)])
            await bench.overdue(can_ask=lambda _: False)
        assert (Channel.SMS, State.SENDING_FAILED) == await self.stands(bench, message_id)

    async def test_after_its_validity_nothing_goes_on(self, bench: Bench) -> None:
        """A failure that is found too late ends it."""
        message_id = await send(bench, validity_us=60 * SECOND_US)
        attempt = await claim(bench, message_id)
        bench.wait(60)
        await bench.settle(attempt, Rejected())
        assert (Channel.SMS, State.REJECTED) == await self.stands(bench, message_id)

    async def test_a_late_worker_changes_nothing_after_the_move(self, bench: Bench) -> None:
        """What the first channel's provider answers then belongs to no open attempt."""
        message_id = await send(bench, IN_A_MINUTE)
        attempt = await claim(bench, message_id)
        bench.wait(91)
        await bench.overdue(can_ask=lambda _: False)
        await bench.claim(rooms=rooms())
        before = await bench.facts(message_id)
        assert Fact.CHANNEL_CHANGED in before
        assert not await bench.settle(attempt, Accepted(("s1",)))
        assert before == await bench.facts(message_id)

    async def stands(self, bench: Bench, message_id: int) -> tuple[Channel | None, State]:
        """Its channel and its state."""
        message = await bench.message(message_id)
        return message.channel, message.state

    @pytest.mark.parametrize("early_us", [1, 0], ids=["a moment before", "exactly"])
    async def test_no_delivery_in_time_goes_on(self, bench: Bench, early_us: int) -> None:
        """To the microsecond, where the provider cannot be asked."""
        message_id = await send(bench, IN_A_MINUTE)
        await taken(bench, message_id, "s1")
        bench.now_us = NOW_US + 60 * SECOND_US - early_us
        await bench.overdue(can_ask=lambda _: False)
        expected = (Channel.SMS, State.SENT) if early_us else (Channel.EMAIL, State.PROCESSING)
        assert expected == await self.stands(bench, message_id)
        if not early_us:
            change = (await bench.timeline(message_id))[-1].change
            assert (Fact.CHANNEL_CHANGED, Reason.NOT_DELIVERED_IN_TIME) == (change.fact, change.reason)

    async def test_the_time_runs_while_it_waits_for_a_provider(self, bench: Bench) -> None:
        """One that takes nothing is left, at the time and without an attempt."""
        message_id = await send(bench, IN_A_MINUTE)
        claimed = await bench.claim(rooms=(), known=frozenset(INSTANCES))
        assert NOW_US + 60 * SECOND_US == claimed.next_at_us
        bench.wait(60)
        await bench.claim(rooms=(), known=frozenset(INSTANCES))
        assert [Fact.ACCEPTED, Fact.CHANNEL_CHANGED] == await bench.facts(message_id)
        await taken(bench, message_id, "e1")

    async def test_the_time_runs_from_when_it_is_due(self, bench: Bench) -> None:
        """A scheduled message has all of it."""
        message_id = await send(bench, IN_A_MINUTE, schedule_at_us=NOW_US + 600 * SECOND_US)
        row = await bench.due(message_id)
        assert row is not None
        assert NOW_US + 660 * SECOND_US == row.expire_at_us

    async def test_a_provider_learns_until_when_it_may_deliver(self, bench: Bench) -> None:
        """Until the message goes on; the last one until the end of validity."""
        message_id = await send(bench, IN_A_MINUTE)
        attempt = await claim(bench, message_id)
        assert NOW_US + 60 * SECOND_US == attempt.message.expire_at_us
        await bench.settle(attempt, Rejected())
        last = (await claim(bench, message_id)).message
        assert (await bench.message(message_id)).expire_at_us == last.expire_at_us

    async def test_a_retry_does_not_outlast_the_time(self, bench: Bench) -> None:
        """It is cut at the time, and then the message goes on instead."""
        message_id = await send(bench, IN_A_MINUTE, candidates={**WAYS, Channel.SMS: ("texter",)})
        await bench.settle(await claim(bench, message_id), NotAccepted(retry_after_s=3_600))
        bench.wait(60)
        await bench.claim(rooms=rooms())
        assert (Channel.EMAIL, State.PROCESSING) == await self.stands(bench, message_id)

    async def test_a_message_in_doubt_goes_on_in_time(self, bench: Bench) -> None:
        """And may have arrived: what the last channel refuses leaves it UNKNOWN, and it cannot be cancelled."""
        message_id = await send(bench, IN_A_MINUTE)
        await bench.settle(await claim(bench, message_id), Unknown(), questions=True)
        bench.wait(60)
        (question,) = (await bench.overdue()).questions
        assert await bench.answer(question, Unknown())
        assert (Channel.EMAIL, State.PROCESSING) == await self.stands(bench, message_id)
        assert isinstance(await bench.cancel(message_id), NotCancellable)
        await bench.settle(await claim(bench, message_id), Rejected())
        assert (Channel.EMAIL, State.UNKNOWN) == await self.stands(bench, message_id)

    async def test_with_a_time_at_most_once_is_once_a_channel(self, bench: Bench) -> None:
        """Nobody will ever tell, so it goes on at once."""
        message_id = await send(bench, IN_A_MINUTE, guarantee=Guarantee.AT_MOST_ONCE)
        await bench.settle(await claim(bench, message_id), Unknown())
        assert (Channel.EMAIL, State.PROCESSING) == await self.stands(bench, message_id)

    async def test_a_message_on_its_previous_channel_can_be_cancelled(self, bench: Bench) -> None:
        """Where the first one surely did not get it."""
        message_id = await send(bench)
        await bench.settle(await claim(bench, message_id), Rejected())
        assert isinstance(await bench.cancel(message_id), Cancelled)

    async def test_a_late_delivery_by_the_first_channel_is_the_end(self, bench: Bench) -> None:
        """Who has it has it: the message is DELIVERED by that channel, and the other goes no further."""
        message_id = await send(bench, IN_A_MINUTE)
        await taken(bench, message_id, "s1")
        bench.wait(60)
        await bench.overdue(can_ask=lambda _: False)
        assert [True] == await bench.report(receipt("s1"), provider="texter")
        assert (Channel.SMS, State.DELIVERED) == await self.stands(bench, message_id)
        last = (await bench.events())[-1]
        assert (Channel.SMS, PHONE, "texter") == (last.channel, last.recipient, last.moved.provider)
        assert not (await bench.claim(rooms=rooms())).attempts

    async def test_a_late_failure_of_the_first_channel_is_noted(self, bench: Bench) -> None:
        """It says nothing of the channel that the message is on."""
        message_id = await send(bench, IN_A_MINUTE)
        await taken(bench, message_id, "s1")
        bench.wait(60)
        await bench.overdue(can_ask=lambda _: False)
        await bench.report(receipt("s1", "DELIVERY_FAILED", code="27"), provider="texter")
        change = (await bench.timeline(message_id))[-1].change
        said = (change.fact, change.provider_code, change.detail)
        assert (Fact.LATE_RECEIPT, "27", "from SMS, which it left") == said
        assert (Channel.EMAIL, State.PROCESSING) == await self.stands(bench, message_id)

    async def test_all_parts_of_the_first_channel_are_a_delivery(self, bench: Bench) -> None:
        """Counted together with those that came before the move."""
        message_id = await send(bench, IN_A_MINUTE)
        await taken(bench, message_id, "s1", "s2", "s3")
        await bench.report(receipt("s2"), provider="texter")
        bench.wait(60)
        await bench.overdue(can_ask=lambda _: False)
        await taken(bench, message_id, "e1")
        await bench.report(receipt("s1"), receipt("s1"), provider="texter")
        assert State.SENT == await bench.state(message_id)
        await bench.report(receipt("s3"), provider="texter")
        assert (Channel.SMS, State.DELIVERED) == await self.stands(bench, message_id)

    async def test_after_the_end_the_first_channel_changes_nothing(self, bench: Bench) -> None:
        """It is a late receipt like any other."""
        message_id = await send(bench, IN_A_MINUTE)
        await taken(bench, message_id, "s1")
        bench.wait(60)
        await bench.overdue(can_ask=lambda _: False)
        await taken(bench, message_id, "e1")
        await bench.report(receipt("e1"), provider="mailer")
        await bench.report(receipt("s1"), provider="texter")
        assert Fact.LATE_RECEIPT == (await bench.facts(message_id))[-1]
        assert (Channel.EMAIL, State.DELIVERED) == await self.stands(bench, message_id)

    async def test_questions_about_the_previous_channel_name_its_ids_alone(self, bench: Bench) -> None:
        """Those of the first would mislead the provider."""
        message_id = await send(bench, candidates={Channel.SMS: ("texter",), Channel.EMAIL: ("texter",)})
        await taken(bench, message_id, "s1")
        await bench.report(receipt("s1", "DELIVERY_FAILED"), provider="texter")
        await bench.settle(await claim(bench, message_id), Accepted(("e1",)), questions=True)
        bench.wait(31)
        (question,) = (await bench.overdue()).questions
        assert ("e1",) == question.message.provider_message_ids

    async def test_it_is_found_by_each_address_that_it_went_to(self, bench: Bench) -> None:
        """Indexed before the move or after it, and by none that it never reached."""
        content = Content({**sms_and_email().documents, Channel.PUSH: {"title": "", "body": "Hello"}})
        recipient = Recipient(phone_number=PHONE, email=MAILBOX, device_token=TOKEN)
        for early in (False, True):
            message_id = await send(bench, content=content, recipients=(recipient,))
            if early:
                await bench.index()
            await bench.settle(await claim(bench, message_id), Rejected())
            await bench.index()
            for address, found in ((PHONE, True), (MAILBOX, True), (TOKEN, False)):
                (page,) = await bench.pages(recipients=frozenset({address}))
                assert found == (message_id in page), (address, early)

    async def test_deleting_it_erases_every_address(self, bench: Bench) -> None:
        """From its events and from the index as well."""
        message_id = await send(bench)
        await bench.settle(await claim(bench, message_id), Rejected())
        await bench.settle(await claim(bench, message_id), Rejected())
        await bench.index()
        assert isinstance(await bench.delete(message_id), Deleted)
        assert {""} == {each.recipient for each in await bench.events()}
        for address in (PHONE, MAILBOX):
            assert [[]] == await bench.pages(recipients=frozenset({address}), deleted=True)

    async def test_it_retires_with_all_its_ways(self, bench: Bench) -> None:
        """Nothing of it stays."""
        message_id = await send(bench)
        await bench.settle(await claim(bench, message_id), Rejected())
        await bench.settle(await claim(bench, message_id), Rejected())
        await bench.index()
        await bench.count()
        bench.wait(86_400)
        await bench.store.write(trim_logs, [LogTrim(1, bench.now_us, 1_000)], [1])
        await bench.store.write(retire_messages, [Retirement(0, bench.now_us, 1_000)])
        left = await bench.store.read(lambda tx: tx.all("recipients_of_ways", message_ids=[message_id]))
        assert [] == left

    async def test_a_restart_in_the_middle_goes_on_where_it_was(self, bench: Bench) -> None:
        """The move is in the store or it did not happen; what was open is asked about."""
        message_id = await send(bench)
        await bench.settle(await claim(bench, message_id), Rejected())
        await claim(bench, message_id)
        bench.fence += 1
        await bench.store.write(release_leases, [(bench.now_us, LEASE_US)])
        await bench.overdue(can_ask=lambda _: False)
        row = await bench.due(message_id)
        assert row is not None
        assert (Work.DISPATCH, 1, "mailer") == (row.work, row.way, row.provider)
        await taken(bench, message_id, "e1")
