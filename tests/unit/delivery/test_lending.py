"""What instances are lent: a durable space of their own, and an HTTP session that cannot hurt."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from broker.delivery import upstream_http
from broker.delivery.lending import KEY_CHARACTERS_MAX, VALUE_BYTES_MAX, Lender
from broker.delivery.receipts import Receipts
from broker.metrics import Metrics
from broker.spi import Context, IdSpelling
from broker.storage.keepsakes import ENTRIES_MAX
from broker.storage.store import Store
from broker.testing.builders import ManualClock
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry
from broker.testing.upstream import CloseAfterBody, Fault, ResetAfterBody, Upstream


@pytest.fixture
async def lender(store: Store, clock: ManualClock) -> AsyncIterator[Lender]:
    """Over a real store."""
    lender = Lender(
        store,
        clock,
        Receipts(store, clock, Metrics(), spelling_of=lambda _: IdSpelling.EXACT, parked_max=1_000),
        lambda name: f"http://here/{name}",
    )
    yield lender
    await lender.close()


@pytest.fixture
def contexts(lender: Lender) -> list[Context]:
    """Those of two instances."""
    registry = scripted_registry(acme=ScriptedProvider(), other=ScriptedProvider())
    return [lender.lend(instance) for instance in registry.all()]


@pytest.fixture
async def upstream() -> AsyncIterator[TestServer]:
    """A server that tells what it saw, sets a cookie, and answers any size."""

    async def tell(request: web.Request) -> web.Response:
        response = web.json_response(dict(request.headers))
        response.set_cookie("session", "1")
        return response

    async def large(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(int(request.query["kib"])):
            await response.write(b"x" * 1_024)
        return response

    app = web.Application()
    app.add_routes([web.get("/", tell), web.get("/large", large)])
    async with TestServer(app) as server:
        yield server


async def test_an_instance_finds_what_it_kept_and_nobody_else_does(contexts: list[Context]) -> None:
    """Until it is deleted."""
    acme, other = (each.keepsakes for each in contexts)
    await acme.put("cursor", b"7")
    assert [b"7", None] == [await acme.get("cursor"), await other.get("cursor")]
    await other.delete("cursor")
    assert b"7" == await acme.get("cursor")
    await acme.delete("cursor")
    assert await acme.get("cursor") is None


@pytest.mark.parametrize(
    "key",
    ["", "k" * (KEY_CHARACTERS_MAX + 1), "a\0b", "\ud800", 7],
    ids=["none", "long", "zero", "half", "number"],
)
async def test_a_key_that_cannot_be_is_refused(contexts: list[Context], key: str) -> None:
    """By every call."""
    keepsakes = contexts[0].keepsakes
    for call in (keepsakes.get(key), keepsakes.delete(key), keepsakes.put(key, b"")):
        with pytest.raises(ValueError, match="1 to 128 characters"):
            await call


async def test_a_keepsake_has_a_largest_size(contexts: list[Context]) -> None:
    """Exactly that much is kept; more is refused, and so is what is no bytes."""
    keepsakes = contexts[0].keepsakes
    await keepsakes.put("k" * KEY_CHARACTERS_MAX, b"x" * VALUE_BYTES_MAX)
    for wrong in (b"x" * (VALUE_BYTES_MAX + 1), "text", None):
        with pytest.raises(ValueError, match="at most 65536 bytes"):
            await keepsakes.put("k", wrong)
    assert await keepsakes.get("k") is None


async def test_an_instance_has_so_many_keepsakes(contexts: list[Context]) -> None:
    """The next one is refused, and none is lost for it."""
    keepsakes = contexts[0].keepsakes
    await asyncio.gather(*(keepsakes.put(str(number), b"") for number in range(ENTRIES_MAX)))
    with pytest.raises(ValueError, match="at most 1000 keepsakes"):
        await keepsakes.put("more", b"")
    await keepsakes.put("0", b"new")
    assert b"new" == await keepsakes.get("0")


async def test_an_instance_has_one_session_of_its_own(contexts: list[Context], lender: Lender) -> None:
    """Made when it is asked for, closed with the rest."""
    acme, other = contexts
    sessions = [acme.http(), acme.http(), other.http()]
    assert sessions[0] is sessions[1]
    assert sessions[0] is not sessions[2]
    await lender.close()
    assert [True] * 3 == [each.closed for each in sessions]


async def test_a_session_keeps_no_cookies_and_asks_no_proxy(
    contexts: list[Context], upstream: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one answer sets is in no other request, and the environment has no say in where requests go."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    session = contexts[0].http()
    for _ in range(2):
        async with session.get(upstream.make_url("/")) as answer:
            headers = await answer.json()
    assert ("Waypost", None) == (headers["User-Agent"], headers.get("Cookie"))


async def test_an_answer_is_read_up_to_its_largest_size(
    contexts: list[Context], upstream: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that never ends is a failure of that request, not of the broker's memory."""
    monkeypatch.setattr(upstream_http, "ANSWER_BYTES_MAX", 8 * 1_024)
    session = contexts[0].http()
    async with session.get(upstream.make_url("/large?kib=8")) as answer:
        assert b"x" * 8 * 1_024 == await answer.read()
        assert "x" * 8 * 1_024 == await answer.text()
    async with session.get(upstream.make_url("/large?kib=9")) as answer:
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
@pytest.mark.parametrize("fault", [CloseAfterBody(), ResetAfterBody()], ids=["closed", "reset"])
async def test_a_request_whose_answer_is_lost_is_not_repeated(
    contexts: list[Context], method: str, fault: Fault
) -> None:
    """At many upstreams a GET sends a message: over a reused connection too it is made once."""
    session = contexts[0].http()
    with Upstream() as fragile:
        async with session.request(method, fragile.url) as answer:
            await answer.read()
        fragile.fail(fault, times=None)
        with pytest.raises(aiohttp.ClientConnectionError) as lost:
            await session.request(method, fragile.url)
        assert 2 == len(fragile.requests)
    assert not isinstance(lost.value, aiohttp.ClientConnectorError)


async def test_a_context_knows_its_callback_address(contexts: list[Context]) -> None:
    """Each its own."""
    assert ["http://here/acme", "http://here/other"] == [each.callback_url for each in contexts]
