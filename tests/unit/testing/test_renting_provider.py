"""The suite on a provider whose upstream keeps keywords itself, and what it finds in copies that do so wrongly."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from pydantic import BaseModel, ConfigDict

from broker import spi
from broker.testing.provider_suite.renting import RentingCases
from broker.testing.upstream import Answer, Handler, Request, Say

SILENCE = (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError)
LONG_CODE = "+12125550100"
FIELDS = {"keyword": spi.KeywordField.KEYWORD, "autoreply": spi.KeywordField.AUTOREPLY}


class LandlordSettings(BaseModel):
    """Where the upstream is."""

    model_config = ConfigDict(extra="forbid")

    url: str
    timeout_s: float = 20.0


class Landlord(spi.Provider):
    """One request for each question; sends nothing."""

    keeping = spi.KeywordKeeping(frozenset({LONG_CODE}))

    def __init__(self, settings: LandlordSettings) -> None:
        self._settings = settings

    @property
    def capabilities(self) -> spi.Capabilities:
        """Keywords at the long code."""
        return spi.Capabilities(frozenset({spi.Channel.SMS}), spi.ReceiptMode.NONE, keywords=self.keeping)

    async def start(self, context: spi.Context) -> None:
        """Keep what is lent."""
        self._context = context

    async def submit(self, messages: Sequence[spi.OutboundMessage]) -> Sequence[spi.Outcome]:
        """None is taken."""
        return [spi.NotAccepted(code="sends nothing")] * len(messages)

    async def check_keyword(self, query: spi.KeywordQuery) -> Any:
        """Whether it is free."""
        return await self._ask("check", query.keyword, spi.KeywordAvailable())

    async def rent_keyword(self, query: spi.KeywordQuery) -> Any:
        """For nothing."""
        return await self._ask("rent", query.keyword, spi.KeywordRented())

    async def set_up_keyword(self, settings: spi.KeywordSettings) -> Any:
        """With an autoreply."""
        return await self._ask("setup", settings.keyword, spi.KeywordSetUp(), settings.autoreply)

    async def _ask(self, operation: str, word: str, yes: Any, autoreply: str = "") -> Any:
        asked = {"do": operation, "word": word, "autoreply": autoreply}
        limit = aiohttp.ClientTimeout(total=self._settings.timeout_s)
        try:
            async with self._context.http().post(self._settings.url, json=asked, timeout=limit) as response:
                said = json.loads(await response.read())
        except aiohttp.ClientConnectorError as error:
            return spi.NotAccepted(code=type(error).__name__)
        except SILENCE as error:
            return spi.Unknown(type(error).__name__)
        if said in FIELDS:
            return spi.KeywordRefused(FIELDS[said])
        return {"yes": yes, "no": spi.KeywordUnavailable()}.get(said, spi.Unknown("unreadable"))


class Register:
    """The upstream keeps who has what, and takes no autoreply that is blank."""

    def __init__(self) -> None:
        self.rented: set[str] = set()

    def __call__(self, request: Request) -> Answer:
        """One question."""
        word, operation = request.json["word"], request.json["do"]
        if operation == "setup":
            wrong = "keyword" if word not in self.rented else "autoreply"
            return Answer.of_json("yes" if word in self.rented and request.json["autoreply"] else wrong)
        said = "no" if word in self.rented else "yes"
        if operation == "rent":
            self.rented.add(word)
        return Answer.of_json(said)


class LandlordSuite(RentingCases):
    """What the landlord says of itself."""

    provider_type = spi.ProviderType("landlord", frozenset({spi.Channel.SMS}), LandlordSettings, Landlord)

    def settings(self, base_url: str) -> dict[str, Any]:
        """The fake."""
        return {"url": base_url}

    def impatience(self) -> dict[str, Any]:
        """It gives up soon."""
        return {"timeout_s": 0.3}

    def upstream(self) -> Handler:
        """A new register."""
        return Register()

    def refused_keyword_settings(self) -> dict[spi.KeywordField, spi.KeywordSettings]:
        """A blank autoreply."""
        return {spi.KeywordField.AUTOREPLY: self.keyword_settings(autoreply="")}


class TestLandlord(LandlordSuite):
    """It passes."""


class Misnamed(Landlord):
    """Has keywords at a name."""

    keeping = spi.KeywordKeeping(frozenset({"Shop"}))


class Generous(Landlord):
    """Rents out what is taken."""

    async def rent_keyword(self, query: spi.KeywordQuery) -> Any:
        """Whatever was said."""
        answer = await super().rent_keyword(query)
        return spi.KeywordRented() if isinstance(answer, spi.KeywordUnavailable) else answer


class Careless(Landlord):
    """Takes silence for a refusal."""

    async def rent_keyword(self, query: spi.KeywordQuery) -> Any:
        """Not rented, it thinks."""
        answer = await super().rent_keyword(query)
        return spi.NotAccepted() if isinstance(answer, spi.Unknown) else answer


class Anxious(Landlord):
    """Takes a closed port for silence."""

    async def rent_keyword(self, query: spi.KeywordQuery) -> Any:
        """Perhaps rented, it thinks."""
        answer = await super().rent_keyword(query)
        return spi.Unknown() if isinstance(answer, spi.NotAccepted) else answer


class Vague(Landlord):
    """Blames the keyword for everything."""

    async def set_up_keyword(self, settings: spi.KeywordSettings) -> Any:
        """Whatever is wrong."""
        answer = await super().set_up_keyword(settings)
        wrong = spi.KeywordRefused(spi.KeywordField.KEYWORD)
        return wrong if isinstance(answer, spi.KeywordRefused) else answer


class Idle(Landlord):
    """Sets nothing up."""

    async def set_up_keyword(self, settings: spi.KeywordSettings) -> Any:
        """Not now."""
        return spi.NotAccepted()


class Optimist(Landlord):
    """Takes silence for a yes."""

    async def check_keyword(self, query: spi.KeywordQuery) -> Any:
        """Free, it thinks."""
        answer = await super().check_keyword(query)
        return spi.KeywordAvailable() if isinstance(answer, spi.Unknown) else answer


@pytest.mark.parametrize(
    ("provider", "case", "arguments"),
    [
        (Misnamed, "test_kept_addresses_are_addresses", {}),
        (Generous, "test_a_free_keyword_is_rented_once", {}),
        (Idle, "test_a_rented_keyword_is_set_up", {}),
        (Vague, "test_a_wrong_field_of_a_set_up_is_named", {}),
        (Careless, "test_a_renting_without_an_answer_is_unknown", {"fault": Say(Answer(500))}),
        (Careless, "test_a_renting_that_nobody_answers_is_unknown", {}),
        (Anxious, "test_a_renting_at_a_closed_port_was_none", {}),
        (
            Optimist,
            "test_other_questions_about_keywords_that_failed_say_nothing",
            {"fault": Say(Answer(500))},
        ),
    ],
)
def test_a_defect_is_found(provider: type[Landlord], case: str, arguments: dict[str, Any]) -> None:
    """By the case that is about it."""

    class Broken(LandlordSuite):
        provider_type = replace(LandlordSuite.provider_type, create=provider)

    with pytest.raises(AssertionError):
        getattr(Broken(), case)(**arguments)
