"""Ogangi against the suite of every provider, and against what its own document says."""

from datetime import UTC, datetime

import pytest

from broker.testing.clock import NOW_US
from broker.testing.provider_suite import ProviderSuite
from waypost_ogangi import OGANGI
from waypost_ogangi.fake import FakeOgangi
from waypost_ogangi.settings import OgangiSettings

PUBLIC_KEY = "public-key-4711"
PRIVATE_KEY = "private-key-0815"
TABLE = {
    "instance_id": "1234",
    "user_name": "ada",
    "public_key": PUBLIC_KEY,
    "private_key": PRIVATE_KEY,
    "shortcode": "19893653744",
    "failures": {"Unknown short code": "rejected", "Illegal move": "rejected"},
    "message_statuses": {"SENT_TO_CARRIER": "accepted", "INVALID_NUMBER": "invalid_recipient"},
}


def the_day():
    """The time of the suite's clock."""
    return datetime.fromtimestamp(NOW_US / 1_000_000, UTC)


def derived_id(recipient, _count):
    """An id that tells whose it is, below zero as some of Ogangi's are."""
    return f"-67{recipient}"


@pytest.mark.covers(
    "send",
    "send.instanceId",
    "send.publicKey",
    "send.signature",
    "send.file",
    "answer.status",
    "answer.result",
    "message.id",
    "message.to",
    "message.status",
    "message.status.SENT_TO_CARRIER",
    "createBroadcast",
    "createBroadcast.to",
    "createBroadcast.date",
    "getBroadcast",
    "suspendBroadcast",
    "resumeBroadcast",
    "stopBroadcast",
    "deleteBroadcast",
)
class TestOgangiConformance(ProviderSuite):
    """Every case of every provider."""

    provider_type = OGANGI

    def settings(self, base_url):
        """An instance with a short code, that knows the fake's own status."""
        return {**TABLE, "base_url": base_url or "http://127.0.0.1:9"}

    def impatience(self):
        """Soon over."""
        return {"timeout_s": 0.3}

    def upstream(self):
        """A workspace that signs alike."""
        self.fake = FakeOgangi(
            OgangiSettings.model_validate(self.settings("")), id_of=derived_id, now=the_day, sent_per_look=0
        )
        return self.fake

    def provider_message_ids(self, message):
        """Made of the recipient, below zero."""
        return (f"-67{message.recipient.removeprefix('+')}",)

    def sender(self, channel):
        """The instance's own short code."""
        return "19893653744"

    def refused_message(self):
        """A number that the fake refuses."""
        return self.message(recipient="+447700900001")

    def refused_order(self):
        """From a code that the workspace does not have."""
        return self.broadcast_order(sender="123456")

    def text_in(self, request):
        """From the one line of the file."""
        file = self.fake.file_in(request, "file")
        (row,) = self.fake.rows(file)
        return row["text"]
