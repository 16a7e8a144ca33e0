"""Short links over HTTP, on a socket and over a real store: where they lead, and whom they count."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from broker.delivery.links import Links
from broker.domain.account_policy import AccountPolicy
from broker.domain.links import LinkRule, format_code
from broker.domain.submission import Content
from broker.domain.vocabulary import Channel
from broker.metrics import Metrics
from broker.storage.keeping import NewAccount, create_accounts
from broker.storage.migrate import load_migrations, migrate
from broker.storage.policies import NewPolicy, set_policies
from broker.storage.sqlite import SqliteEngine
from broker.storage.store import Store
from broker.testing.builders import NOW_US, ManualClock
from broker.testing.store_suite import Bench
from broker.web.links import LinkSite
from broker.web.pages import build_web_app
from broker.web.server import bind, build_web_server

DOMAIN = "go.example.org"
TARGET = "https://example.com/a?b=1#c"
PERSON = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1"}


@dataclass
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def leads_to(self) -> str | None:
        """The target."""
        return self.headers.get("location")


@dataclass
class Site:
    """The HTTP side of a broker whose account 1 has a link domain and a message with a link."""

    port: int
    bench: Bench
    links: Links
    metrics: Metrics
    http: aiohttp.ClientSession
    message_id: int
    path: str

    async def get(self, path: str = "", host: str = DOMAIN, method: str = "GET", **headers: str) -> Answer:
        """One request for a path, of the message's link by default, under a host name."""
        url = f"http://127.0.0.1:{self.port}{path or self.path}"
        given = {**PERSON, "host": host} | {name.replace("_", "-"): each for name, each in headers.items()}
        async with self.http.request(method, url, headers=given, allow_redirects=False) as response:
            return Answer(response.status, await response.read(), response.headers)

    async def clicks(self) -> int:
        """How many are counted."""
        (link,) = (await self.bench.message(self.message_id)).links
        return link.clicks


async def never(_request: object) -> None:
    """No callbacks here."""


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A server on a free port."""
    engine = SqliteEngine(tmp_path)
    connection = engine.connect()
    migrate(connection, load_migrations(), NOW_US)
    connection.close()
    store = Store(engine)
    await store.write(create_accounts, [NewAccount(each, "test", NOW_US) for each in (1, 2)], [1, 2])
    policy = AccountPolicy(link_domains=(DOMAIN, "l.example.net"))
    await store.write(set_policies, [NewPolicy(1, policy)], [1])
    bench = Bench(store)
    content = Content({Channel.SMS: {"text": TARGET}}, links=LinkRule(DOMAIN))
    (message_id,) = await bench.send(content=content)
    (link,) = (await bench.message(message_id)).links
    links, metrics, listener = Links(store, ManualClock()), Metrics(), bind("127.0.0.1", 0)
    pages = build_web_app(lambda: True, metrics, never)  # type: ignore[arg-type]
    server = build_web_server(LinkSite(links, pages, metrics, at_once_max=2), stop_s_max=1)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    async with aiohttp.ClientSession() as http:
        port, path = listener.getsockname()[1], link.short_url.removeprefix(f"https://{DOMAIN}")
        yield Site(port, bench, links, metrics, http, message_id, path)
    server.force_exit = True
    await server.shutdown([listener])
    serving.cancel()
    await links.close()
    await store.close()


async def test_a_click_leads_to_the_stored_target(site: Site) -> None:
    """It is counted by then, and neither kept nor told to anybody on the way."""
    answer = await site.get()
    assert (302, TARGET, b"") == (answer.status, answer.leads_to, answer.body)
    assert ("no-store", "no-referrer", "nosniff") == tuple(
        answer.headers[name] for name in ("cache-control", "referrer-policy", "x-content-type-options")
    )
    assert 1 == await site.clicks()


@pytest.mark.parametrize(
    "path",
    ["?url=https://evil.example/", "?to=//evil.example", "#https://evil.example"],
)
async def test_nothing_of_the_request_is_a_target(site: Site, path: str) -> None:
    """Whatever it says besides the code, and in whichever header."""
    answer = await site.get(
        site.path + path, x_forwarded_host="evil.example", referer="https://evil.example/"
    )
    assert (302, TARGET) == (answer.status, answer.leads_to)


@pytest.mark.parametrize(
    ("path", "host"),
    [
        ("/", DOMAIN),
        ("/metrics", DOMAIN),
        ("/healthz", DOMAIN),
        ("/callbacks/a/b", DOMAIN),
        (f"/{format_code(7)}", DOMAIN),
        ("/zzzzzzzzzzz", DOMAIN),
        ("/%2e%2e/metrics", DOMAIN),
        ("//evil.example", DOMAIN),
        ("", "l.example.net"),
        ("", "evil.example"),
        ("", f"evil.{DOMAIN}"),
        ("", "127.0.0.1"),
    ],
)
async def test_all_else_is_not_found(site: Site, path: str, host: str) -> None:
    """Without a detail: unknown codes, other hosts, and the broker's own pages on a link domain."""
    answer = await site.get(path, host)
    assert (404, None, b"Not Found") == (answer.status, answer.leads_to, answer.body)
    assert 0 == await site.clicks()


