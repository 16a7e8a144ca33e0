"""Calling a provider so that nothing it does can hurt: no raise, no hang, no wrong answer gets through."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import structlog

from broker.domain.broadcast import BroadcastState
from broker.domain.forwarding import OptInAnswer, OptInFound
from broker.domain.outcome import Accepted, NotAccepted, Receipt, ReceiptStatus, Rejected, Unknown
from broker.domain.upstream_broadcast import BroadcastMoved, UpstreamBroadcast
from broker.domain.vocabulary import Reason

log = structlog.get_logger("waypost.providers")

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

ID_CHARACTERS_MAX = 255
PARTS_MAX = 255
WRONG = Unknown("wrong_answer", "the provider's answer does not fit its messages")


async def guarded(
    call: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]],
    messages: Sequence[Asked],
    *,
    instance: str,
    method: str,
    timeout_s: float,
    kinds: tuple[type, ...],
) -> list[Answer | Unknown]:
    """A provider's answers to `call(messages)`, or Unknown for each when it raised, hung or answered wrongly.

    A call that does not end in time is cancelled, and left behind if it resists.
    """
    count = len(messages)
    task = asyncio.create_task(_called(call, messages))
    if not await in_time(task, timeout_s):
        log.warning("provider.timeout", instance=instance, method=method, messages=count, seconds=timeout_s)
        return [Unknown("timeout", f"no answer within {timeout_s:g} s")] * count
    if task.cancelled():
        return [Unknown("cancelled", "the call was cancelled")] * count
    if (error := task.exception()) is not None:
        log.error(
            "provider.raised", instance=instance, method=method, messages=count, error=type(error).__name__
        )
        return [Unknown("exception", f"the provider raised {type(error).__name__}")] * count
    return _checked(task.result(), instance=instance, method=method, count=count, kinds=kinds)


async def in_time(task: "asyncio.Task[Any]", timeout_s: float) -> bool:
    """Whether a provider's call has ended in time. One that has not is cancelled, and left behind if it resists."""
    try:
        await asyncio.wait({task}, timeout=timeout_s)
    except asyncio.CancelledError:
        task.cancel()
        task.add_done_callback(_forget)
        raise
    if task.done():
        return True
    task.cancel()
    task.add_done_callback(_forget)
    return False


async def _called(
    call: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]],
    messages: Sequence[Asked],
) -> Sequence[Answer]:
    """Call it within the task: what is no coroutine function may raise, or answer, before it is awaited."""
    return await call(messages)


def _checked(
    answers: object, *, instance: str, method: str, count: int, kinds: tuple[type, ...]
) -> list[Answer | Unknown]:
    if (
        isinstance(answers, Sequence)
        and len(answers) == count
        and all(type(each) in kinds for each in answers)
    ):
        checked = [each if _sound(each) else WRONG for each in answers]
        if wrong := sum(each is WRONG for each in checked):
            log.error("provider.wrong_answer", instance=instance, method=method, messages=wrong)
        return checked
    log.error("provider.wrong_answer", instance=instance, method=method, messages=count)
    return [WRONG] * count


def _sound(answer: Any) -> bool:
    """Whether its fields are of their types and can be stored: a plugin may hand on what a socket brought."""
    kind = type(answer)  # plain comparisons: to the type checker the fields are what they should be
    if kind is Accepted:
        ids, aliases = answer.provider_message_ids, answer.aliases
        fits = isinstance(ids, tuple) and isinstance(aliases, tuple) and not (aliases and len(ids) > 1)
        fits = fits and all(_is_id(each) for each in (*ids, *aliases))
        texts = (*ids, *aliases, answer.code, answer.text) if fits else ()
    elif kind is Rejected:
        texts, fits = (answer.code, answer.text), isinstance(answer.reason, Reason)
    elif kind is NotAccepted:
        texts, fits = (answer.code, answer.text), _is_span(answer.retry_after_s)
    elif kind is Receipt:
        texts = (answer.provider_message_id, answer.code, answer.text)
        fits = (
            isinstance(answer.status, ReceiptStatus)
            and _is_part(answer.part)
            and (answer.reason is None or isinstance(answer.reason, Reason))
        )
    elif kind is OptInAnswer:
        texts, fits = (answer.code, answer.text), isinstance(answer.accepted, bool)
    elif kind is OptInFound:
        texts, fits = (answer.code, answer.text), answer.opted_in is None or isinstance(answer.opted_in, bool)
    elif kind is UpstreamBroadcast:
        texts, fits = (answer.upstream_id,), _is_id(answer.upstream_id) and _is_count_of(answer)
    elif kind is BroadcastMoved:
        texts, fits = (), True
    else:
        texts, fits = (answer.code, answer.text), True
    try:
        storable = b"\0" not in "".join(texts).encode()
    except (TypeError, UnicodeEncodeError):
        return False
    return fits and storable


def _is_id(identity: Any) -> bool:
    """Ids of a message are kept joined by line ends, and each is a key of a table."""
    return isinstance(identity, str) and "\n" not in identity and len(identity) <= ID_CHARACTERS_MAX


def _is_span(seconds: Any) -> bool:
    """An upstream's Retry-After may be any number of digits, and a float holds no more than 2^53 exactly."""
    return (
        seconds is None or isinstance(seconds, float) or (isinstance(seconds, int) and abs(seconds) < 2**53)
    )


def _is_count_of(answer: Any) -> bool:
    """Whether a broadcast's state, counts and times can be stored."""
    counts = (answer.expected, answer.sent, answer.delivered, answer.failed)
    numbers = (*counts, answer.started_at_us, answer.ended_at_us)
    sound = all(each is None or (isinstance(each, int) and 0 <= each < 2**63) for each in numbers)
    return sound and isinstance(answer.state, BroadcastState)


def _is_part(part: Any) -> bool:
    return isinstance(part, int) and 0 <= part <= PARTS_MAX


def _forget(task: asyncio.Future[Any]) -> None:
    """Look at a late failure, so that it is not reported as never retrieved."""
    if not task.cancelled():
        task.exception()
