"""The suite on a provider whose upstream runs broadcasts, and what it finds in copies that do it wrongly."""

import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from pydantic import BaseModel, ConfigDict

from broker import spi
from broker.testing.provider_suite.broadcasting import BroadcastingCases
from broker.testing.upstream import Answer, Handler, Request

NO_CONNECTION = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
NOBODY = "nobody"


class RunnerSettings(BaseModel):
    """Where the upstream is."""

    model_config = ConfigDict(extra="forbid")

    url: str
    timeout_s: float = 20.0


class Runner(spi.Provider):
    """Sends no message of its own: its upstream runs broadcasts."""

    capabilities = spi.Capabilities(frozenset({spi.Channel.SMS}), spi.ReceiptMode.NONE, broadcast=True)

    def __init__(self, settings: RunnerSettings) -> None:
        self._settings = settings

    async def start(self, context: spi.Context) -> None:
        """Keep what is lent."""
        self._context = context

    async def submit(self, messages: Any) -> Any:
        """None is taken."""
        return [spi.NotAccepted(code="sends nothing")] * len(messages)

    async def broadcast_create(self, order: spi.BroadcastOrder) -> Any:
        """All of it at once."""
        document = {
            "from": order.sender,
            "at": order.schedule_at_us,
            "to": {each.recipient: each.content["text"] for each in order.recipients},
        }
        return _taken(await self._ask("POST", "broadcasts", document))

    async def broadcast_get(self, question: spi.BroadcastQuestion) -> Any:
        """By its id."""
        if not question.upstream_id:
            return spi.Unknown("no_id")
        found = _taken(await self._ask("GET", f"broadcasts/{question.upstream_id}"))
        return spi.Unknown("no_answer") if isinstance(found, spi.NotAccepted) else found

    async def broadcast_suspend(self, upstream_id: str) -> Any:
        """Hold it."""
        return await self._move("SUSPENDED", upstream_id)

    async def broadcast_resume(self, upstream_id: str) -> Any:
        """Let it go on."""
        return await self._move("RUNNING", upstream_id)

    async def broadcast_stop(self, upstream_id: str) -> Any:
        """End it."""
        return await self._move("STOPPED", upstream_id)

    async def broadcast_delete(self, upstream_id: str) -> Any:
        """Remove it."""
        return await self._move("DELETED", upstream_id)

    async def _move(self, state: str, upstream_id: str) -> Any:
        moved = _taken(await self._ask("POST", f"broadcasts/{upstream_id}", {"state": state}))
        return spi.BroadcastMoved() if isinstance(moved, spi.UpstreamBroadcast) else moved

    async def _ask(self, method: str, path: str, document: Any = None) -> Any:
        try:
            async with self._context.http().request(
                method,
                f"{self._settings.url}/{path}",
                json=document,
                timeout=aiohttp.ClientTimeout(total=self._settings.timeout_s),
                allow_redirects=False,
            ) as response:
                return response.status, await response.read()
        except NO_CONNECTION:
            return spi.NotAccepted(code="no_connection")
        except (aiohttp.ClientError, TimeoutError):
            return spi.Unknown("no_answer")


def _taken(said: Any) -> Any:
    if not isinstance(said, tuple):
        return said
    status, body = said
    if status in {401, 403}:
        return spi.NotAccepted(code=f"http_{status}")
    if status == 422:
        return spi.Rejected(code="refused")
    try:
        found = json.loads(body) if status == 200 else None
        return spi.UpstreamBroadcast(found["id"], spi.BroadcastState[found["state"]], sent=found["sent"])
    except (TypeError, ValueError, KeyError):
        return spi.Unknown(f"http_{status}")


