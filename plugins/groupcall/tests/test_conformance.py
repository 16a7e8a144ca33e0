"""Groupcall against the suite of every provider, in both forms of its document."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from broker.spi import CallbackRequest, Channel, OutboundMessage, ReceiptStatus
from broker.testing.provider_suite import ProviderSuite
from broker.testing.upstream import Answer, Handler, Request
from waypost_groupcall import GROUPCALL
from waypost_groupcall.fake import FakeGroupcall
from waypost_groupcall.fake.messenger import CUSTOMER_ID, message_id

WORDS = {
    ReceiptStatus.SENT: "Sent",
    ReceiptStatus.DELIVERED: "Delivered",
    ReceiptStatus.DELIVERY_FAILED: "Failed",
    ReceiptStatus.READ: "Read",
}
PASSWORD = "key-of-customer-1362"
PARTNER_KEY = "key-of-the-partner"


def fake() -> FakeGroupcall:
    """The fake, with secrets that the suite can tell from the rest."""
    return FakeGroupcall(customers={CUSTOMER_ID: PASSWORD}, partner_key=PARTNER_KEY)


def serving(fake: FakeGroupcall) -> Handler:
    """The fake behind the suite's own upstream, which breaks it."""

    def answer(request: Request) -> Answer:
        reply = fake.handle(request.method, request.path, request.body)
        return Answer.of_json(reply.document, reply.status)

    return answer


class Conforming(ProviderSuite):
    """What both forms have in common."""

    provider_type = GROUPCALL
    receipt_statuses = frozenset(WORDS)

    def impatience(self) -> Mapping[str, Any]:
        """A short time limit."""
        return {"timeout_s": 0.3}

    def upstream(self) -> Handler:
        """The fake that comes with the plugin."""
        return serving(fake())

    def sender(self, channel: Channel) -> str:
        """An alphanumeric one, and a mailbox."""
        return "sender@example.org" if channel is Channel.EMAIL else "Acme"

    def provider_message_ids(self, message: OutboundMessage) -> tuple[str, ...]:
        """The fake derives ids from references."""
        return (message_id(CUSTOMER_ID, message.idempotency_key),)

    def refused_message(self) -> OutboundMessage:
        """A number that has no country code."""
        return self.message(7, recipient="07700900123", channel=Channel.SMS)

    def text_in(self, request: Request) -> str | None:
        """The text as a phone would show it."""
        entry = request.json.get("messageData", [request.json])[0]
        text = entry.get("SMSMessage") or entry.get("smsMessage")
        for name, value in entry.get("DynamicTokens", {}).items():
            text = text.replace(f"${name}$", value)
        return text

    def receipt_request(
        self, provider_message_id: str, status: ReceiptStatus | None, message: OutboundMessage
    ) -> CallbackRequest:
        """The GET that the placeholders of the address make."""
        word = "Teleported" if status is None else WORDS[status]
        query = (
            ("sentid", provider_message_id),
            ("recipient", message.recipient),
            ("units", "1"),
            ("clientref", message.idempotency_key),
            ("status", word),
            ("err", ""),
        )
        return CallbackRequest("GET", "", query, {}, b"")

    def inbound_request(self, sender: str, recipient: str, text: str) -> CallbackRequest:
        """A GET with all parameters, one of them the reply."""
        query = (("sentid", "1362.20221107.1"), ("recipient", sender), ("to", recipient), ("reply", text))
        return CallbackRequest("GET", "", query, {}, b"")


@pytest.mark.covers("auth.customer", "send.sms", "send.email", "send.multi")
class TestCustomerForm(Conforming):
    """UserName, CustomerId and Password; a request for each message."""

    def settings(self, base_url: str) -> dict[str, Any]:
        """A customer's."""
        return {
            "url": base_url or "http://127.0.0.1:9",
            "user_name": "waypost",
            "customer_id": CUSTOMER_ID,
            "password": PASSWORD,
            "style_class": "Plain",
            "short_code": "110002233213",
        }


@pytest.mark.covers("auth.partner", "send.messageData", "principles.batching")
class TestPartnerForm(Conforming):
    """PartnerKey and messageData[], with several messages in a request."""

    def settings(self, base_url: str) -> dict[str, Any]:
        """A partner's."""
        return {
            "url": base_url or "http://127.0.0.1:9",
            "partner_key": PARTNER_KEY,
            "customer_id": CUSTOMER_ID,
            "password": PASSWORD,
            "style_class": "TestPartner",
            "batch_max": 20,
            "short_code": "110002233213",
            "collect_opt_ins": True,
        }

    def refused_message(self) -> OutboundMessage:
        """A sender that SMSSender does not take."""
        return replace(self.message(7, channel=Channel.SMS), sender="no")
