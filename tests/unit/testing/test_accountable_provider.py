"""The suite on a provider whose upstream tells balance and usage, and what it finds in copies that tell them wrongly."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import aiohttp
import pytest
from pydantic import BaseModel, ConfigDict

from broker import spi
from broker.testing.provider_suite.accounting import AccountingCases
from broker.testing.upstream import Answer, Handler, Request, Say


class TellerSettings(BaseModel):
    """Where the upstream is."""

    model_config = ConfigDict(extra="forbid")

    url: str
    timeout_s: float = 20.0


class Teller(spi.Provider):
    """Sends nothing, and knows what it has."""

    capabilities = spi.Capabilities(
        frozenset({spi.Channel.SMS}), spi.ReceiptMode.NONE, balance=True, usage=True
    )

    def __init__(self, settings: TellerSettings) -> None:
        self._settings = settings

    async def start(self, context: spi.Context) -> None:
        """Keep what is lent."""
        self._context = context

    async def submit(self, messages: Sequence[spi.OutboundMessage]) -> Sequence[spi.Outcome]:
        """None is taken."""
        return [spi.NotAccepted(code="sends nothing")] * len(messages)

    async def balance(self) -> spi.UpstreamBalance:
        """In the upstream's own credits."""
        return spi.UpstreamBalance(round(float((await self._ask("balance"))["credits"]) * 1_000_000))

    async def usage(self, first: date, last: date) -> Sequence[spi.UpstreamUsage]:
        """By day."""
        said = await self._ask(f"usage?from={first}&to={last}")
        return [spi.UpstreamUsage("sms", int(count), date.fromisoformat(day)) for day, count in said.items()]

    async def _ask(self, path: str) -> dict[str, Any]:
        limit = aiohttp.ClientTimeout(total=self._settings.timeout_s)
        async with self._context.http().get(f"{self._settings.url}/{path}", timeout=limit) as response:
            response.raise_for_status()
            said: dict[str, Any] = json.loads(await response.read())
            return said


def answer(request: Request) -> Answer:
    """12.5 credits, and three messages on each end of a range."""
    if request.path.endswith("/balance"):
        return Answer(200, b'{"credits": "12.5"}')
    asked = request.query
    return Answer(200, json.dumps(dict.fromkeys((asked["from"], asked["to"]), 3)).encode())


class TellerSuite(AccountingCases):
    """What the teller says of itself."""

    provider_type = spi.ProviderType("teller", frozenset({spi.Channel.SMS}), TellerSettings, Teller)

    def settings(self, base_url: str) -> dict[str, Any]:
        """The fake."""
        return {"url": base_url}

    def impatience(self) -> dict[str, Any]:
        """It gives up soon."""
        return {"timeout_s": 0.3}

    def upstream(self) -> Handler:
        """As documented."""
        return answer


class TestTeller(TellerSuite):
    """It passes."""


class Rough(Teller):
    """Says what it has in a fraction."""

    async def balance(self) -> spi.UpstreamBalance:
        """Not in whole millionths."""
        return spi.UpstreamBalance((await super().balance()).amount_micros / 2)  # type: ignore[arg-type]


class Noisy(Teller):
    """Hands on what a socket brought."""

    async def balance(self) -> spi.UpstreamBalance:
        """With an escape sequence."""
        return replace(await super().balance(), currency="\x1b[2J")


class Hopeful(Teller):
    """Takes silence for nothing."""

    async def balance(self) -> spi.UpstreamBalance:
        """0, where it does not know."""
        try:
            return await super().balance()
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return spi.UpstreamBalance(0)

    async def usage(self, first: date, last: date) -> Sequence[spi.UpstreamUsage]:
        """None, where it does not know."""
        try:
            return await super().usage(first, last)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return []


class Wide(Teller):
    """Counts a day too many."""

    async def usage(self, first: date, last: date) -> Sequence[spi.UpstreamUsage]:
        """The day after."""
        return await super().usage(first, last + timedelta(days=1))


@pytest.mark.parametrize(
    ("provider", "case", "arguments"),
    [
        (Rough, "test_a_balance_is_an_amount_in_millionths", {}),
        (Noisy, "test_a_balance_is_an_amount_in_millionths", {}),
        (Wide, "test_usage_is_of_the_days_that_were_asked_about", {"days": 1}),
        (
            Hopeful,
            "test_an_upstream_that_failed_tells_nothing",
            {"what": "balance", "fault": Say(Answer(500))},
        ),
        (Hopeful, "test_an_upstream_that_failed_tells_nothing", {"what": "usage", "fault": Say(Answer(500))}),
        (Hopeful, "test_a_closed_port_tells_nothing", {"what": "balance"}),
        (Hopeful, "test_silence_tells_nothing", {"what": "usage"}),
    ],
)
def test_a_defect_is_found(provider: type[Teller], case: str, arguments: dict[str, Any]) -> None:
    """By the case that is about it."""

    class Broken(TellerSuite):
        provider_type = replace(TellerSuite.provider_type, create=provider)

    with pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(Broken(), case)(**arguments)
