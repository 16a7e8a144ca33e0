"""Settings, messages and a provider at a running fake, for the tests of this plugin."""

from collections.abc import Callable
from typing import Any

import pytest

from broker.spi import Channel, OptInChange, OutboundMessage, Traffic
from waypost_groupcall.fake.messenger import CUSTOMER_ID, PARTNER_KEY, PASSWORD, USER_NAME
from waypost_groupcall.settings import GroupcallSettings

NOW_US = 1_700_000_000_000_000
CONTENT = {
    Channel.SMS: {"text": "Hello"},
    Channel.EMAIL: {"subject": "News", "text": "Hello"},
    Channel.PUSH: {"body": "Hello"},
    Channel.IN_APP: {"body": "Hello"},
}
RECIPIENTS = {
    Channel.SMS: "+447700900123",
    Channel.EMAIL: "ada@example.org",
    Channel.PUSH: "PC-12345",
    Channel.IN_APP: "PL-12345",
}
CUSTOMER = {"user_name": USER_NAME, "customer_id": CUSTOMER_ID, "password": PASSWORD}
PARTNER = {"partner_key": PARTNER_KEY, "customer_id": CUSTOMER_ID}


@pytest.fixture(scope="session")
def customer_table() -> Callable[..., dict[str, Any]]:
    """A customer's table, with the named settings changed."""
    return lambda **changes: {**CUSTOMER, "sms_sender": "Waypost", "style_class": "Plain", **changes}


@pytest.fixture(scope="session")
def partner_table() -> Callable[..., dict[str, Any]]:
    """A partner's table, with the named settings changed."""
    return lambda **changes: {**PARTNER, "sms_sender": "Waypost", "style_class": "Plain", **changes}


@pytest.fixture(scope="session")
def customer(customer_table) -> Callable[..., GroupcallSettings]:
    """A customer's settings."""
    return lambda **changes: GroupcallSettings(**customer_table(**changes))


@pytest.fixture(scope="session")
def partner(partner_table) -> Callable[..., GroupcallSettings]:
    """A partner's settings."""
    return lambda **changes: GroupcallSettings(**partner_table(**changes))


def _message(number: int = 1, *, channel: Channel = Channel.SMS, **changes: Any) -> OutboundMessage:
    content = {**CONTENT[channel], **changes.pop("content", {})}
    values: dict[str, Any] = {
        "message_id": f"01KAB3XQ{number:05d}",
        "idempotency_key": f"01KAB3XQ{number:05d}",
        "recipient": RECIPIENTS[channel],
        "sender": "",
        "traffic": Traffic.TRANSACTIONAL,
        "attempt": 1,
        "submitted_at_us": NOW_US,
        "expire_at_us": NOW_US + 3_600_000_000,
        "units": 1,
    }
    return OutboundMessage(channel=channel, content=content, **(values | changes))


@pytest.fixture(scope="session")
def message() -> Callable[..., OutboundMessage]:
    """Build a message with a number, with the named fields changed; `content` is put over the least of its channel."""
    return _message


@pytest.fixture(scope="session")
def wish() -> Callable[..., OptInChange]:
    """Build what a recipient wants."""

    def build(*, opted_in: bool = False, **changes: Any) -> OptInChange:
        values: dict[str, Any] = {
            "sender": "Waypost",
            "recipient": "+18973434298",
            "every_account": False,
            "keyword": "",
            "organisation_name": "",
            "recipient_name": "",
            "time_us": NOW_US,
        }
        return OptInChange(opted_in=opted_in, **(values | changes))

    return build
