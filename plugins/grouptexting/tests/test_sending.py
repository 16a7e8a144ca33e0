"""Sending through the fake: what it is asked, what each number means, and how many connections that takes."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from broker.spi import Accepted, NotAccepted, OutboundMessage, Reason, Rejected, TextProfile, Unknown
from broker.testing.clock import ManualClock
from broker.testing.running import RunningProvider
from waypost_grouptexting.fake import FakeServer, Service, Texted
from waypost_grouptexting.mapping import SEND_CODES, NoAnswer
from waypost_grouptexting.wire import Pace

Message = Callable[..., OutboundMessage]
ADA = "2125550101"


@pytest.mark.covers("send", "send.phonenumber", "send.subject", "send.message", "send.code.1")
async def test_a_message_arrives_and_costs_a_credit(
    running: RunningProvider, service: Service, message: Message
) -> None:
    """With its subject where it has one; there is no id to know it by."""
    plain, titled = message(), message(content={"text": "It is on its way", "subject": "Parcel"})
    assert [[Accepted()], [Accepted()]] == [await running.submit(each) for each in (plain, titled)]
    assert [Texted(ADA, "Hello"), Texted(ADA, "(Parcel) It is on its way")] == service.texted
    assert 98 == service.credits


@pytest.mark.covers("send.message")
async def test_every_allowed_character_arrives(
    running: RunningProvider, service: Service, message: Message
) -> None:
    """Also those that mean something in a form, and line breaks."""
    text = "az AZ 09 .,:;!?()~=+-_\\/@$#&%\r\n%41+&message=no"
    assert [Accepted()] == await running.submit(message(text=text))
    assert [text] == [each.text for each in service.texted]


@pytest.mark.covers("send.code.-5")
async def test_who_is_on_the_opt_out_list_is_opted_out(
    running: RunningProvider, service: Service, message: Message
) -> None:
    """The broker remembers it for the sender."""
    service.opted_out.add(ADA)
    (outcome,) = await running.submit(message())
    assert (Reason.OPTED_OUT, "-5") == (outcome.reason, outcome.code)


@pytest.mark.covers("send.code.-104")
async def test_who_opted_out_of_the_long_code_is_so_for_everybody(
    running: RunningProvider, service: Service, message: Message
) -> None:
    """That person alone can undo it."""
    service.opted_out_globally.add(ADA)
    (outcome,) = await running.submit(message())
    assert (Reason.OPTED_OUT_GLOBALLY, "-104") == (outcome.reason, outcome.code)


@pytest.mark.covers("send.code.-7", "send.subject", "send.message")
@pytest.mark.parametrize(
    "content",
    [
        {"text": "x" * 161},
        {"text": "=" * 81},
        {"text": "x" * 155, "subject": "Parcel"},
        {"text": "Hello", "subject": "x" * 14},
        {"text": "one\ntwo"},
        {"text": "[]"},
        {"text": ""},
    ],
    ids=["long", "double", "together", "subject", "line feed", "character", "empty"],
)
async def test_a_text_that_cannot_be_sent_is_refused(
    running: RunningProvider, service: Service, message: Message, content: dict[str, str]
) -> None:
    """Routing keeps such texts away; Group Texting has the last word."""
    (outcome,) = await running.submit(message(content=content))
    assert (Reason.CONTENT_UNSUPPORTED, "-7") == (outcome.reason, outcome.code)
    assert [] == service.texted


@pytest.mark.covers("send.code.-7")
def test_routing_knows_which_texts_it_takes(running: RunningProvider) -> None:
    """And that it takes subjects."""
    able = running.provider.capabilities
    assert (TextProfile.RESTRICTED, {"sms.text", "sms.subject"}) == (able.text_profile, able.content)


@pytest.mark.covers("send.code.-106", "send.phonenumber")
async def test_a_number_that_is_none_is_an_invalid_recipient(
    running: RunningProvider, message: Message
) -> None:
    """Ten digits that no phone has."""
    (outcome,) = await running.submit(message("0125550101"))
    assert (Reason.INVALID_RECIPIENT, "-106") == (outcome.reason, outcome.code)


@pytest.mark.covers("send.phonenumber")
@pytest.mark.parametrize(
    "recipient", ["+442079460000", "+1212555010", "+121255501011", "12345", "+1212555010a"]
)
async def test_a_number_of_another_form_is_not_even_asked_for(
    running: RunningProvider, fake: FakeServer, message: Message, recipient: str
) -> None:
    """Ten digits of the one country are all that there are."""
    (outcome,) = await running.submit(message(recipient=recipient))
    assert (Reason.INVALID_RECIPIENT, "recipient") == (outcome.reason, outcome.code)
    assert 0 == fake.connections


@pytest.mark.covers("send.phonenumber")
async def test_all_digits_are_sent_where_the_settings_say_so(
    instance: Callable[..., Any], service: Service, message: Message
) -> None:
    """Up to fifteen; this service takes ten of any country's."""
    async with instance(number_form="digits") as running:
        (long,) = await running.submit(message(recipient="+442079460000"))
        assert (Reason.INVALID_RECIPIENT, "-106") == (long.reason, long.code)
        assert [Accepted()] == await running.submit(message(recipient="+4520794600"))
    assert ["4520794600"] == [each.phone for each in service.texted]


