"""One broker with the provider of every system, each against its own fake, under a mixed load.

Every message ends as the script of its system says, what a system does not take goes on to another one, what the
broker counts for each instance is what its system has in its own books, and nobody's secret is shown anywhere.
"""

import asyncio
import contextlib
import itertools
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

import waypost
from broker.testing.broker_process import BrokerProcess
from broker.testing.upstream import Answer, Request, Upstream
from waypost_bird.fake import FakeServer as BirdServer
from waypost_bird.fake import example, example_bird, example_settings
from waypost_groupcall.fake import FakeGroupcall
from waypost_groupcall.fake import Server as GroupcallServer
from waypost_groupcall.fake.messenger import CUSTOMER_ID, USER_NAME
from waypost_grouptexting.fake import Service, serve
from waypost_ogangi.fake import FakeOgangi
from waypost_ogangi.settings import OgangiSettings
from waypost_zoomconnect.fake import FakeZoomConnect
from waypost_zoomconnect.fake.__main__ import post_callbacks

SHARE_EVERY = 10
"""One of so many messages goes to a number that its system has a script for."""

CALLBACK_SECRET = "the-secret-of-every-callback-address"
TEXT = "Your table is ready, Quillon"
ORDINARY = "5555"
DOWN = "down"
HOP = "hop"
HOPS = 3
HOP_TAIL = "0008"
"""The fake Bird answers 429 to the first request for a number with this end."""

S = waypost.Status


@dataclass
class System:
    """A system's fake: the instance's table, its numbers, what its numbers end with, and its own books.

    `numbers` makes a number of a count and of its last four digits; `script` says what messages to those last
    digits end with, and all others end with `ends`. `books` counts what it took, by how that ended; `report` lets
    it report, where somebody has to ask it to, to the address of callbacks.
    """

    name: str
    table: dict[str, Any]
    secrets: tuple[str, ...]
    numbers: Callable[[int, str], str]
    books: Callable[[], Counter[S]]
    script: Mapping[str, S] = field(default_factory=dict)
    ends: S = S.DELIVERED
    sender: str = ""
    report: Callable[[str], Any] | None = None


@contextlib.asynccontextmanager
async def bird() -> AsyncIterator[System]:
    """Reports by itself."""
    fake = example_bird()
    async with BirdServer(fake) as server:
        yield System(
            "bird",
            {"type": "bird", **example_settings(server.url)},
            (example.ACCESS_KEY, example.SIGNING_KEY),
            numbers=lambda count, tail: f"+447{700 + count // 100:03d}{count % 100:02d}{tail}",
            books=lambda: Counter({
                S.DELIVERED: fake.books["delivered"],
                S.DELIVERY_FAILED: fake.books["taken"] - fake.books["delivered"],
            }),
            script={"0001": S.REJECTED, **dict.fromkeys(("0002", "0003", "0004", "0005"), S.DELIVERY_FAILED)},
        )


@contextlib.asynccontextmanager
async def zoomconnect() -> AsyncIterator[System]:
    """Reports when time passes for it."""
    fake = FakeZoomConnect(email="me@example.org", token="zoom-token-4711", credit=1_000_000.0)

    def answer(request: Request) -> Answer:
        status, headers, body = fake(request.method, request.target, request.headers, request.body)
        return Answer(status, body, headers)

    def books() -> Counter[S]:
        words = {"DELIVERED": S.DELIVERED}
        sent = [each for each in fake.messages.by_id.values() if each["messageType"] == "OUTBOUND"]
        return Counter(words.get(each["messageStatus"], S.DELIVERY_FAILED) for each in sent)

    async with aiohttp.ClientSession() as session:

        async def report(address: str) -> None:
            fake.messages.deliver()
            await post_callbacks(fake, session, {"report": address})

        with Upstream(answer) as upstream:
            yield System(
                "zoomconnect",
                {
                    "type": "zoomconnect",
                    "base_url": upstream.url,
                    "email": "me@example.org",
                    "token": "zoom-token-4711",
                },
                ("zoom-token-4711",),
                numbers=lambda count, tail: f"+278{2 + count // 1_000}{count % 1_000:03d}{tail}",
                books=books,
                script=dict.fromkeys(("0002", "0003", "0004"), S.DELIVERY_FAILED),
                report=report,
            )


