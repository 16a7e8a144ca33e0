"""A workspace to try things out with, and the settings of an instance that fit it."""

from typing import Any
from uuid import UUID

from waypost_bird.fake.service import FakeBird, FakeChannel

WORKSPACE = UUID("a1405560-c8d3-4b1a-877d-3f449ad95352")
CHANNEL = UUID("3e3a68da-85a2-4b12-b114-b2c28117bf37")
TEXT_ONLY_CHANNEL = UUID("614208aa-b153-4d5d-9989-2fddfc0ce4c3")
NUMBER = "+15005550006"
TEXT_ONLY_NUMBER = "+447700900999"
ACCESS_KEY = "fake-access-key-4711"
SIGNING_KEY = "fake-signing-key-0815"


def example_bird(**changes: Any) -> FakeBird:
    """A workspace with a channel that can do MMS and one that cannot."""
    channels = {
        CHANNEL: FakeChannel(NUMBER, mms=True),
        TEXT_ONLY_CHANNEL: FakeChannel(TEXT_ONLY_NUMBER),
    }
    keys = {"access_key": ACCESS_KEY, "signing_key": SIGNING_KEY}
    return FakeBird(WORKSPACE, channels, **(keys | changes))


def example_settings(url: str) -> dict[str, Any]:
    """The table of an instance, without its `type`."""
    return {
        "url": url,
        "workspace_id": str(WORKSPACE),
        "channel_id": str(CHANNEL),
        "mms_channel_ids": [str(CHANNEL)],
        "number": NUMBER,
        "access_key": ACCESS_KEY,
        "signing_key": SIGNING_KEY,
        "senders": {TEXT_ONLY_NUMBER: str(TEXT_ONLY_CHANNEL)},
    }
