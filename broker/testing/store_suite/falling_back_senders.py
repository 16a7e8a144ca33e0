# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of messages that go on by another channel, and of whom they are from there."""

from typing import Any

from broker.domain.consent import Consent
from broker.domain.fallback import ChannelFallback
from broker.domain.grounds import Grounds
from broker.domain.lifecycle import State
from broker.domain.outcome import Accepted, Rejected
from broker.domain.plan import Plan
from broker.domain.planning import plan
from broker.domain.sender import Sender, SenderCapability, SenderKind
from broker.domain.sender_book import SenderBook
from broker.domain.sender_pool import recipient_key
from broker.domain.submission import Recipient
from broker.domain.vocabulary import Reason
from broker.storage.acceptance import Acceptance, accept
from broker.storage.consenting import Asked, read_standings
from broker.storage.senders import ChoiceWish, read_choices
from broker.testing.builders import REMEMBER_US, sms_and_email, submission
from broker.testing.store_suite.bench import Bench, message_ids, receipt
from broker.testing.store_suite.falling_back import (
    IN_A_MINUTE,
    MAILBOX,
    ON_FAILURE,
    PHONE,
    WAYS,
    claim,
    taken,
)
from broker.testing.store_suite.opening import OpenedStore

NUMBER, DESK = "+12025550123", "desk@shop.example"


def _sender(sender_id: int, value: str, **changes: Any) -> Sender:
    """A registered number, or a mailbox."""
    mailbox = "@" in value
    fields: dict[str, Any] = {
        "kind": SenderKind.EMAIL_ADDRESS if mailbox else SenderKind.LONG_CODE,
        "country": "" if mailbox else "US",
        "capabilities": frozenset({SenderCapability.EMAIL if mailbox else SenderCapability.SMS}),
    }
    return Sender(sender_id=sender_id, account_id=1, value=value, **(fields | changes))


DEFAULTS = SenderBook([_sender(1, NUMBER, default=True), _sender(2, DESK, default=True)])


async def sent_from_defaults(
    bench: Bench, fallback: ChannelFallback = ON_FAILURE, book: SenderBook = DEFAULTS, **changes: Any
) -> int:
    """The same from the account's default sender of each channel."""
    asked = submission(
        recipients=(Recipient(phone_number=PHONE, email=MAILBOX),),
        content=sms_and_email(),
        fallback=fallback,
        **changes,
    )
    grounds = Grounds(
        bench.now_us, 10, lambda _asked, channel, *_: WAYS.get(channel, ()), find_carriers=book.find
    )
    made = plan(asked, bench.ids.take(2), grounds)
    assert isinstance(made, Plan)
    (answer,) = await bench.store.write(accept, [Acceptance(made, REMEMBER_US)], [1])
    (message_id,) = message_ids(answer)
    return message_id


class FallbackSenderCases(OpenedStore):
    """Each channel has a sender of its own."""

    async def test_each_channel_has_its_own_sender(self, bench: Bench) -> None:
        """What is handed over, shown, told, found and counted as opted out is that of the channel it happens on."""
        message_id = await sent_from_defaults(bench)
        first = await claim(bench, message_id)
        assert (NUMBER, NUMBER) == (first.message.sender, (await bench.message(message_id)).sender)
        assert await bench.settle(first, Rejected())
        second = await claim(bench, message_id)
        assert (DESK, DESK) == (second.message.sender, (await bench.message(message_id)).sender)
        await bench.settle(second, Accepted(("e1",)))
        assert [NUMBER, NUMBER, DESK, DESK, DESK] == [each.sender for each in await bench.events()]
        await bench.index()
        for sender in (NUMBER, DESK):
            assert [[message_id]] == await bench.pages(senders=frozenset({sender}))
        assert [[]] == await bench.pages(senders=frozenset({"nobody"}))

    async def test_a_message_that_did_not_go_on_is_found_by_the_sender_that_it_had(
        self, bench: Bench
    ) -> None:
        """Not by those that it might have had."""
        message_id = await sent_from_defaults(bench)
        await taken(bench, message_id, "s1")
        await bench.report(receipt("s1"), provider="texter")
        await bench.index()
        assert [[message_id]] == await bench.pages(senders=frozenset({NUMBER}))
        assert [[]] == await bench.pages(senders=frozenset({DESK}))

    async def test_a_late_delivery_brings_the_sender_of_its_channel_back(self, bench: Bench) -> None:
        """That is how it went."""
        message_id = await sent_from_defaults(bench, IN_A_MINUTE)
        await taken(bench, message_id, "s1")
        bench.wait(60)
        await bench.overdue(can_ask=lambda _: False)
        await taken(bench, message_id, "e1")
        assert DESK == (await bench.message(message_id)).sender
        assert [True] == await bench.report(receipt("s1"), provider="texter")
        message = await bench.message(message_id)
        assert (State.DELIVERED, NUMBER, PHONE) == (message.state, message.sender, message.recipient)

    async def test_an_opt_out_is_about_the_sender_of_its_channel(self, bench: Bench) -> None:
        """Whoever said STOP to one of them is written to by no other, and may be written to from the other later."""
        message_id = await sent_from_defaults(bench)
        assert await bench.settle(await claim(bench, message_id), Rejected(Reason.OPTED_OUT))
        assert State.REJECTED is await bench.state(message_id)
        asked = [Asked(1, NUMBER, PHONE), Asked(1, DESK, MAILBOX)]
        wishes = await bench.store.read(read_standings, asked)
        assert [Consent.OPTED_OUT, Consent.UNSET] == [each.state for each in wishes]

    async def test_a_pool_remembers_the_sender_of_each_channel(self, bench: Bench) -> None:
        """For the address that it is for."""
        book = SenderBook([_sender(1, NUMBER, pool="care"), _sender(2, DESK, pool="care")])
        await sent_from_defaults(bench, book=book, sender_pool="care")
        keys = [recipient_key(1, "care", address) for address in (PHONE, MAILBOX)]
        (kept,) = await bench.store.read(read_choices, [ChoiceWish(1, "care", keys)])
        assert [NUMBER, DESK] == [kept[key] for key in keys]