@contextlib.asynccontextmanager
async def ogangi() -> AsyncIterator[System]:
    """Never reports."""
    with Upstream() as upstream:
        table = {
            "base_url": upstream.url,
            "instance_id": "1234",
            "user_name": "ada",
            "public_key": "ogangi-public-4711",
            "private_key": "ogangi-private-0815",
            "message_statuses": {"SENT_TO_CARRIER": "accepted", "INVALID_NUMBER": "invalid_recipient"},
        }
        fake = FakeOgangi(OgangiSettings.model_validate(table))
        upstream.answer = fake
        yield System(
            "ogangi",
            {"type": "ogangi", **table},
            ("ogangi-public-4711", "ogangi-private-0815"),
            numbers=lambda count, tail: f"+1{813 + count // 700}{200 + count % 700:03d}{tail}",
            books=lambda: Counter(S.SENT for each in fake.sent if each.status == "SENT_TO_CARRIER"),
            script={"0001": S.REJECTED},
            ends=S.SENT,
        )


class ByEnding(dict[str, Any]):
    """Values by the last four characters of what is looked up."""

    def get(self, key: str, default: Any = None) -> Any:
        """The value for how the key ends."""
        return super().get(key[-4:], default)


@contextlib.asynccontextmanager
async def groupcall() -> AsyncIterator[System]:
    """Reports by itself, to the address that each message names."""
    failed = ("Failed", "Invalid number")
    fake = FakeGroupcall(
        customers={CUSTOMER_ID: "groupcall-password-4711"}, statuses=ByEnding({"0002": failed})
    )
    with GroupcallServer(fake) as server:
        yield System(
            "groupcall",
            {
                "type": "groupcall",
                "url": server.url,
                "user_name": USER_NAME,
                "customer_id": CUSTOMER_ID,
                "password": "groupcall-password-4711",
                "sms_sender": "Waypost",
            },
            ("groupcall-password-4711",),
            numbers=lambda count, tail: f"+447{300 + count // 100:03d}{count % 100:02d}{tail}",
            books=lambda: Counter(
                S.DELIVERY_FAILED if fake.status_of(each) == failed else S.DELIVERED for each in fake.taken
            ),
            script={"0002": S.DELIVERY_FAILED},
        )


class Ending(set[str]):
    """Whatever ends in one of these four characters."""

    def __contains__(self, one: object) -> bool:
        return super().__contains__(str(one)[-4:])


@contextlib.asynccontextmanager
async def grouptexting() -> AsyncIterator[System]:
    """Never reports, and turns away who opens more than two connections a second."""
    password, long_code = "texting-password-4711", "+12125550100"
    service = Service(user="acme", password=password, credits=1_000_000, opted_out=Ending({"0005"}))
    async with serve(service) as server:
        yield System(
            "grouptexting",
            {
                "type": "grouptexting",
                "url": server.url,
                "username": "acme",
                "password": password,
                "long_code": long_code,
            },
            (password,),
            numbers=lambda count, tail: f"+1{415 + count // 700}{200 + count % 700:03d}{tail}",
            books=lambda: Counter({S.SENT: len(service.texted)}),
            script={"0005": S.REJECTED},
            ends=S.SENT,
            sender=long_code,
        )


SYSTEMS = (bird, zoomconnect, ogangi, groupcall, grouptexting)


@contextlib.asynccontextmanager
async def all_systems() -> AsyncIterator[list[System]]:
    """Every fake, serving."""
    async with contextlib.AsyncExitStack() as running:
        yield [await running.enter_async_context(each()) for each in SYSTEMS]


@dataclass(frozen=True)
class Expected:
    """A message, what it has to end with, and through which instance."""

    request: waypost.SendRequest
    end: S
    provider: str


