# ruff: noqa: RUF001 - characters that are mistaken for others are what some of this is about
"""No connection is made to an address that must not be called, whatever a URL and a resolver say.

Listening sockets would notice a connection, and the broker's own count of sockets tells that none was
even opened.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from broker.delivery.webhooks.outbound import ANSWER_BYTES_MAX, GuardedResolver, Outbound, retry_after_s
from broker.delivery.webhooks.request import OutboundRequest
from broker.domain.callback import Failed, Gone, Succeeded
from broker.domain.network import PUBLIC_ONLY, AddressPolicy, networks_of

LOCAL = AddressPolicy(networks_of(("127.0.0.0/8",)))
PRIVATE_NAMES = {
    "rebound.example": ["127.0.0.1"],
    "both.example": ["127.0.0.1", "10.0.0.1"],
    "six.example": ["::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "link.example": ["fe80::1%1"],
    "metadata.example": ["169.254.169.254"],
    "cgnat.example": ["100.64.0.1"],
    "ula.example": ["fd00::1"],
    "any.example": ["0.0.0.0"],
    "multicast.example": ["224.0.0.1"],
    "broadcast.example": ["255.255.255.255"],
    "sixtofour.example": ["2002:7f00:1::"],
    "teredo.example": ["2001:0:7f00:1::1"],
}
HOSTILE = [
    *(f"http://{name}:PORT/" for name in PRIVATE_NAMES),
    "http://127.0.0.1:PORT/",
    "https://127.0.0.1:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://127.0.0.2:PORT/",
    "http://127.255.255.254:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://2130706433:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7f.1:PORT/",
    "http://0x7f.0x0.0x0.0x1:PORT/",
    "http://017700000001:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://0177.1:PORT/",
    "http://0:PORT/",
    "http://0.0.0.0:PORT/",
    "http://localhost:PORT/",
    "http://LOCALHOST:PORT/",
    "http://localhost.:PORT/",
    "http://a.localhost:PORT/",
    "http://[::1]:PORT/",
    "http://[::]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[64:ff9b::127.0.0.1]:PORT/",
    "http://[64:ff9b:1::127.0.0.1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "http://[2001:0:7f00:1::1]:PORT/",
    "http://[fe80::1]:PORT/",
    "http://[fe80::1%251]:PORT/",
    "http://[fc00::1]:PORT/",
    "http://[fd12:3456::1]:PORT/",
    "http://[ff02::1]:PORT/",
    "http://[2001:db8::1]:PORT/",
    "http://10.0.0.1:PORT/",
    "http://172.16.0.1:PORT/",
    "http://192.168.0.1:PORT/",
    "http://169.254.169.254:PORT/latest/meta-data/",
    "http://100.64.0.1:PORT/",
    "http://198.18.0.1:PORT/",
    "http://192.0.2.1:PORT/",
    "http://224.0.0.1:PORT/",
    "http://255.255.255.255:PORT/",
    "http://user@127.0.0.1:PORT/",
    "http://user:secret@127.0.0.1:PORT/",
    "http://8.8.8.8@127.0.0.1:PORT/",
    "http://example.org:80@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT#@example.org/",
    "http://127.0.0.1:PORT?@example.org/",
    "http://１２７.0.0.1:PORT/",
    "http://①②⑦.⓪.⓪.①:PORT/",
    "http://127。0。0。1:PORT/",
    "http://%31%32%37.0.0.1:PORT/",
]


class ScriptedResolver(GuardedResolver):
    """A resolver whose answers the test writes, each name's in turn; the last one stays."""

    def __init__(self, network: AddressPolicy, answers: dict[str, list[list[str]]]) -> None:
        super().__init__(network)
        self.answers = answers
        self.asked: list[str] = []

    def look_up(self, host: str, port: int, family: int) -> list[Any]:
        """The next answer; none at all for a name of which nobody knows."""
        self.asked.append(host)
        script = self.answers.get(host)
        if script == []:
            raise socket.gaierror(socket.EAI_NONAME, "nobody knows")
        if script is None:
            return super().look_up(host, port, family)
        addresses = script.pop(0) if len(script) > 1 else script[0]
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in addresses
        ]


class TrustingResolver(ScriptedResolver):
    """One that filters nothing, as if the first guard were broken."""

    def __init__(self, answers: dict[str, list[list[str]]]) -> None:
        super().__init__(AddressPolicy(networks_of(("0.0.0.0/0", "::/0"))), answers)


class CountingOutbound(Outbound):
    """Counts the sockets that it really opened."""

    opened = 0

    def open_socket(self, place: Any) -> socket.socket:
        """One more, unless it is refused."""
        made = super().open_socket(place)
        self.opened += 1
        return made


