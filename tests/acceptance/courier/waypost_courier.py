"""A provider for tests, of an upstream that reports over HTTP: ids in one spelling out, in another back."""

import hashlib
import hmac
import json
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, SecretStr

from broker import spi

STATUSES = {"SENT": spi.ReceiptStatus.SENT, "OK": spi.ReceiptStatus.DELIVERED}


class CourierSettings(BaseModel):
    """The table of one instance."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    signing_key: SecretStr


class Courier(spi.Provider):
    """Registers its callback address upstream once, and takes signed reports there."""

    capabilities = spi.Capabilities(
        channels=frozenset({spi.Channel.SMS}),
        receipts=spi.ReceiptMode.PUSH,
        callback=True,
        receipt_ids=spi.IdSpelling.NUMERIC,
    )

    def __init__(self, settings: CourierSettings) -> None:
        self._settings = settings

    async def start(self, context: spi.Context) -> None:
        """Tell the upstream where to report, unless it knows already."""
        self._context = context
        address = context.callback_url.encode()
        if await context.keepsakes.get("registered") != address:
            await self._post("/webhooks", {"url": context.callback_url})
            await context.keepsakes.put("registered", address)

    async def submit(self, messages: Sequence[spi.OutboundMessage]) -> Sequence[spi.Outcome]:
        """One request for each message."""
        documents = [{"to": each.recipient, "text": each.text} for each in messages]
        return [spi.Accepted((await self._post("/messages", each),)) for each in documents]

    async def callback(self, request: spi.CallbackRequest) -> spi.CallbackAnswer:
        """A report, if the upstream has signed it."""
        key = self._settings.signing_key.get_secret_value().encode()
        expected = hmac.new(key, request.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, request.headers.get("x-signature", "")):
            return spi.CallbackAnswer(status=403)
        report = json.loads(request.body)
        status = STATUSES.get(report["status"], spi.ReceiptStatus.UNKNOWN)
        receipt = spi.Receipt(report["id"], status, recipient=report["to"], code=request.path)
        return spi.CallbackAnswer([receipt], body=b"noted")

    async def _post(self, path: str, document: dict[str, str]) -> str:
        async with self._context.http().post(self._settings.url + path, json=document) as answer:
            answer.raise_for_status()
            return await answer.text()


@spi.hookimpl
def waypost_providers() -> list[spi.ProviderType]:
    """Offer it."""
    return [spi.ProviderType("courier", frozenset({spi.Channel.SMS}), CourierSettings, Courier)]
