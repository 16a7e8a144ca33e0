"""What people write, as Group Texting calls it in; and what they are answered, as the answer to that call."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from broker.spi import Accepted, CallbackRequest, Inbound, LateAnswer, OutboundMessage, Traffic, Unknown
from broker.testing.running import RunningProvider
from waypost_grouptexting import held
from waypost_grouptexting.fake import Service

Message = Callable[..., OutboundMessage]
LONG_CODE = "+12125550100"
ADA = "2125550101"


def called(**query: str) -> CallbackRequest:
    """A callback with these parameters."""
    return CallbackRequest("GET", "", tuple(query.items()), {}, b"")


@pytest.mark.covers(
    "keyword_callback", "keyword_callback.PhoneNumber", "keyword_callback.Message",
    "inbox_callback", "inbox_callback.from", "inbox_callback.message",
)  # fmt: skip
@pytest.mark.parametrize(
    "names",
    [("PhoneNumber", "Message"), ("from", "message"), ("From", "Message"), ("phonenumber", "message")],
)
async def test_what_somebody_wrote_is_told(running: RunningProvider, names: tuple[str, str]) -> None:
    """From either callback, whatever the case of its parameters; to the long code, since nothing says to which."""
    phone, text = names
    answer = await running.callback(called(**{phone: ADA, text: "SALE me & you"}))
    assert [Inbound(f"+1{ADA}", LONG_CODE, "SALE me & you")] == answer.facts
    assert (200, b"", None) == (answer.status, answer.body, answer.later)


@pytest.mark.parametrize(
    ("written", "writer"),
    [
        ("2125550101", "+12125550101"),
        ("12125550101", "+12125550101"),
        ("+12125550101", "+12125550101"),
        ("(212) 555-0101", "+12125550101"),
        ("447700900123", "+447700900123"),
        ("55512", "55512"),
    ],
)
async def test_a_writer_is_told_in_one_form(running: RunningProvider, written: str, writer: str) -> None:
    """That in which messages are addressed to them."""
    (fact,) = (await running.callback(called(PhoneNumber=written, Message="Hi"))).facts
    assert writer == fact.sender


@pytest.mark.parametrize(
    "request_",
    [called(PhoneNumber=ADA), called(Message="Hi"), called(PhoneNumber="Ada", Message="Hi"), called()],
)
async def test_a_callback_that_makes_no_sense_is_refused(
    running: RunningProvider, request_: CallbackRequest
) -> None:
    """And tells nothing."""
    answer = await running.callback(request_)
    assert (400, []) == (answer.status, list(answer.facts))


async def test_callbacks_are_gets(running: RunningProvider) -> None:
    """The document knows no others."""
    request = CallbackRequest("POST", "", (("PhoneNumber", ADA), ("Message", "Hi")), {}, b"")
    assert 405 == (await running.callback(request)).status


@pytest.fixture
async def holding(instance: Callable[..., Any]) -> AsyncIterator[RunningProvider]:
    """An instance that answers callbacks with what their writers are answered."""
    async with instance(reply_in_answer_s=20, replies_held_max=2) as running:
        yield running


async def wait_for(running: RunningProvider, phone: str = ADA) -> tuple[LateAnswer, "asyncio.Task[Any]"]:
    """A callback that is being held open."""
    later = (await running.callback(called(**{"from": phone, "message": "Are you open?"}))).later
    assert later is not None
    answer = asyncio.create_task(later.answer())
    await asyncio.sleep(0)
    return later, answer


@pytest.mark.covers("keyword_callback.answer", "inbox_callback.answer")
async def test_an_answer_is_the_answer_of_the_callback(
    holding: RunningProvider, service: Service, message: Message
) -> None:
    """It costs no request, and is taken once it was written; the next one is a message of its own."""
    later, answer = await wait_for(holding)
    reply = message(text="Until 8", traffic=Traffic.CONVERSATIONAL)
    sending = asyncio.create_task(holding.submit(reply))
    said = await answer
    assert (200, b"Until 8") == (said.status, said.body)
    assert not sending.done()
    later.written(True)
    assert [Accepted()] == await sending
    assert [] == service.texted
    assert [Accepted()] == await holding.submit(reply)
    assert ["Until 8"] == [each.text for each in service.texted]


async def test_an_answer_that_was_not_written_is_sent(
    holding: RunningProvider, service: Service, message: Message
) -> None:
    """Group Texting had hung up: nothing was said yet."""
    later, answer = await wait_for(holding)
    sending = asyncio.create_task(holding.submit(message(text="Until 8", traffic=Traffic.CONVERSATIONAL)))
    await answer
    later.written(False)
    assert [Accepted()] == await sending
    assert ["Until 8"] == [each.text for each in service.texted]


async def test_an_answer_that_nobody_knows_of_is_unknown(
    holding: RunningProvider, service: Service, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not sent a second time by itself."""
    monkeypatch.setattr(held, "WRITTEN_S_MAX", 0.01)
    await wait_for(holding)
    (outcome,) = await holding.submit(message(traffic=Traffic.CONVERSATIONAL))
    assert (Unknown, "answer_lost") == (type(outcome), outcome.code)
    assert [] == service.texted


@pytest.mark.parametrize(
    "changes",
    [
        {"traffic": Traffic.PROMOTIONAL},
        {"recipient": "+12125550102", "traffic": Traffic.CONVERSATIONAL},
        {"content": {"text": "Hi", "subject": "Shop"}, "traffic": Traffic.CONVERSATIONAL},
    ],
    ids=["advertisement", "somebody else", "subject"],
)
async def test_other_messages_are_no_answers(
    holding: RunningProvider, service: Service, message: Message, changes: dict[str, Any]
) -> None:
    """The callback waits on."""
    _, answer = await wait_for(holding)
    assert [Accepted()] == await holding.submit(message(**changes))
    assert 1 == len(service.texted)
    assert not answer.done()


async def test_nothing_to_say_is_an_empty_answer(instance: Callable[..., Any]) -> None:
    """When the time is over."""
    async with instance(reply_in_answer_s=0.01) as running:
        _, answer = await wait_for(running)
        assert (200, b"") == ((await answer).status, (await answer).body)


async def test_two_callbacks_of_one_writer_are_answered_in_turn(
    holding: RunningProvider, message: Message
) -> None:
    """The oldest first."""
    waiting = [await wait_for(holding), await wait_for(holding)]
    texts = ("one", "two")
    sending = [
        asyncio.create_task(holding.submit(message(text=text, traffic=Traffic.CONVERSATIONAL)))
        for text in texts
    ]
    assert [b"one", b"two"] == [(await answer).body for _, answer in waiting]
    for later, _ in waiting:
        later.written(True)
    assert [[Accepted()]] * 2 == [await each for each in sending]


async def test_so_many_are_held_and_no_more(holding: RunningProvider) -> None:
    """Who comes then is answered at once; a place that is free again is used again."""
    first, second = [await wait_for(holding, phone) for phone in (ADA, "2125550102")]
    request = called(**{"from": "2125550103", "message": "Hi"})
    assert None is (await holding.callback(request)).later
    first[1].cancel()
    await asyncio.wait({first[1]})
    assert None is not (await holding.callback(request)).later
    assert not second[1].done()


async def test_stopping_lets_all_of_them_go(holding: RunningProvider) -> None:
    """With nothing to say."""
    _, answer = await wait_for(holding)
    await holding.stop()
    assert b"" == (await answer).body