def load(systems: list[System], count: int) -> Iterator[Expected]:
    """So many messages: by turns straight to each system, or to it once the one before it did not take them.

    Each is told by its client reference.
    """
    turns = itertools.cycle(systems)
    for number in range(count):
        system, of = next(turns), number // len(systems)
        scripted = sorted(system.script)
        special = of % SHARE_EVERY == 0 and scripted
        tail = scripted[of // SHARE_EVERY % len(scripted)] if special else ORDINARY
        straight = of % 2 == 0
        yield Expected(
            message(system, system.numbers(of, tail), f"m{number}", system.name if straight else DOWN),
            system.script.get(tail, system.ends),
            system.name,
        )


def message(system: System, number: str, reference: str, way: str) -> waypost.SendRequest:
    """A message to a number of a system's, by one of its ways."""
    return waypost.SendRequest(
        TEXT,
        to=number,
        sender=system.sender,
        tags=[f"{way}-{system.name}"],
        client_reference=reference,
        guarantee=waypost.Guarantee.AT_MOST_ONCE,
    )


def routes(systems: list[System]) -> list[dict[str, Any]]:
    """To each system by its name; by way of the one that is down; and from Bird on to its neighbour."""
    found = []
    for system in systems:
        straight, around = f"{system.name}-{system.name}", f"{DOWN}-{system.name}"
        found += [
            {"name": straight, "provider": system.name, "tags": [straight]},
            {"name": f"{around}-1", "provider": DOWN, "tags": [around]},
            {"name": f"{around}-2", "provider": system.name, "tags": [around], "priority": 1},
        ]
    hops = f"{HOP}-bird"
    return [
        *found,
        {"name": f"{hops}-1", "provider": "bird", "tags": [hops]},
        {"name": f"{hops}-2", "provider": "zoomconnect", "tags": [hops], "priority": 1},
    ]


@contextlib.contextmanager
def started(directory: Any, systems: list[System]) -> Iterator[BrokerProcess]:
    """A broker with an instance for each system, and one whose system is down."""
    own = {"callback_secret": CALLBACK_SECRET}
    providers = {each.name: {**each.table, "waypost": own} for each in systems}
    with socket.socket() as nobody:  # a port that is taken, and where nobody listens
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        providers[DOWN] = {"type": "bird", **example_settings(url)}
        with BrokerProcess(directory, providers, {"routes": routes(systems)}) as broker:
            yield broker


async def keep_reporting(systems: list[System], broker: BrokerProcess) -> None:
    """Let the systems report that do not do so by themselves."""
    asked = [each for each in systems if each.report is not None]
    while True:
        for each in asked:
            await each.report(f"http://{broker.http_address}/callbacks/{each.name}/{CALLBACK_SECRET}")
        await asyncio.sleep(0.05)


async def ends_of(client: waypost.Client, count: int) -> tuple[dict[str, Any], Counter[str], list[str]]:
    """The event that ended each message, by reference; how often each fact came; all events as they are shown."""
    ends, facts, shown = {}, Counter(), []
    async for event in client.subscribe(waypost.MessageEvent, from_beginning=True):
        facts[event.fact] += 1
        shown.append(repr(event))
        if event.end and event.client_reference not in ends:
            ends[event.client_reference] = event
        if len(ends) == count:
            break
    return ends, facts, shown


def as_booked(rows: Any, names: set[str]) -> dict[str, Counter[S]]:
    """What the broker counts of what each system took, by instance."""
    found: dict[str, Counter[S]] = {name: Counter() for name in names}
    for row in rows:
        provider, status = row.group
        if provider in names and status != "REJECTED":
            found[provider][S[status]] += row.count
    return found


@pytest.mark.timeout(900)
@pytest.mark.parametrize("count", [400, pytest.param(5_000, marks=pytest.mark.soak)])
async def test_a_mixed_load_through_every_system_ends_as_scripted(tmp_path, count):
    """Straight, by failover and by hops; and both sides' books agree."""
    async with all_systems() as systems:
        by_name = {each.name: each for each in systems}
        expected = {each.request.client_reference: each for each in load(systems, count)}
        for number in range(HOPS):
            to = by_name["bird"].numbers(9_000 + number, HOP_TAIL)
            hop = message(by_name["bird"], to, f"hop{number}", HOP)
            expected[hop.client_reference] = Expected(hop, S.DELIVERED, "zoomconnect")
        with started(tmp_path, systems) as broker:
            reporting = asyncio.create_task(keep_reporting(systems, broker))
            async with broker.client() as client:
                requests = [each.request for each in expected.values()]
                async for _, sent in client.send_many(requests):
                    assert isinstance(sent, waypost.Sent), sent
                ends, facts, shown = await ends_of(client, len(expected))
                dimensions = (waypost.UsageDimension.PROVIDER, waypost.UsageDimension.STATUS)
                usage = await client.usage(by=dimensions, include_opted_out=True)
            reporting.cancel()
            await asyncio.wait([reporting])
            log = broker.log
        wrong = {
            reference: ends[reference]
            for reference, each in expected.items()
            if (each.end, each.provider) != (ends[reference].status, ends[reference].provider)
        }
        assert {} == wrong
        assert facts[waypost.Fact.DEFERRED] > 0
        assert len(expected) == usage.total
        assert {each.name: each.books() for each in systems} == as_booked(usage.rows, by_name.keys())
        secrets = [CALLBACK_SECRET, *(secret for each in systems for secret in each.secrets)]
        told = "\n".join([log, *shown])
        assert [] == [secret for secret in secrets if secret in told]
        assert TEXT not in log
