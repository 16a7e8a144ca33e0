"""Guarded calls: whatever a provider does, the broker gets one answer for each message."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from broker.delivery.provider_calls import guarded
from broker.domain.outcome import Accepted, NotAccepted, Receipt, ReceiptStatus, Rejected, Unknown
from broker.spi import Channel, OutboundMessage, Traffic

OUTCOMES = (Accepted, Rejected, NotAccepted, Unknown)
MESSAGE = OutboundMessage("1", "1", Channel.SMS, "+447700900123", "", {}, Traffic.TRANSACTIONAL, 1, 0, 0, 1)


async def call(provider: Any, *, count: int = 2, timeout_s: float = 5, kinds: Any = OUTCOMES) -> list[Any]:
    """The guarded answers to some messages."""
    return await guarded(
        provider, [MESSAGE] * count, instance="acme", method="submit", timeout_s=timeout_s, kinds=kinds
    )


def answering(*answers: Any) -> Any:
    """A provider's method that gives these."""

    async def submit(_messages: Sequence[OutboundMessage]) -> Any:
        return answers[0] if len(answers) == 1 else answers

    return submit


async def test_right_answers_pass_in_their_order() -> None:
    """Every kind of outcome, from any sequence."""
    outcomes = [Accepted(("a", "b"), 100, "EUR"), Rejected(), NotAccepted(1.5), Unknown("x", "y")]
    outcomes.append(Accepted(("a",), aliases=("b", "c"), code="warned"))
    assert outcomes == await call(answering(tuple(outcomes)), count=5)


async def test_receipts_pass_where_they_are_asked_for() -> None:
    """`query` may answer them, `submit` may not."""
    receipt = Receipt("x", ReceiptStatus.DELIVERED)
    assert [receipt] == await call(answering([receipt]), count=1, kinds=(*OUTCOMES, Receipt))
    assert ["wrong_answer"] == [each.code for each in await call(answering([receipt]), count=1)]


async def raises(_messages: Sequence[OutboundMessage]) -> Any:
    """A coroutine that fails."""
    raise OSError("+447700900123 is in this text")


def raises_at_once(_messages: Sequence[OutboundMessage]) -> Any:
    """No coroutine function: it fails before there is anything to await."""
    raise OSError("at once")


async def cancels_itself(_messages: Sequence[OutboundMessage]) -> Any:
    """As a provider does whose own task group was cancelled."""
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("provider", "code"),
    [
        (raises, "exception"),
        (raises_at_once, "exception"),
        (lambda _messages: [Accepted(), Accepted()], "exception"),
        (cancels_itself, "cancelled"),
        (answering([Accepted()]), "wrong_answer"),
        (answering([Accepted()] * 3), "wrong_answer"),
        (answering(None), "wrong_answer"),
        (answering("ok"), "wrong_answer"),
        (answering({0: Accepted(), 1: Accepted()}), "wrong_answer"),
        (answering([Accepted(), "ok"]), "wrong_answer"),
        (answering([Accepted(), None]), "wrong_answer"),
        (answering(iter([Accepted(), Accepted()])), "wrong_answer"),
    ],
)
async def test_a_call_that_fails_as_a_whole_leaves_every_outcome_unknown(provider: Any, code: str) -> None:
    """A raise at any point, another length, another type."""
    assert [code, code] == [each.code for each in await call(provider)]


async def test_an_exceptions_text_goes_nowhere() -> None:
    """It may quote a body or an address; only its type is told."""
    assert not any("+44" in each.text for each in await call(raises))


@pytest.mark.parametrize(
    "broken",
    [
        Accepted("abc"),  # type: ignore[arg-type]
        Accepted((1,)),  # type: ignore[arg-type]
        Accepted(("a\nb",)),
        Accepted(("\udc80",)),
        Accepted(("a\0",)),
        Unknown(text="a\0b"),
        Rejected(code=404),  # type: ignore[arg-type]
        Rejected(reason="no"),  # type: ignore[arg-type]
        NotAccepted("5"),  # type: ignore[arg-type]
        NotAccepted(text=b"no"),  # type: ignore[arg-type]
        Unknown(text="caf\udce9"),
        Receipt(5, ReceiptStatus.SENT),  # type: ignore[arg-type]
        Receipt("x", "delivered"),  # type: ignore[arg-type]
        Receipt("x", ReceiptStatus.SENT, part=None),  # type: ignore[arg-type]
        Receipt("x", ReceiptStatus.SENT, part=1 << 70),
        NotAccepted(10**400),
        Accepted(("i" * 256,)),
        Accepted(("a",), aliases="bc"),  # type: ignore[arg-type]
        Accepted(("a",), aliases=("b\nc",)),
        Accepted(("a", "b"), aliases=("c",)),
        Accepted(("a",), code=7),  # type: ignore[arg-type]
    ],
    ids=repr,
)
async def test_an_answer_that_cannot_be_stored_is_unknown_and_harms_no_other(broken: Any) -> None:
    """It would fail the transaction that settles its whole batch."""
    answers = await call(answering([Accepted(("a",)), broken]), kinds=(*OUTCOMES, Receipt))
    assert [Accepted(("a",)), "wrong_answer"] == [answers[0], answers[1].code]


async def test_a_call_that_hangs_is_cancelled() -> None:
    """And its outcomes are unknown."""
    ended = asyncio.Event()

    async def hang(_messages: Sequence[OutboundMessage]) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    assert ["timeout", "timeout"] == [each.code for each in await call(hang, timeout_s=0.01)]
    await asyncio.wait_for(ended.wait(), 5)


async def test_a_call_that_resists_its_cancellation_is_left_behind() -> None:
    """It keeps nobody waiting, and its late failure disturbs nobody."""
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    release = asyncio.Event()

    async def resist(_messages: Sequence[OutboundMessage]) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await release.wait()
        raise OSError("late")

    assert ["timeout", "timeout"] == [each.code for each in await call(resist, timeout_s=0.01)]
    before = asyncio.all_tasks()
    release.set()
    await asyncio.wait(before - {asyncio.current_task()}, timeout=5)
    del before
    await asyncio.sleep(0)
    assert [] == reported


async def test_a_cancelled_caller_cancels_the_call() -> None:
    """As at a shutdown; what the provider raises then disturbs nobody."""
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    begun, ended = asyncio.Event(), asyncio.Event()

    async def fail_on_cancel(_messages: Sequence[OutboundMessage]) -> Any:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
            raise OSError("while cancelled")

    calling = asyncio.create_task(call(fail_on_cancel))
    await begun.wait()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    await asyncio.wait_for(ended.wait(), 5)
    await asyncio.sleep(0)
    assert [] == reported


class Taken(Accepted):
    """What a plugin may make of an outcome."""


async def test_a_kind_of_outcome_that_the_broker_does_not_know_is_unknown() -> None:
    """Nothing here says what a subclass means."""
    answers = await call(answering(Accepted(("a",)), Taken(("b",))))
    assert ["wrong_answer"] * 2 == [each.code for each in answers]
