"""Calling a provider so that nothing it does can hurt: no raise, no hang, no wrong answer gets through."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

import structlog

from broker.domain.outcome import Unknown

log = structlog.get_logger("waypost.providers")

Answer = TypeVar("Answer")

STOP_GRACE_S = 1.0


async def guarded(
    call: Awaitable[Sequence[Answer]],
    *,
    instance: str,
    method: str,
    count: int,
    timeout_s: float,
    kinds: type | tuple[type, ...],
) -> list[Answer | Unknown]:
    """The `count` answers of a provider's call, or Unknown for each when it raised, hung or answered wrongly.

    A call that does not end in time is cancelled, and left behind if it resists.
    """
    task = asyncio.ensure_future(call)
    try:
        await asyncio.wait({task}, timeout=timeout_s)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not task.done():
        task.cancel()
        task.add_done_callback(_forget)
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


def _checked(
    answers: object, *, instance: str, method: str, count: int, kinds: type | tuple[type, ...]
) -> list[Answer | Unknown]:
    if (
        isinstance(answers, Sequence)
        and len(answers) == count
        and all(isinstance(each, kinds) for each in answers)
    ):
        return list(answers)
    log.error("provider.wrong_answer", instance=instance, method=method, messages=count)
    return [Unknown("wrong_answer", "the provider's answer does not fit its messages")] * count


def _forget(task: asyncio.Future[Any]) -> None:
    """Look at a late failure, so that it is not reported as never retrieved."""
    if not task.cancelled():
        task.exception()