@pytest.mark.parametrize("host", [f"{DOMAIN}:8080", DOMAIN.upper(), f"{DOMAIN}."])
async def test_a_host_has_spellings(site: Site, host: str) -> None:
    """With a port, in capitals, with its root."""
    assert TARGET == (await site.get(host=host)).leads_to


async def test_the_brokers_pages_are_where_they_were(site: Site) -> None:
    """On every other host."""
    assert [200, 200] == [
        (await site.get(path, "broker.internal")).status for path in ("/healthz", "/metrics")
    ]


async def test_looking_at_a_link_is_no_click(site: Site) -> None:
    """HEAD, browsers that look ahead, and robots that say who they are get the target, and are not counted."""
    looks = [
        {"method": "HEAD"},
        {"purpose": "prefetch"},
        {"sec_purpose": "prefetch;prerender"},
        {"x_purpose": "preview"},
        {"x_moz": "prefetch"},
        {"user_agent": "facebookexternalhit/1.1 Facebot Twitterbot/1.0"},
        {"user_agent": "WhatsApp/2.23.20.0"},
        {"user_agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
        {"user_agent": "TelegramBot (like TwitterBot)"},
    ]
    assert [TARGET] * len(looks) == [(await site.get(**look)).leads_to for look in looks]
    assert 0 == await site.clicks()
    await site.get(user_agent="Mozilla/5.0 (Linux; Android 13; CUBOT X70) Chrome/120 Mobile Safari/537.36")
    assert 1 == await site.clicks()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_a_link_can_only_be_followed(site: Site, method: str) -> None:
    """Other methods are refused, whether there is such a link or not."""
    for path in ("", f"/{format_code(7)}"):
        answer = await site.get(path, method=method)
        assert (405, "GET, HEAD") == (answer.status, answer.headers["allow"])
    assert 0 == await site.clicks()


async def test_a_deleted_message_has_no_links(site: Site) -> None:
    """They are as unknown as any."""
    await site.bench.cancel(site.message_id)
    await site.bench.delete(site.message_id)
    assert 404 == (await site.get()).status


async def test_a_visitor_does_not_wait_for_a_slow_store(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The click is committed when it can be."""
    gate, write = asyncio.Event(), site.bench.store.write

    async def slow(*call: object) -> object:
        await gate.wait()
        return await write(*call)  # type: ignore[call-overload]

    monkeypatch.setattr(site.bench.store, "write", slow)
    monkeypatch.setattr(site.links, "_record_s_max", 0.01)
    assert TARGET == (await site.get()).leads_to
    assert 0 == await site.clicks()
    gate.set()
    monkeypatch.setattr(site.links, "_record_s_max", 10)
    await site.links.close()
    assert 1 == await site.clicks()


async def test_so_many_are_answered_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is asked to come again."""
    gate, read = asyncio.Event(), site.bench.store.read
    await site.get("/", "first.example")

    async def slow(*call: object) -> object:
        await gate.wait()
        return await read(*call)  # type: ignore[call-overload]

    monkeypatch.setattr(site.bench.store, "read", slow)
    waiting = [asyncio.create_task(site.get()) for _ in range(3)]
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    (refused,) = done
    assert (503, "5") == (refused.result().status, refused.result().headers["retry-after"])
    gate.set()
    answers = await asyncio.gather(*waiting)
    assert [302, 302, 503] == sorted(each.status for each in answers)


async def test_a_domain_that_was_given_up_still_leads(site: Site) -> None:
    """What was sent does not change; new links cannot be made on it."""
    await site.bench.store.write(set_policies, [NewPolicy(1, AccountPolicy())], [1])
    assert TARGET == (await site.get()).leads_to
