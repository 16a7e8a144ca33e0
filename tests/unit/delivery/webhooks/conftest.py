"""A receiver of callbacks on a real socket, and the parts that call it over a real store."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from broker.api.convert.callbacks import callback_body, callback_parameters
from broker.clock import SystemClock
from broker.delivery.identities import Identities
from broker.delivery.webhooks.request import Encoding
from broker.delivery.webhooks.works import WebhookWorks, build_webhooks
from broker.metrics import Metrics
from broker.settings import WebhookSettings
from broker.storage.store import Store
from broker.testing.store_suite import Bench

QUICK = {
    "allow_networks": ("127.0.0.0/8",),
    "retry_base_s": 0.02,
    "retry_cap_s": 0.1,
    "hold_base_s": 0.02,
    "hold_cap_s": 0.1,
    "timeout_s": 5.0,
}


@dataclass
class Got:
    """One call as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Its webhook-id."""
        return self.headers["webhook-id"]


Answer = Callable[[Got], Awaitable[web.StreamResponse] | web.StreamResponse]


@dataclass
class Receiver:
    """Answers as the test says, 204 unless told otherwise, and remembers what came."""

    port: int = 0
    got: list[Got] = field(default_factory=list)
    answer: Answer = lambda _: web.Response(status=204)
    at_once: int = 0
    at_once_max: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def hang(self) -> web.StreamResponse:
        """An answer that does not come before the test's end."""
        await self.released.wait()
        return web.Response()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ids(self) -> list[str]:
        """The webhook-ids that came, in order."""
        return [each.id for each in self.got]

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One call."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        got = Got(request.method, request.raw_path, headers, await request.read())
        self.got.append(got)
        self.at_once += 1
        self.at_once_max = max(self.at_once_max, self.at_once)
        try:
            answer = self.answer(got)
            return answer if isinstance(answer, web.StreamResponse) else await answer
        finally:
            self.at_once -= 1


@pytest.fixture
async def receivers() -> AsyncIterator[Callable[[], Awaitable[Receiver]]]:
    """Makes receivers, each on a port of its own."""
    made: list[tuple[Receiver, web.ServerRunner]] = []

    async def make() -> Receiver:
        receiver = Receiver()
        runner = web.ServerRunner(web.Server(receiver.handle), shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        receiver.port = site._server.sockets[0].getsockname()[1]
        made.append((receiver, runner))
        return receiver

    yield make
    for receiver, runner in made:
        receiver.released.set()
        await runner.cleanup()


@pytest.fixture
async def receiver(receivers: Callable[[], Awaitable[Receiver]]) -> Receiver:
    """One receiver."""
    return await receivers()


@dataclass
class Works:
    """Running callbacks."""

    parts: WebhookWorks
    metrics: Metrics
    store: Store

    def count(self, name: str, **labels: str) -> float:
        """A metric's value."""
        return self.metrics.registry.get_sample_value(f"waypost_{name}", labels) or 0.0


@pytest.fixture
def working(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the follower and the sender over the store, for as long as the block does; then drains."""
    # What is due later is found by looking, and tests wait for little.
    monkeypatch.setattr("broker.delivery.webhooks.sender.LOOK_EVERY_S", 0.01)
    monkeypatch.setattr("broker.delivery.webhooks.follower.LOOK_EVERY_S", 0.01)

    @asynccontextmanager
    async def run(**settings: Any) -> AsyncIterator[Works]:
        clock, metrics = SystemClock(), Metrics()
        parts = build_webhooks(
            WebhookSettings(**(QUICK | settings)),
            store,
            Identities(store, clock, node=0, last=0),
            clock,
            fence=1,
            encoding=Encoding(callback_body, callback_parameters),
            chance=random.Random(7).random,
            metrics=metrics,
        )
        tasks = [asyncio.ensure_future(job) for job in parts.jobs()]
        try:
            yield Works(parts, metrics, store)
        finally:
            await parts.sender.drain(5)
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert [] == [end for end in ends if isinstance(end, Exception)]

    return run


@pytest.fixture
def bench(store: Store) -> Bench:
    """The store's verbs, at the real time: what waits for its turn waits for real here."""
    return Bench(store, now_us=SystemClock().now_us())
