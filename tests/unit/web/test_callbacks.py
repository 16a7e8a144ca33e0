"""Callback addresses over HTTP, on a socket: what reaches the plugin, what is answered, and what is refused."""

import asyncio
import io
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import aiohttp
import pytest

from broker.delivery.callbacks import Trouble
from broker.metrics import Metrics
from broker.spi import CallbackAnswer, CallbackRequest
from broker.web import callbacks as web_callbacks
from broker.web.callbacks import BODY_BYTES_MAX, HEADERS_BYTES_MAX, CallbackEndpoint
from broker.web.pages import build_web_app
from broker.web.server import bind, build_web_server

SECRET = "the-secret-of-acme"
PLACE = f"/callbacks/acme/{SECRET}"


@dataclass
class Instance:
    """What a secret leads to."""

    name: str = "acme"


@dataclass
class FakeCallbacks:
    """One instance; what it is asked it keeps, and answers as the test says."""

    answer: CallbackAnswer | Trouble = field(default_factory=CallbackAnswer)
    requests: list[CallbackRequest] = field(default_factory=list)
    gate: asyncio.Event | None = None

    def find(self, instance: str, secret: str) -> Instance | None:
        """By the one secret."""
        return Instance() if (instance, secret) == ("acme", SECRET) else None

    async def take(self, instance: Instance, request: CallbackRequest) -> CallbackAnswer | Trouble:
        """Once the gate is open."""
        self.requests.append(request)
        if self.gate is not None:
            await self.gate.wait()
        return self.answer


@dataclass
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass
class Served:
    """The HTTP side of a broker that takes two callbacks at once."""

    url: str
    address: tuple[str, int]
    callbacks: FakeCallbacks
    metrics: Metrics
    http: aiohttp.ClientSession
    ready: bool = True

    async def call(self, path: str = PLACE, method: str = "POST", **more) -> Answer:
        """One request."""
        async with self.http.request(method, self.url + path, **more) as response:
            return Answer(response.status, await response.read(), response.headers)

    async def write(self, *lines: str, body: bytes = b"") -> str:
        """Send what no client would, and read the status line."""
        reader, writer = await asyncio.open_connection(*self.address)
        writer.write("\r\n".join([*lines, "host: here", "", ""]).encode() + body)
        line = await reader.readline()
        writer.close()
        return line.decode().strip()

    def counted(self, code: int, instance: str = "acme") -> float:
        """How many were answered so."""
        return self.metrics.callbacks.labels(instance, str(code))._value.get()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """A server on a free port."""
    callbacks, metrics = FakeCallbacks(), Metrics()
    listener = bind("127.0.0.1", 0)
    address = listener.getsockname()[:2]
    async with aiohttp.ClientSession() as http:
        served = Served(f"http://127.0.0.1:{address[1]}", address, callbacks, metrics, http)
        endpoint = CallbackEndpoint(callbacks, lambda: served.ready, metrics, at_once_max=2)
        server = build_web_server(build_web_app(lambda: True, metrics, endpoint), stop_s_max=1)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield served  # whoever connects before it has begun waits in the kernel
    server.force_exit = True
    await server.shutdown([listener])
    serving.cancel()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "REPORT"])
async def test_any_method_reaches_the_plugin(served: Served, method: str) -> None:
    """Upstreams use all of them."""
    assert 200 == (await served.call(method=method)).status
    assert [method] == [each.method for each in served.callbacks.requests]


async def test_the_plugin_gets_the_request_as_it_came(served: Served) -> None:
    """Path, query in its order, headers by lower-case name, and every byte of the body."""
    body = bytes(range(256))
    headers = [("X-Sign", "a"), ("X-Sign", "b"), ("Content-Type", "text/plain; charset=latin-1")]
    await served.call(f"{PLACE}/dlr/v%202?b=2&a=%C3%A9&b=&c", data=body, headers=headers)
    (request,) = served.callbacks.requests
    assert "dlr/v 2" == request.path
    assert [("b", "2"), ("a", "é"), ("b", ""), ("c", "")] == list(request.query)
    assert ("a, b", "text/plain; charset=latin-1") == (
        request.headers["x-sign"],
        request.headers["content-type"],
    )
    assert body == request.body


@pytest.mark.parametrize("path", ["", "/"])
async def test_nothing_behind_the_secret_is_an_empty_path(served: Served, path: str) -> None:
    """With or without a slash."""
    await served.call(PLACE + path)
    assert [""] == [each.path for each in served.callbacks.requests]


async def test_the_plugins_answer_is_given(served: Served) -> None:
    """Status, body and type."""
    served.callbacks.answer = CallbackAnswer(status=418, body=b"\x00{}", content_type="application/json")
    response = await served.call()
    assert (418, b"\x00{}", "application/json") == (
        response.status,
        response.body,
        response.headers["content-type"],
    )
    assert 1 == served.counted(418)


