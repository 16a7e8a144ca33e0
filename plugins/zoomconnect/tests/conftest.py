"""The fake behind a real socket, and messages to send through it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from broker.spi import Channel, OutboundMessage, Traffic
from broker.testing.clock import NOW_US, ManualClock
from broker.testing.upstream import Answer, Request, Upstream
from waypost_zoomconnect import ZOOMCONNECT
from waypost_zoomconnect.fake import FakeZoomConnect

EMAIL = "me@example.org"
TOKEN = "rest-token-4711"
URL_TOKEN = "url-token-0815"
RECIPIENT = "+27821234567"


@pytest.fixture
def fake(upstream: Upstream, clock: ManualClock) -> FakeZoomConnect:
    """The fake, which answers for the upstream of this test and keeps the time of its clock."""
    made = FakeZoomConnect(
        email=EMAIL,
        token=TOKEN,
        url_token=URL_TOKEN,
        now=lambda: datetime.fromtimestamp(clock.now_us() / 1e6, UTC),
    )

    def answer(request: Request) -> Answer:
        status, headers, body = made(request.method, request.target, request.headers, request.body)
        return Answer(status, body, headers)

    upstream.answer = answer
    return made


@pytest.fixture
def table(upstream: Upstream) -> Callable[..., dict[str, Any]]:
    """An instance's settings, for the fake, with the named ones changed."""

    def made(**changes: Any) -> dict[str, Any]:
        return {"base_url": upstream.url, "email": EMAIL, "token": TOKEN, **changes}

    return made


@pytest.fixture
def zoomconnect(running_provider, fake, table):
    """Run the plugin against the fake with the named settings changed, for a block."""

    def run(**changes: Any):
        return running_provider(ZOOMCONNECT, table(**changes))

    return run


def _message(recipient: str = RECIPIENT, text: str = "Hello", **changes: Any) -> OutboundMessage:
    values: dict[str, Any] = {
        "message_id": f"01KAB{recipient[-4:]}",
        "idempotency_key": f"key-{recipient[-4:]}",
        "channel": Channel.SMS,
        "recipient": recipient,
        "sender": "",
        "content": {"text": text},
        "traffic": Traffic.TRANSACTIONAL,
        "attempt": 1,
        "submitted_at_us": NOW_US,
        "expire_at_us": NOW_US + 3_600_000_000,
        "units": 1,
    }
    return OutboundMessage(**values | changes)


@pytest.fixture(scope="session")
def message() -> Callable[..., OutboundMessage]:
    """Build a message to a recipient, as the broker hands it over, with the named fields changed."""
    return _message
