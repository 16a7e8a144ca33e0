"""The kit as a plugin of pytest: nearly free until a fixture is asked for, and what the fixtures are then."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from broker import spi
from broker.testing.upstream import Answer


class PostSettings(BaseModel):
    """Where to."""

    url: str


class Post(spi.Provider):
    """One post for a batch, and a receipt for each message when the clock says so."""

    capabilities = spi.Capabilities(frozenset({spi.Channel.SMS}), spi.ReceiptMode.PUSH)

    def __init__(self, settings: PostSettings) -> None:
        self._url = settings.url

    async def start(self, context: spi.Context) -> None:
        """Keep what is lent."""
        self._context = context

    async def submit(self, messages: Sequence[spi.OutboundMessage]) -> Sequence[spi.Outcome]:
        """Accepted under what the upstream says."""
        async with self._context.http().post(self._url) as answer:
            said = await answer.text()
        await self._context.clock.sleep(60)
        await self._context.report([spi.Receipt(said, spi.ReceiptStatus.DELIVERED)])
        return [spi.Accepted((said,)) for _ in messages]


POST = spi.ProviderType("post", frozenset({spi.Channel.SMS}), PostSettings, Post)


def test_loading_the_plugin_imports_nothing_but_pytest() -> None:
    """It is loaded at each start of pytest beside the broker, whatever is tested there."""
    program = (
        "import sys, pytest; before = set(sys.modules); import broker.testing.plugin;"
        "print(*sorted(each for each in set(sys.modules) - before if not each.startswith('_pytest')))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ["broker", "broker.testing", "broker.testing.plugin"] == told.stdout.split()


def test_the_plugin_is_registered(pytestconfig: Any) -> None:
    """Under the name that `-p no:waypost` leaves out."""
    assert "broker.testing.plugin" == pytestconfig.pluginmanager.get_plugin("waypost").__name__


async def test_a_provider_runs_on_what_the_fixtures_lend(
    upstream: Any, running_provider: Any, clock: Any, reports: Any
) -> None:
    """The upstream answers as it was told, and the test holds the clock and the reports."""
    upstream.answer = lambda _request: Answer.of_text("id-1")
    async with running_provider(POST, {"url": upstream.url}) as post:
        submit = asyncio.create_task(post.submit(a_message()))
        async with asyncio.timeout(10):
            while not clock.sleeps_s:  # noqa: ASYNC110 - the clock is no event
                await asyncio.sleep(0.005)
        clock.advance(60)
        assert [spi.Accepted(("id-1",))] == await submit
    assert [spi.Receipt("id-1", spi.ReceiptStatus.DELIVERED)] == reports.facts
    assert ["POST"] == [each.method for each in upstream.requests]


def test_a_real_broker_delivers(broker: Any) -> None:
    """In a process of its own, with the instances that were named; two at once do not meet."""
    first, second = broker(sandbox={"type": "sandbox"}), broker(sandbox={"type": "sandbox"})
    end = first.end_of(first.send("Hello", to="+447700900123"))
    assert ("DELIVERED", "sandbox") == (end.status, end.provider)
    assert first.address != second.address
    assert first.http_address


def a_message() -> spi.OutboundMessage:
    """To a number of ten digits."""
    return spi.OutboundMessage(
        message_id="01KAB3XQ8G000",
        idempotency_key="01KAB3XQ8G000",
        channel=spi.Channel.SMS,
        recipient="+12125550100",
        sender="",
        content={"text": "Hello"},
        traffic=spi.Traffic.TRANSACTIONAL,
        attempt=1,
        submitted_at_us=1_790_000_000_000_000,
        expire_at_us=1_790_000_600_000_000,
        units=1,
    )
