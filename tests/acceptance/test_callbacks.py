"""A real broker, a plugin of somebody else's, and an upstream that reports over HTTP: early, late, twice and forged."""

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import waypost
from waypost import Fact, Message, Status
from waypost.v1 import provider_service_pb2, provider_service_pb2_grpc

ROOT = Path(__file__).resolve().parents[2]
COURIER = Path(__file__).parent / "courier"
SIGNING_KEY = "the-upstreams-own-key"
PHONE = "+4477009{:05}"


@dataclass
class Upstream:
    """Takes messages under hexadecimal ids and reports on them in decimal, to where it was told.

    `tell` is what it reports of a message, before and after it answers the submit.
    """

    http: aiohttp.ClientSession
    addresses: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=lambda: count(4_096, 7))
    before: Callable[[int, str], Awaitable[None]] | None = None
    after: Callable[[int, str], Awaitable[None]] | None = None
    answers: "asyncio.Queue[int]" = field(default_factory=asyncio.Queue)
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def register(self, request: web.Request) -> web.Response:
        """Where to report."""
        self.addresses.append((await request.json())["url"])
        return web.Response()

    async def take(self, request: web.Request) -> web.Response:
        """A message: what is reported of it after the answer is on its way by itself."""
        message = await request.json()
        self.texts.append(message["text"])
        number = next(self.numbers)
        if self.before is not None:
            await self.before(number, message["to"])
        if self.after is not None:
            task = asyncio.create_task(self.after(number, message["to"]))
            self.tasks.add(task)
        return web.Response(text=f"{number:08X}")

    async def report(self, number: int, to: str, status: str = "OK", *, key: str = SIGNING_KEY) -> None:
        """One report, signed with this key; its answer's status is kept."""
        body = json.dumps({"id": f"{number:012}", "to": to.removeprefix("+"), "status": status}).encode()
        signature = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        url = f"{self.addresses[-1]}/dlr"
        async with self.http.post(url, data=body, headers={"x-signature": signature}) as answer:
            await self.answers.put(answer.status)

    async def answered(self, reports: int) -> list[int]:
        """The statuses of so many reports."""
        return [await self.answers.get() for _ in range(reports)]


@pytest.fixture
async def upstream() -> AsyncIterator[tuple[Upstream, str]]:
    """It listens on a free port."""
    async with aiohttp.ClientSession() as http:
        upstream = Upstream(http)
        app = web.Application()
        app.add_routes([web.post("/webhooks", upstream.register), web.post("/messages", upstream.take)])
        async with TestServer(app) as server:
            yield upstream, str(server.make_url("")).rstrip("/")
            await asyncio.gather(*upstream.tasks)


@pytest.fixture
async def start(
    broker_factory: Callable[..., Any], upstream: tuple[Upstream, str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Awaitable[Any]]:
    """Starts a broker that sends through the upstream."""
    monkeypatch.setenv("PYTHONPATH", str(COURIER))
    settings = {
        "server": {"http_listen": "127.0.0.1:0"},
        "providers": {"courier": {"type": "courier", "url": upstream[1], "signing_key": SIGNING_KEY}},
    }
    return lambda: asyncio.to_thread(broker_factory, settings)


async def stands(client: waypost.Client, message_id: str, status: Status) -> Message:
    """The message, once it stands there."""
    while (message := await client.get(message_id)).status is not status:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return message


async def test_a_report_finds_its_message_before_and_after_the_answer(start: Any, upstream: Any) -> None:
    """Under another spelling of the id, and twice; a forged one is refused and changes nothing."""
    taker, _ = upstream

    async def tell_early(number: int, to: str) -> None:
        await taker.report(number, to)

    async def tell_late(number: int, to: str) -> None:
        await taker.report(number, to, key="a-guess")
        await taker.report(number, to, "SENT")
        await taker.report(number, to)
        await taker.report(number, to)

    broker = await start()
    async with waypost.Client(broker.address, key=broker.key) as client:
        taker.before = tell_early
        (early,) = await client.send("early", to=PHONE.format(1))
        assert [200] == await taker.answered(1)
        await stands(client, early.message_id, Status.DELIVERED)
        taker.before, taker.after = None, tell_late
        (late,) = await client.send("late", to=PHONE.format(2))
        assert [403, 200, 200, 200] == await taker.answered(4)
        message = await stands(client, late.message_id, Status.DELIVERED)
        facts = [each.fact for each in message.timeline]
        assert [Fact.DELIVERED, Fact.LATE_RECEIPT] == facts[-2:]
        assert {"dlr"} == {each.provider_code for each in message.timeline if each.provider_code}


async def test_a_report_that_was_acknowledged_survives_a_crash(start: Any, upstream: Any) -> None:
    """(I4) The broker is killed the moment the upstream has its answer; the new one registers where it now is."""
    taker, _ = upstream
    numbers: dict[str, int] = {}

    async def remember(number: int, to: str) -> None:
        numbers[to] = number

    broker = await start()
    taker.after = remember
    async with waypost.Client(broker.address, key=broker.key) as client:
        sent = await client.send("Hello", to=[PHONE.format(each) for each in range(3)])
        for each in sent:
            await stands(client, each.message_id, Status.SENT)
        for to, number in numbers.items():
            await taker.report(number, to)
        assert [200] * 3 == await taker.answered(3)
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.start)
        statuses = [(await client.get(each.message_id)).status for each in sent]
    assert [Status.DELIVERED] * 3 == statuses
    assert 2 == len(taker.addresses)
    assert taker.addresses[0].rpartition("/")[2] == taker.addresses[1].rpartition("/")[2]


async def test_only_the_address_leads_to_the_plugin_and_it_stays_secret(start: Any, upstream: Any) -> None:
    """An admin sees it, a stranger finds nothing, and no log has it."""
    taker, _ = upstream
    broker = await start()
    (address,) = taker.addresses
    async with grpc.aio.insecure_channel(broker.address) as channel:
        stub = provider_service_pb2_grpc.ProviderServiceStub(channel)
        request = provider_service_pb2.ListProvidersRequest()
        metadata = [("authorization", f"Bearer {broker.key}")]
        (shown,) = (await stub.ListProviders(request, metadata=metadata)).providers
    assert address == shown.callback_url
    place, _, secret = address.rpartition("/")
    statuses = []
    for url in (f"{place}/{'x' * len(secret)}", f"{place}/", place, f"{address}/dlr"):
        async with taker.http.post(url, data=b"{}") as answer:
            statuses.append(answer.status)
    assert [404, 404, 404, 403] == statuses
    assert 0 == await asyncio.to_thread(broker.stop)
    assert secret not in broker.log.read_text()


def test_the_page_for_authors_shows_this_plugin() -> None:
    """Word for word, so that what is copied works."""
    page = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    sections = [
        re.search(rf"^## {title}$(.*?)^## ", page, re.MULTILINE | re.DOTALL)[1]
        for title in ("Callbacks", "What the broker lends you")
    ]
    shown = [
        block
        for each in sections
        for block in re.findall(r"^```python\n(.*?)^```$", each, re.MULTILINE | re.DOTALL)
    ]
    plugin = (COURIER / "waypost_courier.py").read_text(encoding="utf-8")
    assert [True, True] == [block in plugin for block in shown]
