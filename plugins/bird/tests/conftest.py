"""Messages for Bird, settings of an instance, and requests to its fake."""

import json
from uuid import UUID

import pytest

from broker.spi import Channel, OutboundMessage, Particulars, Traffic
from broker.testing.clock import NOW_US, SECOND_US
from waypost_bird.fake import FakeBird, example_bird, example_settings
from waypost_bird.fake.example import ACCESS_KEY, CHANNEL, WORKSPACE
from waypost_bird.settings import BirdSettings


@pytest.fixture(scope="session")
def message():
    """Build a message as the broker hands it over, with the named fields changed; those of its particulars too."""

    def build(**changes) -> OutboundMessage:
        own = {name: changes.pop(name) for name in Particulars.__match_args__ if name in changes}
        fields = {
            "message_id": "01KAB3XQ8G000",
            "channel": Channel.SMS,
            "recipient": "+447700900123",
            "sender": "",
            "content": {"text": "Your parcel is on its way"},
            "traffic": Traffic.TRANSACTIONAL,
            "particulars": Particulars(**own),
        } | changes
        return OutboundMessage(
            idempotency_key=fields["message_id"],
            attempt=1,
            submitted_at_us=NOW_US,
            expire_at_us=NOW_US + 3_600 * SECOND_US,
            units=1,
            **fields,
        )

    return build


@pytest.fixture(scope="session")
def settings():
    """Build an instance's settings, with some of its table changed."""

    def build(**changes) -> BirdSettings:
        return BirdSettings.model_validate(example_settings("https://api.bird.example") | changes)

    return build


class Posting:
    """A fake Bird, and requests to it."""

    def __init__(self) -> None:
        self.bird: FakeBird = example_bird()

    def __call__(self, document: object, channel_id: UUID = CHANNEL, **headers: str):
        """The status of the answer, and its body read."""
        path = f"/workspaces/{WORKSPACE}/channels/{channel_id}/messages"
        return self.to(path, document, **headers)

    def to(self, path: str, document: object, **headers: str):
        """The same for any path."""
        given = {"authorization": f"AccessKey {ACCESS_KEY}", **headers}
        answer = self.bird.handle("POST", path, given, json.dumps(document).encode())
        return answer.status, json.loads(answer.body)


@pytest.fixture
def post() -> Posting:
    """Post to a fake Bird of this test's own, which is `post.bird`."""
    return Posting()
