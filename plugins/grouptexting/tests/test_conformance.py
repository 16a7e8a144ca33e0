"""Group Texting against the suite of every provider, by POST and by GET."""

from pathlib import Path
from typing import Any

import pytest

from broker.spi import CallbackRequest, Channel, KeywordField, KeywordSettings, OutboundMessage
from broker.testing.provider_suite import ProviderSuite
from broker.testing.upstream import Answer, Request
from waypost_grouptexting import GROUP_TEXTING
from waypost_grouptexting.fake import Service

USER = "acme-gt"
PASSWORD = "gt-password-4711"
LONG_CODE = "+447700900002"
NOBODY = "2125550666"
CARD = Path(__file__).parent / "card.toml"


class Fake:
    """The fake behind the kit's own server, which breaks on demand."""

    def __init__(self) -> None:
        self.service = Service(user=USER, password=PASSWORD, credits=10_000, opted_out={NOBODY})

    def __call__(self, request: Request) -> Answer:
        """What the account answers."""
        operation = request.path.removeprefix("/api/").strip("/")
        return Answer.of_text(str(self.service.ask(request.method, operation, fields_of(request))))


def fields_of(request: Request) -> dict[str, str]:
    """The form, wherever it is."""
    return request.query if request.method == "GET" else request.form


@pytest.mark.covers(
    "send", "send.user", "send.pass", "send.phonenumber", "send.message", "send.code.1", "send.code.503",
    "send.post", "keyword_callback", "keyword_callback.PhoneNumber", "keyword_callback.Message",
)  # fmt: skip
class TestGroupTexting(ProviderSuite):
    """Every case of every provider."""

    provider_type = GROUP_TEXTING
    not_processed = frozenset({429, 503})
    method = "POST"

    def settings(self, base_url: str) -> dict[str, Any]:
        """The suite breaks more connections in a second than Group Texting lets anybody open."""
        return {
            "url": f"{base_url or 'http://127.0.0.1:9'}/api",
            "username": USER,
            "password": PASSWORD,
            "long_code": LONG_CODE,
            "method": self.method,
            "connections_per_s_max": 1_000,
            "connections_max": 10,
            "card_file": str(CARD),
            "keyword_groups": True,
            "keyword_emails": True,
        }

    def impatience(self) -> dict[str, Any]:
        """For the cases that wait."""
        return {"timeout_s": 0.3}

    def upstream(self) -> Fake:
        """A new account each time."""
        return Fake()

    def provider_message_ids(self, message: OutboundMessage) -> tuple[str, ...]:
        """There are none."""
        return ()

    def recipient(self, number: int, channel: Channel) -> str:
        """Ten digits behind the country code."""
        return f"+1212555{1_000 + number}"

    def sender(self, channel: Channel) -> str:
        """The one that there is."""
        return LONG_CODE

    def refused_message(self) -> OutboundMessage:
        """To somebody who has opted out."""
        return self.message(recipient=f"+1{NOBODY}")

    def refused_keyword_settings(self) -> dict[KeywordField, KeywordSettings]:
        """One field of each is wrong."""
        return {
            KeywordField.AUTOREPLY: self.keyword_settings(autoreply=" "),
            KeywordField.GROUP: self.keyword_settings(group_name="Nobodys"),
            KeywordField.EMAIL: self.keyword_settings(forward_to_email="nobody"),
        }

    def text_in(self, request: Request) -> str | None:
        """The field as it was decoded."""
        return fields_of(request).get("message")

    def inbound_request(self, sender: str, recipient: str, text: str) -> CallbackRequest:
        """A keyword with text behind it; Group Texting knows ten digits of everybody."""
        return CallbackRequest("GET", "", (("PhoneNumber", sender[-10:]), ("Message", text)), {}, b"")


@pytest.mark.covers("send.get")
class TestGroupTextingByGet(TestGroupTexting):
    """A GET sends as well as a POST does, and aiohttp would repeat one."""

    method = "GET"


class TestGroupTextingWithHeldCallbacks(TestGroupTexting):
    """What is answered to people goes out as the answer to their callbacks."""

    def settings(self, base_url: str) -> dict[str, Any]:
        """Callbacks are held open."""
        return {**super().settings(base_url), "reply_in_answer_s": 20}
