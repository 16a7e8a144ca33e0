"""What the tests of this plugin share: an account at the fake, on a socket, and an instance that sends through it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from broker.spi import Channel, OutboundMessage, Traffic
from broker.testing.running import RunningProvider, running_provider
from waypost_grouptexting import GROUP_TEXTING
from waypost_grouptexting.fake import FakeServer, Service, serve

USER = "acme-gt"
PASSWORD = "gt-password-4711"
LONG_CODE = "+12125550100"


@pytest.fixture
def service() -> Service:
    """An account with a hundred credits."""
    return Service(user=USER, password=PASSWORD)


@pytest.fixture
async def fake(service: Service) -> AsyncIterator[FakeServer]:
    """The account on a socket; it turns away whoever opens more than two connections a second."""
    async with serve(service) as running:
        yield running


def _table(url: str, /, **changes: Any) -> dict[str, Any]:
    return {"url": url, "username": USER, "password": PASSWORD, "long_code": LONG_CODE, **changes}


@pytest.fixture(scope="session")
def table() -> Callable[..., dict[str, Any]]:
    """The settings of an instance at a URL, with the named ones changed."""
    return _table


@pytest.fixture
def instance(fake: FakeServer) -> Callable[..., Any]:
    """Run an instance for a block, with the named settings changed."""

    def run(**changes: Any) -> Any:
        return running_provider(GROUP_TEXTING, _table(fake.url, **changes), time_limit_s=20)

    return run


@pytest.fixture
async def running(instance: Callable[..., Any]) -> AsyncIterator[RunningProvider]:
    """An instance as it comes."""
    async with instance() as running:
        yield running


def _message(phone: str = "2125550101", text: str = "Hello", **changes: Any) -> OutboundMessage:
    values: dict[str, Any] = {
        "message_id": "01KAB3XQ8G000",
        "idempotency_key": "01KAB3XQ8G000",
        "channel": Channel.SMS,
        "recipient": f"+1{phone}",
        "sender": "",
        "content": {"text": text},
        "traffic": Traffic.TRANSACTIONAL,
        "attempt": 1,
        "submitted_at_us": 1_700_000_000_000_000,
        "expire_at_us": 1_700_003_600_000_000,
        "units": 1,
    }
    return OutboundMessage(**(values | changes))


@pytest.fixture(scope="session")
def message() -> Callable[..., OutboundMessage]:
    """Build a message to a phone of ten digits, with the named fields changed."""
    return _message
