"""Talks to Bird: one request for each message, and `mapping` and `reading` say what was meant."""

import asyncio
from collections.abc import Sequence
from urllib.parse import urlencode

import aiohttp

from broker.spi import (
    CallbackAnswer,
    CallbackRequest,
    Capabilities,
    Channel,
    Context,
    NotAccepted,
    OutboundMessage,
    Outcome,
    Provider,
    ReceiptMode,
    Rejected,
    Unknown,
)
from waypost_bird.mapping import FIELDS, Request, request_of
from waypost_bird.reading import outcome, reported
from waypost_bird.settings import BirdSettings
from waypost_bird.signing import is_recent, is_signed

BATCH_MAX = 50
NO_CONNECTION = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
RECEIPTS = {"push": ReceiptMode.PUSH, "none": ReceiptMode.NONE}


class Bird(Provider):
    """One workspace of Bird's, and the channels of it that the settings name."""

    def __init__(self, settings: BirdSettings) -> None:
        channels = {Channel.SMS, Channel.MMS} if settings.mms_channel_ids else {Channel.SMS}
        self._settings = settings
        self._capabilities = Capabilities(
            channels=frozenset(channels),
            receipts=RECEIPTS[settings.receipts],
            batch_max=BATCH_MAX,
            callback=True,
            content=frozenset(f"{each.name.lower()}.{name}" for each in channels for name in FIELDS[each]),
        )
        self._notify_url = ""

    @property
    def capabilities(self) -> Capabilities:
        """SMS, and MMS where a channel of the settings can do it."""
        return self._capabilities

    async def start(self, context: Context) -> None:
        """Keep what was lent. Bird is not asked anything: it may be down now and up with the first message."""
        self._context = context
        self._address = self._settings.webhook_url or context.callback_url
        self._notify_url = self._address if self._settings.notification else ""
        if self._settings.receipts == "push" and not self._address:
            context.log.warning("bird.no_address_for_receipts", reason="server.http_listen is not set")

    async def submit(self, messages: Sequence[OutboundMessage]) -> Sequence[Outcome]:
        """One request for each message, side by side: the document has no other way."""
        return await asyncio.gather(*(self._send(each) for each in messages))

    async def _send(self, message: OutboundMessage) -> Outcome:
        request = request_of(message, self._settings, self._notify_url, self._context.clock.now_us())
        if isinstance(request, Rejected):
            return request
        try:
            return await self._post(request)
        except NO_CONNECTION as error:  # no byte of the message has left
            return NotAccepted(code=type(error).__name__)
        except (aiohttp.ClientError, TimeoutError) as error:
            return Unknown(type(error).__name__)

    async def _post(self, request: Request) -> Outcome:
        path = f"/workspaces/{self._settings.workspace_id}/channels/{request.channel_id}/messages"
        async with self._context.http().post(
            self._settings.url + path,
            json=request.document,
            headers={"Authorization": self._settings.credentials, "Accept": "application/json"},
            timeout=aiohttp.ClientTimeout(total=self._settings.timeout_s),
            allow_redirects=False,
        ) as response:
            body = await response.read()
            now_us = self._context.clock.now_us()
            return outcome(response.status, response.headers, body, self._settings, now_us)

    async def callback(self, request: CallbackRequest) -> CallbackAnswer:
        """Take a webhook: a report on a message, or a message that somebody wrote."""
        if not self._is_genuine(request):
            return CallbackAnswer(status=401)
        facts = reported(request.body, self._settings)
        return CallbackAnswer(status=400) if facts is None else CallbackAnswer(facts)

    def _is_genuine(self, request: CallbackRequest) -> bool:
        """Whether Bird signed it not long ago; without a signing key, the secret in the address has to do."""
        settings = self._settings
        if not settings.webhook_key:
            return True
        given = request.headers.get(settings.signature_header, "")
        timestamp = request.headers.get(settings.timestamp_header, "")
        url = self._address + (f"/{request.path}" if request.path else "")
        if request.query:
            url += f"?{urlencode(request.query)}"
        return is_recent(timestamp, self._context.clock.now_us(), settings.signature_age_s_max) and is_signed(
            settings.webhook_key, given, timestamp, url, request.body
        )