class Trap:
    """Sockets on one port of 127.0.0.1, 127.0.0.2 and ::1 that would notice a connection."""

    def __init__(self) -> None:
        first = socket.create_server(("127.0.0.1", 0))
        self.port: int = first.getsockname()[1]
        self.sockets = [first, socket.create_server(("127.0.0.2", self.port))]
        with contextlib.suppress(OSError):  # a host without IPv6 has nothing there to be reached
            self.sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        for each in self.sockets:
            each.setblocking(False)

    @property
    def connections(self) -> int:
        """How many wait to be accepted."""
        count = 0
        for each in self.sockets:
            try:
                each.accept()[0].close()
                count += 1
            except BlockingIOError:
                continue
        return count


@pytest.fixture
def trap() -> Iterator[Trap]:
    """A trap, set."""
    trap = Trap()
    yield trap
    for each in trap.sockets:
        each.close()


@asynccontextmanager
async def calling(
    network: AddressPolicy = PUBLIC_ONLY, *, resolver: GuardedResolver | None = None, timeout_s: float = 5.0
) -> AsyncIterator[CountingOutbound]:
    """An open Outbound."""
    outbound = CountingOutbound(network, timeout_s=timeout_s, resolver=resolver)
    try:
        yield outbound
    finally:
        await outbound.close()


def request(url: str, method: str = "POST") -> OutboundRequest:
    """A call with a body."""
    return OutboundRequest(method, url, {"webhook-id": "evt_1"}, b"{}" if method == "POST" else b"")


async def test_the_trap_notices_a_connection(trap: Trap) -> None:
    """Otherwise the tests below would prove nothing."""
    async with calling(LOCAL, timeout_s=0.2) as outbound:
        await outbound.call(request(f"http://127.0.0.1:{trap.port}/"))
        assert (1, 1) == (outbound.opened, trap.connections)


async def test_no_hostile_url_gets_a_connection(trap: Trap) -> None:
    """Nor even a socket, although nothing of the URL was checked before."""
    resolver = ScriptedResolver(PUBLIC_ONLY, {name: [found] for name, found in PRIVATE_NAMES.items()})
    async with calling(resolver=resolver) as outbound:
        urls = [each.replace("PORT", str(trap.port)) for each in HOSTILE]
        outcomes = [await outbound.call(request(url)) for url in urls]
        assert [] == [each for each in zip(urls, outcomes, strict=True) if not isinstance(each[1], Failed)]
        assert (0, 0) == (outbound.opened, trap.connections)
    assert len(HOSTILE) >= 60
    assert resolver.asked


async def test_the_last_guard_holds_alone(trap: Trap) -> None:
    """Where a resolver hands out anything, the socket is not made."""
    resolver = TrustingResolver({name: [found] for name, found in PRIVATE_NAMES.items()})
    async with calling(resolver=resolver) as outbound:
        for name in PRIVATE_NAMES:
            assert Failed("forbidden") == await outbound.call(request(f"http://{name}:{trap.port}/"))
        assert (0, 0) == (outbound.opened, trap.connections)


async def test_a_name_that_turns_private_gets_no_connection(trap: Trap, receiver: Any) -> None:
    """Allowed at the first answer, private at the second: each connection is judged by what it connects to."""
    only = AddressPolicy(networks_of(("127.0.0.1/32",)))
    receiver.answer = lambda _: web.Response(status=200, headers={"connection": "close"})
    for resolver in (
        ScriptedResolver(only, {"rebind.example": [["127.0.0.1"], ["127.0.0.2"]]}),
        ScriptedResolver(only, {"rebind.example": [["127.0.0.1"], ["::1"], ["10.0.0.1"], ["127.0.0.2"]]}),
    ):
        async with calling(only, resolver=resolver) as outbound:
            first = await outbound.call(request(f"http://rebind.example:{receiver.port}/"))
            rest = [await outbound.call(request(f"http://rebind.example:{trap.port}/")) for _ in range(4)]
            assert (Succeeded(), [Failed("forbidden")] * 4) == (first, rest)
            assert (1, 0) == (outbound.opened, trap.connections)
            assert 5 == len(resolver.asked)


async def test_of_several_addresses_only_the_allowed_are_tried(receiver: Any) -> None:
    """Also where the private one comes first."""
    only = AddressPolicy(networks_of(("127.0.0.1/32",)))
    resolver = ScriptedResolver(only, {"mixed.example": [["127.0.0.2", "::1", "10.0.0.1", "127.0.0.1"]]})
    async with calling(only, resolver=resolver) as outbound:
        assert Succeeded() == await outbound.call(request(f"http://mixed.example:{receiver.port}/"))
        assert 1 == outbound.opened