@pytest.mark.parametrize("sender", ["Acme", "+12125550199"])
async def test_another_sender_is_refused_by_name(
    running: RunningProvider, fake: FakeServer, message: Message, sender: str
) -> None:
    """Rather than sent from a number that nobody asked for."""
    (outcome,) = await running.submit(message(sender=sender))
    assert (Reason.INVALID_SENDER, "sender") == (outcome.reason, outcome.code)
    assert 0 == fake.connections
    assert [Accepted()] == await running.submit(message(sender="+12125550100"))


@pytest.mark.covers("send.code.-1", "send.user", "send.pass")
@pytest.mark.parametrize("wrong", [{"username": "nobody"}, {"password": "wrong"}])
async def test_wrong_credentials_burn_no_message(
    instance: Callable[..., Any], message: Message, wrong: dict[str, str]
) -> None:
    """An operator mends them, and it goes out."""
    async with instance(**wrong) as running:
        (outcome,) = await running.submit(message())
    assert (NotAccepted, "-1") == (type(outcome), outcome.code)


@pytest.mark.covers("send.code.-2")
async def test_without_credits_nothing_was_taken(
    running: RunningProvider, service: Service, message: Message
) -> None:
    """It may go another way, or wait for more."""
    service.credits = 0
    (outcome,) = await running.submit(message())
    assert (NotAccepted, "-2") == (type(outcome), outcome.code)


@pytest.mark.covers("send.code.-10")
async def test_an_error_of_its_own_tells_nothing(
    running: RunningProvider, service: Service, message: Message
) -> None:
    """It may have been sent."""
    service.broken = True
    (outcome,) = await running.submit(message())
    assert (Unknown, "-10") == (type(outcome), outcome.code)


def test_a_number_that_nobody_documented_is_no_code() -> None:
    """Those of the document are all there are, and only one is a success."""
    assert {1, -1, -2, -5, -7, -10, -104, -106} == set(SEND_CODES)
    assert [1] == [code for code, outcome in SEND_CODES.items() if isinstance(outcome, Accepted)]
    assert 4 == sum(isinstance(outcome, Rejected) for outcome in SEND_CODES.values())


@pytest.mark.covers("connections")
async def test_many_messages_go_out_over_two_connections(
    running: RunningProvider, fake: FakeServer, service: Service, message: Message
) -> None:
    """None of them is turned away for haste, and they all arrive."""
    outcomes = await asyncio.gather(*(running.submit(message(text=f"{number}")) for number in range(40)))
    assert [[Accepted()]] * 40 == outcomes
    assert 40 == len(service.texted)
    assert (0, True) == (fake.refused, fake.connections <= 2)


@pytest.mark.covers("connections", "send.code.503")
async def test_who_hurries_is_turned_away_and_nothing_is_sent(
    instance: Callable[..., Any], fake: FakeServer, service: Service, message: Message
) -> None:
    """The fake does what the document threatens with, and the message was surely not taken."""
    async with instance(connections_max=10, connections_per_s_max=1_000) as running:
        outcomes = await asyncio.gather(*(running.submit(message()) for _ in range(10)))
    turned_away = [each for (each,) in outcomes if isinstance(each, NotAccepted)]
    assert fake.refused == len(turned_away) > 0
    assert {"http_503"} == {each.code for each in turned_away}
    assert 10 - fake.refused == len(service.texted)


@pytest.mark.covers("connections")
async def test_new_connections_wait_for_their_second() -> None:
    """Two at once, the third a second after the first; a clock that was set back holds nobody up."""
    clock = ManualClock()
    pace = Pace(2, clock)
    await pace.wait()
    clock.advance(0.25)
    await pace.wait()
    third = asyncio.create_task(pace.wait())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [0.75] == clock.sleeps_s
    clock.advance(0.75)
    await third
    clock.time_us -= 3_600_000_000
    await pace.wait()
    assert [0.75] == clock.sleeps_s


async def test_who_finds_no_connection_free_has_sent_nothing(
    instance: Callable[..., Any], service: Service, message: Message
) -> None:
    """The broker is told to slow down."""
    async with instance(connections_max=1, timeout_s=0.05) as running:
        line = running.provider._line
        await line._free.acquire()
        (outcome,) = await running.submit(message())
    assert (NotAccepted, "throttled") == (type(outcome), outcome.code)
    assert [] == service.texted


@pytest.mark.covers("credits.check", "credits.check.user", "credits.check.pass", "credits.check.code.n")
@pytest.mark.parametrize("credits_", [0, 7, 1_000_000])
async def test_the_balance_is_the_credits_that_are_left(
    running: RunningProvider, service: Service, credits_: int
) -> None:
    """In its own credits, of no currency."""
    service.credits = credits_
    found = await running.provider.balance()
    assert (credits_ * 1_000_000, "") == (found.amount_micros, found.currency)


@pytest.mark.covers("credits.check.code.-1", "credits.check.code.-10")
async def test_a_balance_that_nobody_told_is_none(instance: Callable[..., Any], service: Service) -> None:
    """A negative number is a code, and the code is told."""
    async with instance(password="wrong") as running:
        with pytest.raises(NoAnswer, match="credits/check: -1"):
            await running.provider.balance()
    service.broken = True
    async with instance() as running:
        with pytest.raises(NoAnswer, match="credits/check: -10"):
            await running.provider.balance()
