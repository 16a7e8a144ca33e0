"""The suite on a provider whose upstream keeps opt-ins itself, and what it finds in copies that do so wrongly."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from pydantic import BaseModel, ConfigDict

from broker import spi
from broker.testing.provider_suite.consenting import ConsentingCases
from broker.testing.upstream import Answer, Handler, Request, Say

SILENCE = (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError)


class KeeperSettings(BaseModel):
    """Where the upstream is."""

    model_config = ConfigDict(extra="forbid")

    url: str
    timeout_s: float = 20.0


class Keeper(spi.Provider):
    """One request for each wish; sends nothing."""

    capabilities = spi.Capabilities(frozenset({spi.Channel.SMS}), spi.ReceiptMode.NONE, opt_in=True)

    def __init__(self, settings: KeeperSettings) -> None:
        self._settings = settings

    async def start(self, context: spi.Context) -> None:
        """Keep what is lent."""
        self._context = context

    async def submit(self, messages: Sequence[spi.OutboundMessage]) -> Sequence[spi.Outcome]:
        """None is taken."""
        return [spi.NotAccepted(code="sends nothing")] * len(messages)

    async def set_opt_in(self, changes: Sequence[spi.OptInChange]) -> Sequence[Any]:
        """All at once."""
        return await asyncio.gather(*(self._set(each) for each in changes))

    async def get_opt_in(self, queries: Sequence[spi.OptInQuery]) -> Sequence[Any]:
        """All at once."""
        return await asyncio.gather(*(self._get(each) for each in queries))

    async def _set(self, change: spi.OptInChange) -> spi.OptInAnswer | spi.Unknown:
        try:
            said = await self._ask({"number": change.recipient, "in": change.opted_in})
            return spi.OptInAnswer(accepted=said["in"] == change.opted_in)
        except SILENCE as error:
            return spi.Unknown(type(error).__name__)

    async def _get(self, query: spi.OptInQuery) -> spi.OptInFound | spi.Unknown:
        try:
            said = await self._ask({"number": query.recipient})
            return spi.OptInFound(opted_in=said["in"])
        except SILENCE as error:
            return spi.Unknown(type(error).__name__)

    async def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        limit = aiohttp.ClientTimeout(total=self._settings.timeout_s)
        async with self._context.http().post(self._settings.url, json=asked, timeout=limit) as response:
            if response.status != 200:
                raise ValueError(response.status)
            said: dict[str, Any] = json.loads(await response.read())
            return said


def answer(request: Request) -> Answer:
    """The upstream says what it keeps now, null where it knows nothing."""
    return Answer(200, json.dumps({"in": json.loads(request.body).get("in")}).encode())


class KeeperSuite(ConsentingCases):
    """What the keeper says of itself."""

    provider_type = spi.ProviderType("keeper", frozenset({spi.Channel.SMS}), KeeperSettings, Keeper)

    def settings(self, base_url: str) -> dict[str, Any]:
        """The fake."""
        return {"url": base_url}

    def impatience(self) -> dict[str, Any]:
        """It gives up soon."""
        return {"timeout_s": 0.3}

    def upstream(self) -> Handler:
        """As documented."""
        return answer


class TestKeeper(KeeperSuite):
    """It passes."""


class Hasty(Keeper):
    """Takes silence for an answer."""

    async def set_opt_in(self, changes: Sequence[spi.OptInChange]) -> Sequence[Any]:
        """Whatever comes of it."""
        await super().set_opt_in(changes)
        return [spi.OptInAnswer(accepted=True)] * len(changes)


class Deaf(Keeper):
    """Never tells anybody."""

    async def set_opt_in(self, changes: Sequence[spi.OptInChange]) -> Sequence[Any]:
        """Nobody is told."""
        return [spi.Unknown()] * len(changes)


class Single(Keeper):
    """Answers for the first only."""

    async def get_opt_in(self, queries: Sequence[spi.OptInQuery]) -> Sequence[Any]:
        """One of them."""
        return (await super().get_opt_in(queries))[:1]


class Restless(Keeper):
    """Asks about nobody."""

    async def get_opt_in(self, queries: Sequence[spi.OptInQuery]) -> Sequence[Any]:
        """One request more."""
        await self._ask({})
        return await super().get_opt_in(queries)


@pytest.mark.parametrize(
    ("provider", "case", "arguments"),
    [
        (Deaf, "test_a_wish_is_told", {"opted_in": True}),
        (Restless, "test_no_wishes_are_told_to_nobody", {}),
        (Single, "test_what_is_kept_is_answered_for_each", {}),
        (Hasty, "test_an_upstream_that_failed_has_not_answered", {"fault": Say(Answer(500))}),
        (Hasty, "test_a_closed_port_has_not_answered", {}),
        (Hasty, "test_silence_is_no_answer", {}),
    ],
)
def test_a_defect_is_found(provider: type[Keeper], case: str, arguments: dict[str, Any]) -> None:
    """By the case that is about it."""

    class Broken(KeeperSuite):
        provider_type = replace(KeeperSuite.provider_type, create=provider)

    with pytest.raises(AssertionError):
        getattr(Broken(), case)(**arguments)
