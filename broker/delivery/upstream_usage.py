"""What upstreams say of the accounts that provider instances have with them: asked when somebody wants to know."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import structlog

from broker.delivery.provider_calls import in_time
from broker.delivery.registry import Registry
from broker.domain.value import value
from broker.errors import BrokerError, ErrorReason
from broker.spi import UpstreamBalance, UpstreamUsage

__all__ = ["UpstreamAccounts", "UpstreamReport"]

log = structlog.get_logger("waypost.providers")

ANSWER_S_MAX = 30.0
COUNTS_MAX = 10_000
CHARACTERS_MAX = 256
_MOST = 2**63


@value
class UpstreamReport:
    """What an upstream said; None: it does not tell that."""

    balance: UpstreamBalance | None
    usage: tuple[UpstreamUsage, ...] | None
    senders: tuple[str, ...] | None = None


class UpstreamAccounts:
    """Asks the instances of a registry."""

    def __init__(self, registry: Registry, *, answer_s_max: float = ANSWER_S_MAX) -> None:
        self._registry = registry
        self._answer_s_max = answer_s_max

    async def report(self, name: str, first: date, last: date) -> UpstreamReport:
        """What an instance's upstream says of these days.

        Raises BrokerError PROVIDER_NOT_FOUND, UPSTREAM_USAGE_UNSUPPORTED or UPSTREAM_UNAVAILABLE.
        """
        instance = self._registry.get(name)
        if instance is None:
            raise BrokerError(ErrorReason.PROVIDER_NOT_FOUND)
        able, provider = instance.capabilities, instance.provider
        if not (able.balance or able.usage or able.senders):
            raise BrokerError(ErrorReason.UPSTREAM_USAGE_UNSUPPORTED)
        balance = await self._ask(name, "balance", provider.balance, _balance) if able.balance else None
        usage = None
        if able.usage:
            usage = await self._ask(name, "usage", lambda: provider.usage(first, last), _usage)
        senders = await self._ask(name, "senders", provider.senders, _senders) if able.senders else None
        return UpstreamReport(balance, usage, senders)

    async def _ask(
        self, name: str, method: str, call: Callable[[], Awaitable[Any]], read: Callable[[Any], Any]
    ) -> Any:
        async def called() -> Any:
            return read(await call())

        task = asyncio.create_task(called())
        if await in_time(task, self._answer_s_max) and not task.cancelled() and task.exception() is None:
            return task.result()
        error = task.exception() if task.done() and not task.cancelled() else None
        why = type(error).__name__ if error else "timeout"
        log.warning("provider.upstream_unavailable", instance=name, method=method, error=why)
        raise BrokerError(ErrorReason.UPSTREAM_UNAVAILABLE)


def _balance(answer: object) -> UpstreamBalance:
    """The answer, where it can be told on: a plugin may hand on what a socket brought."""
    if not isinstance(answer, UpstreamBalance):
        raise TypeError(f"balance answered {type(answer).__name__}")
    _check_number(answer.amount_micros)
    _check_text(answer.currency)
    return answer


def _usage(answer: Any) -> tuple[UpstreamUsage, ...]:
    counts = tuple(answer)
    if len(counts) > COUNTS_MAX:
        raise ValueError(f"usage answered {len(counts)} counts")
    for each in counts:
        if not isinstance(each, UpstreamUsage) or not isinstance(each.day, date | None):
            raise TypeError(f"usage answered {type(each).__name__}")
        _check_number(each.count)
        _check_text(each.name)
    return tuple(sorted(counts, key=lambda each: (each.day or date.min, each.name)))


def _senders(answer: Any) -> tuple[str, ...]:
    found = tuple(answer)
    if len(found) > COUNTS_MAX:
        raise ValueError(f"senders answered {len(found)}")
    for each in found:
        _check_text(each)
    return tuple(sorted(set(found)))


def _check_number(number: object) -> None:
    if not isinstance(number, int) or not -_MOST <= number < _MOST:
        raise TypeError("it has a number that is none of 64 bits")


def _check_text(text: object) -> None:
    if not isinstance(text, str) or len(text) > CHARACTERS_MAX or not text.isprintable():
        raise TypeError("it has a text that is none of one short line")
