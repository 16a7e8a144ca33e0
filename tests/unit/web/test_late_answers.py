"""Callbacks that are answered late, on a socket: held open until there is an answer, and told whether it was written."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest

from broker.delivery.callbacks import Trouble
from broker.metrics import Metrics
from broker.spi import CallbackAnswer, CallbackRequest, Inbound, LateAnswer
from broker.web import late_answers
from broker.web.callbacks import CallbackEndpoint
from broker.web.pages import build_web_app
from broker.web.server import bind, build_web_server

PLACE = "/callbacks/acme/the-secret-of-acme"


@dataclass
class Later(LateAnswer):
    """An answer that comes when the test says so."""

    said: "asyncio.Future[object]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    told: "asyncio.Queue[bool]" = field(default_factory=asyncio.Queue)

    async def answer(self) -> CallbackAnswer:
        """What was said."""
        self.asked.set()
        return await self.said

    def written(self, whole: bool) -> None:
        """Keep it."""
        self.told.put_nowait(whole)


@dataclass
class Instance:
    """What the address leads to."""

    name: str = "acme"


@dataclass
class FakeCallbacks:
    """One instance whose callbacks are answered by the next of `later`, else with "at once"."""

    later: list[LateAnswer] = field(default_factory=list)

    def find(self, instance: str, secret: str) -> Instance:
        """Any address will do."""
        return Instance()

    async def take(self, instance: Instance, request: CallbackRequest) -> CallbackAnswer | Trouble:
        """The facts are committed."""
        return CallbackAnswer(body=b"at once", later=self.later.pop(0) if self.later else None)


@dataclass
class Served:
    """The HTTP side of a broker that holds two callbacks."""

    url: str
    callbacks: FakeCallbacks
    http: aiohttp.ClientSession
    ready: bool = True

    def call(self, later: LateAnswer) -> "asyncio.Task[tuple[int, bytes]]":
        """A callback that is answered later."""
        self.callbacks.later.append(later)
        return asyncio.create_task(self._call())

    async def _call(self) -> tuple[int, bytes]:
        async with self.http.get(self.url + PLACE) as response:
            return response.status, await response.read()


@pytest.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """A server on a free port."""
    monkeypatch.setattr(late_answers, "LOOK_EVERY_S", 0.01)
    metrics = Metrics()
    listener = bind("127.0.0.1", 0)
    async with aiohttp.ClientSession() as http:
        served = Served(f"http://127.0.0.1:{listener.getsockname()[1]}", FakeCallbacks(), http)
        endpoint = CallbackEndpoint(served.callbacks, lambda: served.ready, metrics, at_once_max=2)
        server = build_web_server(build_web_app(lambda: True, metrics, endpoint), stop_s_max=1)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield served
    server.force_exit = True
    await server.shutdown([listener])
    serving.cancel()


async def test_what_is_said_later_is_the_answer(served: Served) -> None:
    """With its status; whoever said it hears that it was written."""
    later = Later()
    call = served.call(later)
    await later.asked.wait()
    assert not call.done()
    later.said.set_result(CallbackAnswer(status=201, body=b"Yes"))
    assert (201, b"Yes") == await call
    assert await later.told.get()


async def test_who_hangs_up_gets_nothing_and_that_is_told(served: Served) -> None:
    """The wait is over at once, so that the answer can go another way."""
    later = Later()
    call = served.call(later)
    await later.asked.wait()
    call.cancel()
    assert not await later.told.get()
    assert later.said.cancelled()


async def test_a_broker_that_drains_waits_no_longer(served: Served) -> None:
    """What there is to say goes out another way."""
    later = Later()
    call = served.call(later)
    await later.asked.wait()
    served.ready = False
    assert (200, b"at once") == await call
    assert not await later.told.get()


async def test_nobody_waits_for_ever() -> None:
    """After the limit the plugin's first answer is given."""
    responses = late_answers.LateResponses(lambda: True, held_max=1, late_s_max=0.01)
    later = Later()
    gone = asyncio.create_task(asyncio.sleep(60))
    assert None is await responses.ask("acme", later, gone)
    assert later.said.cancelled()
    gone.cancel()


@pytest.mark.parametrize(
    "wrong",
    [
        CallbackAnswer([Inbound("+12125550101", "+12125550100", "Hi")]),
        CallbackAnswer(status=99),
        "Yes",
        ValueError("no"),
    ],
    ids=["facts", "status", "type", "raised"],
)
async def test_a_wrong_late_answer_is_none(served: Served, wrong: object) -> None:
    """The facts are kept already: the upstream must not come again, and whoever said it hears that it went nowhere."""
    later = Later()
    call = served.call(later)
    await later.asked.wait()
    if isinstance(wrong, Exception):
        later.said.set_exception(wrong)
    else:
        later.said.set_result(wrong)
    assert (200, b"at once") == await call
    assert not await later.told.get()


async def test_so_many_are_held_and_no_more(served: Served) -> None:
    """Whoever comes then is answered at once, and its place is free again when one of the others ends."""
    first, second, third, fourth = Later(), Later(), Later(), Later()
    calls = [served.call(each) for each in (first, second)]
    for each in (first, second):
        await each.asked.wait()
    assert (200, b"at once") == await served.call(third)
    assert not await third.told.get()
    first.said.set_result(CallbackAnswer(body=b"Yes"))
    second.said.set_result(CallbackAnswer(body=b"No"))
    assert [(200, b"Yes"), (200, b"No")] == await asyncio.gather(*calls)
    call = served.call(fourth)
    await fourth.asked.wait()
    fourth.said.set_result(CallbackAnswer())
    assert (200, b"") == await call