@pytest.mark.parametrize("status", [204, 205, 304])
async def test_a_status_that_has_no_body_gets_none(served: Served, status: int) -> None:
    """The next request on the connection is understood."""
    served.callbacks.answer = CallbackAnswer(status=status, body=b"unwanted")
    assert [(status, b"")] * 2 == [
        (response.status, response.body) for response in [await served.call() for _ in range(2)]
    ]


@pytest.mark.parametrize(
    "path",
    [
        f"/callbacks/other/{SECRET}",
        "/callbacks/acme/wrong",
        f"/callbacks/acme/{SECRET}x/dlr",
        "/callbacks/acme/%FF%00",
        "/callbacks/acme",
        "/nowhere",
    ],
)
async def test_a_wrong_address_is_nothing(served: Served, path: str) -> None:
    """One answer for all, whatever is wrong; its body is not even read."""
    response = await served.call(path, data=io.BytesIO(b"x" * (BODY_BYTES_MAX + 1)))
    assert (404, b"Not Found") == (response.status, response.body)
    assert [] == served.callbacks.requests


async def test_guesses_are_counted(served: Served) -> None:
    """Under no instance's name: a name may be part of the guess."""
    await served.call("/callbacks/guess/secret")
    assert 1 == served.counted(404, "")
    assert b"guess" not in served.metrics.render()


async def test_a_body_has_a_largest_size(served: Served) -> None:
    """Exactly that much is taken."""
    assert 200 == (await served.call(data=io.BytesIO(b"x" * BODY_BYTES_MAX))).status
    assert [BODY_BYTES_MAX] == [len(each.body) for each in served.callbacks.requests]


@pytest.mark.parametrize(
    "lines",
    [
        (f"content-length: {BODY_BYTES_MAX + 1}",),
        (f"content-length: 9{'0' * 18}",),
        ("transfer-encoding: chunked",),
    ],
)
async def test_a_larger_body_is_refused(served: Served, lines: tuple[str, ...]) -> None:
    """By what it declares, before any of it is read; or as soon as it is too large."""
    chunks = b"" if "length" in lines[0] else b"10001\r\n" + b"x" * 65_537 + b"\r\n"
    status = await served.write(f"POST {PLACE} HTTP/1.1", *lines, body=chunks * 16)
    assert "HTTP/1.1 413" == status[:12]
    assert [] == served.callbacks.requests


async def test_headers_have_a_largest_size(served: Served) -> None:
    """What is larger is no request."""
    status = await served.write(
        f"GET {PLACE} HTTP/1.1", *[f"x-{n}: {'y' * 8_000}" for n in range(HEADERS_BYTES_MAX // 8_000 + 2)]
    )
    assert "HTTP/1.1 431" == status[:12]


async def test_a_body_that_does_not_come_is_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would hold a place for ever."""
    monkeypatch.setattr(web_callbacks, "BODY_S_MAX", 0.05)
    status = await served.write(f"POST {PLACE} HTTP/1.1", "content-length: 5", body=b"abc")
    assert "HTTP/1.1 408" == status[:12]


async def test_an_upstream_that_goes_away_leaves_its_place(served: Served) -> None:
    """Half a request is none."""
    for _ in range(3):
        with socket.create_connection(served.address) as caller:
            caller.sendall(f"POST {PLACE} HTTP/1.1\r\nhost: here\r\ncontent-length: 5\r\n\r\nabc".encode())
    while (await served.call()).status == 503:  # noqa: ASYNC110 - until all three are known to be gone
        await asyncio.sleep(0.001)
    assert [b""] == [each.body for each in served.callbacks.requests]


async def test_too_many_at_once_are_told_to_come_again(served: Served) -> None:
    """Those that have a place are answered."""
    served.callbacks.gate = asyncio.Event()
    first = [asyncio.create_task(served.call()) for _ in range(2)]
    while len(served.callbacks.requests) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    refused = await served.call()
    assert (503, "5") == (refused.status, refused.headers["retry-after"])
    served.callbacks.gate.set()
    assert [200, 200] == [response.status for response in await asyncio.gather(*first)]
    assert 200 == (await served.call()).status


async def test_a_broker_that_drains_takes_none(served: Served) -> None:
    """The upstream comes again, and finds the next broker."""
    served.ready = False
    refused = await served.call()
    assert (503, "5", []) == (refused.status, refused.headers["retry-after"], served.callbacks.requests)


@pytest.mark.parametrize(
    ("trouble", "status", "retry_after"),
    [(Trouble.RAISED, 500, None), (Trouble.LATE, 503, "5"), (Trouble.NOT_STORED, 503, "5")],
)
async def test_what_was_not_taken_is_told(
    served: Served, trouble: Trouble, status: int, retry_after: str | None
) -> None:
    """So that the upstream tries again; it learns nothing else."""
    served.callbacks.answer = trouble
    response = await served.call()
    assert (status, retry_after) == (response.status, response.headers.get("retry-after"))
    assert 1 == served.counted(status)