async def test_proxies_of_the_environment_are_not_used(trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would connect on our behalf, to wherever they like."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
    resolver = ScriptedResolver(LOCAL, {"gone.example": [["10.0.0.1"]]})
    async with calling(LOCAL, resolver=resolver) as outbound:
        assert Failed("forbidden") == await outbound.call(request("http://gone.example/"))
        assert (0, 0) == (outbound.opened, trap.connections)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_leads_nowhere(trap: Trap, receiver: Any, status: int) -> None:
    """Nobody checked where."""
    place = {"location": f"http://127.0.0.2:{trap.port}/"}
    receiver.answer = lambda _: web.Response(status=status, headers=place)
    async with calling(LOCAL) as outbound:
        assert Failed("3xx") == await outbound.call(request(receiver.url))
        assert (1, 0) == (outbound.opened, trap.connections)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Succeeded()),
        (204, Succeeded()),
        (299, Succeeded()),
        (400, Failed("4xx")),
        (404, Failed("4xx")),
        (410, Gone()),
        (429, Failed("4xx", 7.0)),
        (500, Failed("5xx")),
        (503, Failed("5xx", 7.0)),
    ],
)
async def test_an_answer_is_judged_by_its_status(receiver: Any, status: int, outcome: Any) -> None:
    """With when to come back, where it says so."""
    headers = {"retry-after": "7"} if status in {429, 503} else {}
    receiver.answer = lambda _: web.Response(status=status, headers=headers)
    async with calling(LOCAL) as outbound:
        assert outcome == await outbound.call(request(receiver.url))


async def test_what_is_sent_is_what_was_written(receiver: Any) -> None:
    """Path and query byte for byte, no cookies, nothing compressed is asked for."""
    target = "/a/../b/./%7e%41?x=%2B+&y=;&&z="
    receiver.answer = lambda _: web.Response(status=200, headers={"set-cookie": "a=b"})
    async with calling(LOCAL) as outbound:
        for method in ("GET", "POST"):
            await outbound.call(request(receiver.url + target, method))
    assert [("GET", target, b""), ("POST", target, b"{}")] == [
        (each.method, each.target, each.body) for each in receiver.got
    ]
    assert ["evt_1"] * 2 == receiver.ids
    assert not any("cookie" in each.headers for each in receiver.got)


async def test_a_connection_is_used_again(receiver: Any) -> None:
    """One after a short answer; not after one that is longer than anybody reads."""
    receiver.answer = lambda _: web.Response(status=200, body=b"x" * ANSWER_BYTES_MAX)
    async with calling(LOCAL) as outbound:
        for _ in range(3):
            assert Succeeded() == await outbound.call(request(receiver.url))
        assert 1 == outbound.opened
        receiver.answer = lambda _: web.Response(status=200, body=b"x" * (1 << 22))
        for _ in range(2):
            assert Succeeded() == await outbound.call(request(receiver.url))
        assert 2 == outbound.opened


async def test_an_endless_answer_costs_no_more_than_the_limit(receiver: Any) -> None:
    """The status is what counts."""
    sent = 0

    async def handle(raw: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(status=200)
        await response.prepare(raw)
        while sent < 1 << 26:
            await response.write(b"x" * 65_536)
            sent += 65_536
        return response

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    async with calling(LOCAL) as outbound:
        assert Succeeded() == await outbound.call(request(f"http://127.0.0.1:{port}/"))
    await runner.cleanup()
    assert sent < 1 << 26


async def test_who_does_not_answer_has_failed(trap: Trap) -> None:
    """Within the time that a call may take; also who is not there, who hangs up, and who speaks no TLS."""

    async def hang_up(_reader: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 2")
        writer.close()

    rude = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = rude.sockets[0].getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[1]
    resolver = ScriptedResolver(LOCAL, {"unknown.example": []})
    async with calling(LOCAL, resolver=resolver, timeout_s=0.2) as outbound:
        assert Failed("timeout") == await outbound.call(request(f"http://127.0.0.1:{trap.port}/"))
        assert Failed("connection") == await outbound.call(request(f"http://127.0.0.1:{nobody}/"))
        assert Failed("connection") == await outbound.call(request(f"http://127.0.0.1:{port}/"))
        assert isinstance(await outbound.call(request(f"https://127.0.0.1:{port}/")), Failed)
        assert Failed("name") == await outbound.call(request("http://unknown.example/"))
    rude.close()
    await rude.wait_closed()


NOW = datetime(2026, 9, 21, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("120", 120.0),
        ("Mon, 21 Sep 2026 12:01:00 GMT", 60.0),
        ("Mon, 21 Sep 2026 11:00:00 GMT", 0.0),
        ("Mon, 21 Sep 2026 12:01:00 -0000", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("9" * 65, None),
        (str(NOW + timedelta(days=1)), None),
    ],
)
def test_when_to_come_back_is_a_number_or_a_date(written: str | None, seconds: float | None) -> None:
    """Anything else is no wish."""
    assert seconds == retry_after_s(written, NOW)
