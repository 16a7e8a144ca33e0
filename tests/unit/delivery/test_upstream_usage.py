"""What upstreams say of their accounts: told on when it makes sense, and else the upstream's fault."""

import asyncio
from datetime import date
from typing import Any

import pytest

from broker.delivery.upstream_usage import COUNTS_MAX, UpstreamAccounts, UpstreamReport
from broker.errors import BrokerError, ErrorReason
from broker.spi import Capabilities, Channel, Provider, ReceiptMode, UpstreamBalance, UpstreamUsage

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 2)
BALANCE = UpstreamBalance(5, "EUR")


class Teller(Provider):
    """Says what a test wants of its account."""

    def __init__(self, *, balance: Any = None, usage: Any = None, senders: Any = None) -> None:
        self._balance, self._usage, self._senders = balance, usage, senders
        self.days: list[tuple[date, date]] = []

    @property
    def capabilities(self) -> Capabilities:
        """What was given."""
        told = {"balance": self._balance is not None, "usage": self._usage is not None}
        told["senders"] = self._senders is not None
        return Capabilities(frozenset({Channel.SMS}), ReceiptMode.NONE, **told)

    async def submit(self, messages: Any) -> Any:
        """Nobody asks for this."""
        raise NotImplementedError

    async def balance(self) -> UpstreamBalance:
        """As wanted."""
        return await _said(self._balance)

    async def usage(self, first: date, last: date) -> Any:
        """As wanted."""
        self.days.append((first, last))
        return await _said(self._usage)

    async def senders(self) -> Any:
        """As wanted."""
        return await _said(self._senders)


async def _said(wanted: Any) -> Any:
    if wanted == "hangs":
        await asyncio.Event().wait()
    if isinstance(wanted, Exception):
        raise wanted
    return wanted


class OneInstance:
    """A registry that has the provider "acme"."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.capabilities = provider.capabilities

    def get(self, name: str) -> Any:
        """Itself, by that name."""
        return self if name == "acme" else None


def accounts(**told: Any) -> UpstreamAccounts:
    """Over a provider that tells this."""
    return UpstreamAccounts(OneInstance(Teller(**told)), answer_s_max=0.05)  # type: ignore[arg-type]


async def reason(upstreams: UpstreamAccounts, name: str = "acme") -> ErrorReason:
    """Why nothing is told."""
    with pytest.raises(BrokerError) as error:
        await upstreams.report(name, FIRST, LAST)
    return error.value.reason


async def test_what_an_upstream_says_is_told_on_in_order() -> None:
    """By day, then by name; what it does not tell is None."""
    counts = [
        UpstreamUsage("sent", 3, LAST),
        UpstreamUsage("sent", 2, FIRST),
        UpstreamUsage("all", 5),
        UpstreamUsage("failed", 1, LAST),
    ]
    expected = (counts[2], counts[1], counts[3], counts[0])
    assert UpstreamReport(BALANCE, expected) == await accounts(balance=BALANCE, usage=counts).report(
        "acme", FIRST, LAST
    )
    assert UpstreamReport(BALANCE, None) == await accounts(balance=BALANCE).report("acme", FIRST, LAST)
    listed = await accounts(senders=["70555", "19893653744", "70555"]).report("acme", FIRST, LAST)
    assert UpstreamReport(None, None, ("19893653744", "70555")) == listed
    assert UpstreamReport(None, ()) == await accounts(usage=[]).report("acme", FIRST, LAST)


async def test_the_days_reach_the_provider() -> None:
    """As they were asked for."""
    teller = Teller(usage=[])
    await UpstreamAccounts(OneInstance(teller)).report("acme", FIRST, LAST)  # type: ignore[arg-type]
    assert [(FIRST, LAST)] == teller.days


async def test_a_provider_that_tells_nothing_is_not_asked() -> None:
    """Nor is one that is not there."""
    assert ErrorReason.UPSTREAM_USAGE_UNSUPPORTED is await reason(accounts())
    assert ErrorReason.PROVIDER_NOT_FOUND is await reason(accounts(), "nobody")


@pytest.mark.parametrize(
    "told",
    [
        {"balance": ConnectionError("no")},
        {"balance": "hangs"},
        {"balance": 5},
        {"balance": UpstreamBalance(2**63)},
        {"balance": UpstreamBalance(1.5)},  # type: ignore[arg-type]
        {"balance": UpstreamBalance(1, "a\nb")},
        {"usage": ValueError("no")},
        {"usage": 5},
        {"usage": ["sent"]},
        {"usage": [UpstreamUsage("x" * 257, 1)]},
        {"usage": [UpstreamUsage("sent", 1, "2026-03-01")]},  # type: ignore[arg-type]
        {"usage": [UpstreamUsage("sent", 1)] * (COUNTS_MAX + 1)},
        {"senders": ValueError("no")},
        {"senders": [70555]},
        {"senders": ["7" * 257]},
        {"senders": ["70555"] * (COUNTS_MAX + 1)},
    ],
    ids=lambda told: str(told)[:40],
)
async def test_whatever_makes_no_sense_is_the_upstreams_fault(told: dict[str, Any]) -> None:
    """The caller may try again."""
    assert ErrorReason.UPSTREAM_UNAVAILABLE is await reason(accounts(**told))
