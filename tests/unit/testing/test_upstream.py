"""The fake upstream: what it records, what it answers, and how each fault looks from the other side."""

import asyncio
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import aiohttp
import pytest

from broker.testing import upstream as kit
from broker.testing.upstream import Answer, Request, Upstream


def echo(request: Request) -> Answer:
    """An upstream that says what it was told."""
    return Answer.of_json({"path": request.path, "said": request.body.decode()})


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """It echoes."""
    with Upstream(echo) as running:
        yield running
    assert [] == running.defects


async def asked(upstream: Upstream, body: str = "hello", *, seconds: float = 5.0) -> tuple[int, bytes]:
    """Status and body of one post over a connection of its own."""
    limit = aiohttp.ClientTimeout(total=seconds)
    async with (
        aiohttp.ClientSession(timeout=limit) as session,
        session.post(f"{upstream.url}/in?a=1&b=%2B2", data=body, allow_redirects=False) as response,
    ):
        return response.status, await response.read()


async def test_a_request_is_recorded_and_answered(upstream: Upstream) -> None:
    """Whole, with its parameters decoded."""
    assert (200, b'{"path": "/in", "said": "hello"}') == await asked(upstream)
    (request,) = upstream.requests
    assert ("POST", "/in", {"a": "1", "b": "+2"}) == (request.method, request.path, request.query)
    assert (b"hello", 1) == (request.body, upstream.accepted)


async def test_a_connection_is_kept_for_the_next_request(upstream: Upstream) -> None:
    """As a client that pools its connections expects."""
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            async with session.post(upstream.url, data=b"x") as response:
                await response.read()
    assert ([1, 1, 1], 1) == ([each.connection for each in upstream.requests], upstream.accepted)


async def test_a_fault_strikes_as_often_as_planned_and_then_no_more(upstream: Upstream) -> None:
    """Only the requests that fit."""
    upstream.fail(kit.Say(Answer(503)), times=2, when=lambda request: b"bad" in request.body)
    statuses = [(await asked(upstream, body))[0] for body in ("good", "bad", "bad", "bad")]
    assert [200, 503, 503, 200] == statuses


@pytest.mark.parametrize(
    ("fault", "error", "arrived"),
    [
        (kit.ResetOnAccept(), aiohttp.ClientConnectionError, 0),
        (kit.ResetMidBody(), aiohttp.ClientConnectionError, 0),
        (kit.ResetAfterBody(), aiohttp.ClientConnectionError, 1),
        (kit.CloseAfterBody(), aiohttp.ServerDisconnectedError, 1),
        (kit.Truncated(), aiohttp.ClientPayloadError, 1),
        (kit.NotHttp(), aiohttp.ClientError, 1),
        (kit.Hang(), TimeoutError, 1),
        (kit.Hang(reading=False), TimeoutError, 0),
        (kit.Drip(), TimeoutError, 1),
    ],
    ids=lambda each: type(each).__name__,
)
async def test_a_fault_looks_like_what_it_is_called(
    upstream: Upstream, fault: kit.Fault, error: type[Exception], arrived: int
) -> None:
    """And the record tells whether the request arrived whole."""
    upstream.fail(fault)
    with pytest.raises(error):
        await asked(upstream, seconds=0.2)
    assert arrived == len(upstream.requests)
    assert 200 == (await asked(upstream))[0]


async def test_an_echo_quotes_the_request(upstream: Upstream) -> None:
    """As error pages do."""
    upstream.fail(kit.Echo(status=400))
    status, body = await asked(upstream, "my secret")
    assert (400, True) == (status, b"my secret" in body)


async def test_an_endless_body_ends_when_nobody_reads_on(upstream: Upstream) -> None:
    """How much was taken can be seen."""
    fault = kit.Endless()
    upstream.fail(fault)
    async with aiohttp.ClientSession() as session, session.post(upstream.url) as response:
        assert 10 == len(await response.content.read(10))
        response.close()
    async with asyncio.timeout(5):
        while upstream.connections:  # noqa: ASYNC110 - another thread counts them
            await asyncio.sleep(0.01)
    assert upstream.bytes_written < fault.bytes_max


async def test_an_answer_is_held_until_it_is_released(upstream: Upstream) -> None:
    """The handler is asked then."""
    hold = kit.Hold(seconds_max=30.0)
    upstream.fail(hold)
    asking = asyncio.create_task(asked(upstream))
    async with asyncio.timeout(5):
        while not upstream.requests:  # noqa: ASYNC110 - another thread keeps them
            await asyncio.sleep(0.005)
    assert not asking.done()
    hold.release.set()
    assert 200 == (await asking)[0]
    assert not hold.expired.is_set()


async def test_a_hold_that_nobody_releases_expires(upstream: Upstream) -> None:
    """So that a client which blocks its own loop gets its answer, and can be told."""
    hold = kit.Hold(seconds_max=0.05)
    upstream.fail(hold)
    assert 200 == (await asked(upstream))[0]
    assert hold.expired.is_set()


def test_nobody_listens_at_the_refused_address(upstream: Upstream) -> None:
    """And the port is not free for others either."""
    address = urlsplit(upstream.refused_url)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port))


async def test_a_mistake_of_the_fake_is_kept(upstream: Upstream) -> None:
    """It is the test's, not the provider's."""

    def mistaken(_request: Request) -> Answer:
        raise KeyError("to")

    upstream.answer = mistaken
    assert 500 == (await asked(upstream))[0]
    assert ["KeyError('to')"] == [repr(each) for each in upstream.defects]
    upstream.defects.clear()


async def test_what_is_no_http_ends_the_connection_only(upstream: Upstream) -> None:
    """Others are served on."""
    address = urlsplit(upstream.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"\x00\x01\x02\r\n\r\n")
    assert b"" == await reader.read()
    writer.close()
    await writer.wait_closed()
    assert 200 == (await asked(upstream))[0]
