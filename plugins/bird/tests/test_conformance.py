"""Bird against the suite of every provider."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from broker.spi import CallbackRequest, Channel, OutboundMessage, ReceiptStatus
from broker.testing.clock import NOW_US
from broker.testing.lending import CALLBACK_URL
from broker.testing.provider_suite import ProviderSuite
from broker.testing.upstream import Answer, Handler, Request
from waypost_bird import BIRD
from waypost_bird.fake import example_bird, example_settings
from waypost_bird.fake.example import CHANNEL, SIGNING_KEY
from waypost_bird.fake.service import NAMESPACE
from waypost_bird.signing import signature

STATUSES = {
    ReceiptStatus.SENT: "sent",
    ReceiptStatus.DELIVERED: "delivered",
    ReceiptStatus.DELIVERY_FAILED: "delivery_failed",
    None: "skipped",
}


class TestBirdConformance(ProviderSuite):
    """The document answers each message by itself, and reports by signed webhooks."""

    provider_type = BIRD
    receipt_statuses = frozenset(each for each in STATUSES if each)

    def settings(self, base_url: str) -> dict[str, Any]:
        """Both channels, and both keys."""
        return example_settings(base_url)

    def impatience(self) -> Mapping[str, Any]:
        """A short time limit."""
        return {"timeout_s": 0.3}

    def upstream(self) -> Handler:
        """A Bird of its own for each case."""
        bird = example_bird()

        def answer(request: Request) -> Answer:
            answered = bird.handle(request.method, request.path, request.headers, request.body)
            return Answer(answered.status, answered.body, answered.headers)

        return answer

    def provider_message_ids(self, message: OutboundMessage) -> tuple[str, ...]:
        """Of the channel and the recipient, for the first message to somebody."""
        return (str(uuid.uuid5(NAMESPACE, f"{CHANNEL}/{message.recipient}/1")),)

    def recipient(self, number: int, channel: Channel) -> str:
        """Numbers to which the fake delivers."""
        return f"+447700{900_100 + number:06d}"

    def sender(self, channel: Channel) -> str:
        """The channel's own number."""
        return ""

    def refused_message(self) -> OutboundMessage:
        """The number that the fake refuses."""
        return self.message(recipient="+447700900001")

    def text_in(self, request: Request) -> str:
        """The body's text."""
        return str(request.json["body"]["text"]["text"])

    def receipt_request(
        self, provider_message_id: str, status: ReceiptStatus | None, message: OutboundMessage
    ) -> CallbackRequest:
        """A webhook about a message that went out."""
        told = {
            "id": provider_message_id,
            "channelId": str(CHANNEL),
            "receiver": {
                "contacts": [{"identifierKey": "phonenumber", "identifierValue": message.recipient}]
            },
            "direction": "outgoing",
            "status": STATUSES[status],
            "lastStatusAt": "2026-09-21T14:13:20.469Z",
        }
        return self._webhook("sms.outbound", told)

    def inbound_request(self, sender: str, recipient: str, text: str) -> CallbackRequest:
        """A webhook about a message that came in."""
        told = {
            "id": "96a0b5fa-a986-453d-be5c-3117f989f025",
            "channelId": str(CHANNEL),
            "sender": {"contact": {"identifierKey": "phonenumber", "identifierValue": sender}},
            "receiver": {"connector": {"identifierValue": recipient}},
            "body": {"type": "text", "text": {"text": text}},
            "direction": "incoming",
            "status": "delivered",
        }
        return self._webhook("sms.inbound", told)

    def answer_request(
        self, sender: str, recipient: str, text: str, provider_message_id: str
    ) -> CallbackRequest:
        """The same with the message that is answered."""
        answer = json.loads(self.inbound_request(sender, recipient, text).body)["payload"]
        return self._webhook(
            "sms.inbound", answer | {"replyTo": {"id": provider_message_id, "type": "message"}}
        )

    def signed(self, request: CallbackRequest) -> CallbackRequest:
        """With the key, at the time at which tests begin."""
        timestamp = str(NOW_US // 1_000_000)
        right = signature(SIGNING_KEY.encode(), timestamp, CALLBACK_URL, request.body)
        headers = {"messagebird-request-timestamp": timestamp, "messagebird-signature": right}
        return replace(request, headers=headers)

    def forged_request(self, request: CallbackRequest) -> CallbackRequest:
        """Another body under the same signature."""
        return replace(request, body=request.body + b" ")

    def _webhook(self, event: str, told: dict[str, Any]) -> CallbackRequest:
        document = {"service": "channels", "event": event, "payload": told}
        return self.signed(CallbackRequest("POST", "", (), {}, json.dumps(document).encode()))
