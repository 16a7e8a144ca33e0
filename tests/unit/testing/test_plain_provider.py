"""The suite on another kind of upstream: one form post for each message, a bare integer as the answer.

No ids, no receipts, no questions; few characters; ten-digit numbers; 503 is documented as "not processed".
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import aiohttp
from pydantic import BaseModel, ConfigDict, SecretStr

from broker import spi
from broker.testing.provider_suite import ProviderSuite
from broker.testing.upstream import Answer, Handler, Request

ALLOWED = re.compile(r"[a-zA-Z0-9 .,:;!?()~=+\-_\\/@$#&%\r\n]{1,160}")
PASSWORD = "plain-password-4711"
REFUSED = {
    "-5": spi.Reason.OPTED_OUT,
    "-7": spi.Reason.CONTENT_UNSUPPORTED,
    "-106": spi.Reason.INVALID_RECIPIENT,
}
NOT_NOW = frozenset({"-1", "-2"})


class PlainSettings(BaseModel):
    """An account."""

    model_config = ConfigDict(extra="forbid")

    url: str
    password: SecretStr
    timeout_s: float = 20.0


class Plain(spi.Provider):
    """One request for each message, two at a time."""

    capabilities = spi.Capabilities(
        frozenset({spi.Channel.SMS}),
        spi.ReceiptMode.NONE,
        batch_max=20,
        content=frozenset({"sms.text", "sms.subject"}),
        text_profile=spi.TextProfile.RESTRICTED,
    )

    def __init__(self, settings: PlainSettings) -> None:
        self._settings = settings
        self._places = asyncio.Semaphore(2)

    async def start(self, context: spi.Context) -> None:
        """Keep what is lent."""
        self._context = context

    async def submit(self, messages: Sequence[spi.OutboundMessage]) -> Sequence[spi.Outcome]:
        """All at once, as far as there are places."""
        return await asyncio.gather(*(self._send(each) for each in messages))

    async def _send(self, message: spi.OutboundMessage) -> spi.Outcome:
        form = {
            "pass": self._settings.password.get_secret_value(),
            "phonenumber": message.recipient.removeprefix("+1"),
            "subject": str(message.content.get("subject", "")),
            "message": message.text,
        }
        limit = aiohttp.ClientTimeout(total=self._settings.timeout_s)
        try:
            async with (
                self._places,
                self._context.http().post(
                    f"{self._settings.url}/api/sending", data=form, timeout=limit, allow_redirects=False
                ) as response,
            ):
                return self._judged(response.status, response.headers, await response.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return spi.NotAccepted(code="unreachable")
        except (aiohttp.ClientError, TimeoutError) as error:
            return spi.Unknown(type(error).__name__)

    def _judged(self, status: int, headers: Any, body: bytes) -> spi.Outcome:
        said = body.strip().decode("ascii", "replace")
        if status in {429, 503}:
            pause_s = spi.retry_after_s(headers.get("Retry-After"), self._context.clock.now_us())
            return spi.NotAccepted(pause_s, str(status))
        if status in {401, 403} or (status == 200 and said in NOT_NOW):
            return spi.NotAccepted(code=said if status == 200 else str(status))
        if status == 200 and said == "1":
            return spi.Accepted()
        if status == 200 and said in REFUSED:
            return spi.Rejected(REFUSED[said], said)
        return spi.Unknown(str(status))


def answer(request: Request) -> Answer:
    """The upstream's documents, in short."""
    form = request.form
    if request.path != "/api/sending" or request.method != "POST":
        return Answer(404)
    if form["pass"] != PASSWORD:
        return Answer.of_text("-1")
    if not re.fullmatch(r"\d{10}", form["phonenumber"]):
        return Answer.of_text("-106")
    if not ALLOWED.fullmatch(form["message"]) or len(form["subject"]) > 13:
        return Answer.of_text("-7")
    return Answer.of_text("1")


class TestPlain(ProviderSuite):
    """It passes."""

    provider_type = spi.ProviderType("plain", frozenset({spi.Channel.SMS}), PlainSettings, Plain)
    not_processed = frozenset({429, 503})

    def settings(self, base_url: str) -> dict[str, Any]:
        """An account at the fake."""
        return {"url": base_url, "password": PASSWORD}

    def impatience(self) -> dict[str, Any]:
        """It gives up soon."""
        return {"timeout_s": 0.3}

    def upstream(self) -> Handler:
        """As documented."""
        return answer

    def provider_message_ids(self, message: spi.OutboundMessage) -> tuple[str, ...]:
        """It gives none."""
        return ()

    def recipient(self, number: int, channel: spi.Channel) -> str:
        """A number of ten digits."""
        return f"+1212555{number:04d}"

    def refused_message(self) -> spi.OutboundMessage:
        """A number of eleven."""
        return self.message(recipient="+121255512345")

    def text_in(self, request: Request) -> str:
        """The form's field."""
        return request.form["message"]
