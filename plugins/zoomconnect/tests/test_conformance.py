"""Each form of sending against the suite of every provider; what all forms share is tried with two of them."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from broker.spi import CallbackRequest, Channel, OutboundMessage, ReceiptStatus
from broker.testing.provider_suite import Asked, ProviderSuite
from broker.testing.provider_suite.judging import JudgingCases
from broker.testing.provider_suite.saying import SayingCases
from broker.testing.provider_suite.submitting import SubmittingCases
from broker.testing.upstream import Answer, Handler, Request
from waypost_zoomconnect import ZOOMCONNECT
from waypost_zoomconnect.fake import FakeZoomConnect

EMAIL = "me@example.org"
TOKEN = "rest-token-4711"
URL_TOKEN = "url-token-0815"
NUMBER = "+447700900002"

WORDS = {
    ReceiptStatus.SENT: "SENT",
    ReceiptStatus.DELIVERED: "DELIVERED",
    ReceiptStatus.DELIVERY_FAILED: "FAILED",
}


def derived_id(request: Mapping[str, Any]) -> str:
    """An id that tells whose it is."""
    return f"40{re.sub('[^0-9]', '', request['recipientNumber'])[-9:]}"


class ZoomConnectAsked(Asked):
    """What all forms have in common."""

    provider_type = ZOOMCONNECT
    receipt_statuses = frozenset(WORDS)
    form: str

    def settings(self, base_url: str) -> dict[str, Any]:
        """The form under test, with credentials, so that messages can be asked for."""
        return {
            "base_url": base_url,
            "email": EMAIL,
            "token": TOKEN,
            "url_token": URL_TOKEN,
            "form": self.form,
            "number": NUMBER,
        }

    def impatience(self) -> dict[str, Any]:
        """The provider's own time limit."""
        return {"timeout_s": 0.3}

    def upstream(self) -> Handler:
        """The fake, which makes ids of recipients."""
        fake = FakeZoomConnect(email=EMAIL, token=TOKEN, url_token=URL_TOKEN, id_of=derived_id)

        def answer(request: Request) -> Answer:
            status, headers, body = fake(request.method, request.target, request.headers, request.body)
            return Answer(status, body, headers)

        return answer

    def sender(self, channel: Channel) -> str:
        """None: ZoomConnect sends from its own number."""
        return ""

    def provider_message_ids(self, message: OutboundMessage) -> tuple[str, ...]:
        """As the fake makes it."""
        return (derived_id({"recipientNumber": message.recipient}),)

    def refused_message(self) -> OutboundMessage:
        """A number that is none."""
        return self.message(recipient="+270001")

    def text_in(self, request: Request) -> str:
        """Where the form has it."""
        if not request.body:
            return request.query["message"]
        return request.json.get("message") or request.json["sendSmsRequests"][0]["message"]

    def receipt_request(
        self, provider_message_id: str, status: ReceiptStatus | None, message: OutboundMessage
    ) -> CallbackRequest:
        """A POST to a URL with a query, as the guide prints it."""
        told = {"status": WORDS.get(status, "TELEPORTED"), "messageId": provider_message_id}
        return CallbackRequest("POST", "", tuple(told.items()), {}, b"")

    def inbound_request(self, sender: str, recipient: str, text: str) -> CallbackRequest:
        """A reply; which number was written to is known from the settings alone."""
        return self.reply_request({"from": sender, "message": text})

    def answer_request(
        self, sender: str, recipient: str, text: str, provider_message_id: str
    ) -> CallbackRequest:
        """The same, with the message that it answers."""
        return self.reply_request({
            "from": sender,
            "repliedToMessageId": provider_message_id,
            "message": text,
        })

    def reply_request(self, told: dict[str, str]) -> CallbackRequest:
        """A reply as a form."""
        told = {**told, "messageId": "124567", "date": "201404282055"}
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return CallbackRequest("POST", "", (), headers, urlencode(told).encode())


class TestSendBulk(ZoomConnectAsked, ProviderSuite):
    """A batch in a call."""

    form = "send-bulk"


class TestSendUrl(ZoomConnectAsked, ProviderSuite):
    """A message in a URL whose path holds a token."""

    form = "send-url"


class TestSend(ZoomConnectAsked, SubmittingCases, SayingCases, JudgingCases):
    """One message in a call."""

    form = "send"


class TestSendUrlParameters(ZoomConnectAsked, SubmittingCases, SayingCases):
    """A message in a URL, with credentials."""

    form = "send-url-parameters"