class FakeRunner:
    """The upstream: broadcasts by id."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}

    def __call__(self, request: Request) -> Answer:
        """Make one, move one, or tell of one."""
        *_, name = request.path.split("/")
        if request.method == "POST" and name == "broadcasts":
            if request.json["from"] == NOBODY:
                return Answer(422)
            name = str(len(self.states) + 1)
            self.states[name] = "SCHEDULED" if request.json["at"] else "RUNNING"
        elif request.method == "POST":
            self.states[name] = request.json["state"]
        return Answer.of_json({"id": name, "state": self.states[name], "sent": 0})


class RunnerSuite(BroadcastingCases):
    """What the runner says of itself."""

    provider_type = spi.ProviderType("runner", frozenset({spi.Channel.SMS}), RunnerSettings, Runner)

    def settings(self, base_url: str) -> dict[str, Any]:
        """The fake."""
        return {"url": base_url}

    def impatience(self) -> dict[str, Any]:
        """It gives up soon."""
        return {"timeout_s": 0.2}

    def upstream(self) -> Handler:
        """As documented."""
        return FakeRunner()

    def refused_order(self) -> spi.BroadcastOrder:
        """From a sender that the upstream does not know."""
        return self.broadcast_order(sender=NOBODY)


class TestRunner(RunnerSuite):
    """It passes."""


class Twice(Runner):
    """Hands it over again where the first answer makes no sense, or always."""

    async def broadcast_create(self, order: spi.BroadcastOrder) -> Any:
        """Two requests."""
        await super().broadcast_create(order)
        return await super().broadcast_create(order)


class OneId(Runner):
    """Names its broadcasts alike."""

    async def broadcast_create(self, order: spi.BroadcastOrder) -> Any:
        """Always the first."""
        taken = await super().broadcast_create(order)
        return replace(taken, upstream_id="1") if isinstance(taken, spi.UpstreamBroadcast) else taken


class Certain(Runner):
    """Knows what nobody knows: what failed was not taken, and what cannot be found is not there."""

    async def broadcast_create(self, order: spi.BroadcastOrder) -> Any:
        """Doubt is taken for a refused connection."""
        taken = await super().broadcast_create(order)
        return spi.NotAccepted() if isinstance(taken, spi.Unknown) else taken

    async def broadcast_get(self, question: spi.BroadcastQuestion) -> Any:
        """A question that failed says that it is not there."""
        found = await super().broadcast_get(question)
        return spi.NotAccepted() if isinstance(found, spi.Unknown) else found


class Sender(Runner):
    """Asks about what it does not know by making it."""

    async def broadcast_get(self, question: spi.BroadcastQuestion) -> Any:
        """Hands something over."""
        await self._ask("POST", "broadcasts", {"from": "", "at": None, "to": ["+447700900100"]})
        return await super().broadcast_get(question)


class Gloomy(Runner):
    """Takes every failure for a refusal."""

    async def broadcast_create(self, order: spi.BroadcastOrder) -> Any:
        """Also a wrong password, and a closed port."""
        taken = await super().broadcast_create(order)
        return taken if isinstance(taken, spi.UpstreamBroadcast) else spi.Unknown("failed")


class Numberless(Runner):
    """Counts in text."""

    async def broadcast_get(self, question: spi.BroadcastQuestion) -> Any:
        """As a socket brought it."""
        found = await super().broadcast_get(question)
        return replace(found, sent="0") if isinstance(found, spi.UpstreamBroadcast) else found


class Hasty(Runner):
    """Knows no time but now."""

    async def broadcast_create(self, order: spi.BroadcastOrder) -> Any:
        """It runs at once."""
        return await super().broadcast_create(replace(order, schedule_at_us=None))


class Deaf(Runner):
    """Does nothing of what it is told, and says it did."""

    async def _move(self, state: str, upstream_id: str) -> Any:
        return spi.BroadcastMoved()


DEFECTS: dict[type[Runner], set[str]] = {
    Twice: {
        "test_a_broadcast_is_handed_over_once_with_everybody",
        "test_an_upstream_that_failed_may_have_taken_a_broadcast",
    },
    OneId: {"test_two_broadcasts_have_ids_of_their_own"},
    Certain: {
        "test_an_upstream_that_failed_may_have_taken_a_broadcast",
        "test_an_upstream_that_failed_says_nothing_of_a_broadcast",
        "test_silence_about_a_broadcast_is_no_answer",
        "test_a_closed_port_was_given_no_broadcast",
    },
    Sender: {"test_a_question_without_an_id_claims_nothing"},
    Gloomy: {
        "test_wrong_credentials_burn_no_broadcast",
        "test_a_closed_port_was_given_no_broadcast",
        "test_a_broadcast_refused_for_good_is_rejected",
    },
    Numberless: {"test_a_broadcast_can_be_asked_about"},
    Hasty: {"test_a_broadcast_with_a_time_waits_for_it"},
    Deaf: {
        "test_a_broadcast_is_held_resumed_ended_and_removed",
        "test_an_upstream_that_failed_says_nothing_of_a_broadcast",
        "test_a_closed_port_was_given_no_broadcast",
    },
}


def calls_of(suite: RunnerSuite, name: str) -> Iterator[Callable[[], None]]:
    """A case, with each of its parameters."""
    case = getattr(suite, name)
    marks = getattr(case, "pytestmark", ())
    given = [mark.args for mark in marks if mark.name == "parametrize"]
    if not given:
        yield case
    for parameter, values, *_ in given:
        for value in values:
            yield lambda value=value, parameter=parameter: case(**{parameter: value})  # type: ignore[misc]


def failed(suite: RunnerSuite, name: str) -> bool:
    """Whether a case fails with any of its parameters."""
    for call in calls_of(suite, name):
        try:
            call()
        except AssertionError:
            return True
    return False


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda each: each.__name__)
def test_a_defect_is_found_by_the_cases_that_are_about_it(defect: type[Runner]) -> None:
    """All of those fail."""
    suite = RunnerSuite()
    suite.provider_type = replace(suite.provider_type, create=defect)
    assert set() == {name for name in DEFECTS[defect] if not failed(suite, name)}


def test_every_case_can_fail() -> None:
    """There is a defect for each."""
    cases = {name for name, _ in inspect.getmembers(BroadcastingCases) if name.startswith("test_")}
    assert set() == cases - set().union(*DEFECTS.values())
