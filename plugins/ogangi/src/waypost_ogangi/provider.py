"""Talks to Ogangi: a file for each batch, and `mapping` says what the answer means."""

from collections.abc import Mapping, Sequence
from time import monotonic

import aiohttp
import yarl

from broker import spi
from waypost_ogangi import broadcasts, mapping
from waypost_ogangi.settings import OgangiSettings
from waypost_ogangi.signing import Parameters, address

NO_CONNECTION = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
Controlled = spi.BroadcastMoved | spi.Rejected | spi.NotAccepted | spi.Unknown
FAILED = (aiohttp.ClientError, TimeoutError)


class Ogangi(spi.Provider):
    """One workspace at Ogangi."""

    def __init__(self, settings: OgangiSettings) -> None:
        self._settings = settings
        self._context: spi.Context | None = None
        self._capabilities = spi.Capabilities(
            channels=frozenset({spi.Channel.SMS}),
            receipts=spi.ReceiptMode.NONE,
            batch_max=settings.batch_max,
            content=frozenset({"sms.text"}),
            senders=bool(settings.user_name),
            broadcast=bool(settings.user_name),  # who owns them
            broadcast_recipients_max=settings.broadcast_recipients_max,
        )

    @property
    def capabilities(self) -> spi.Capabilities:
        """Texts to phones, by file."""
        return self._capabilities

    async def start(self, context: spi.Context) -> None:
        """Nothing is asked of Ogangi: it may be down now."""
        self._context = context

    async def submit(self, messages: Sequence[spi.OutboundMessage]) -> Sequence[spi.Outcome]:
        """One file for all messages, or more where a recipient has several."""
        outcomes: dict[int, spi.Outcome] = {}
        fit: list[int] = []
        for at, each in enumerate(messages):
            refused = mapping.refusal(each, self._settings)
            if refused is None:
                fit.append(at)
            else:
                outcomes[at] = refused
        ends_at_s = monotonic() + self._settings.timeout_s
        for places in mapping.files_of([messages[at] for at in fit]):
            chosen = [fit[place] for place in places]
            sent = await self._send([messages[at] for at in chosen], ends_at_s - monotonic())
            outcomes.update(zip(chosen, sent, strict=True))
        return [outcomes[at] for at in range(len(messages))]

    async def _send(self, messages: Sequence[spi.OutboundMessage], left_s: float) -> list[spi.Outcome]:
        """What becomes of the messages of one file, in the time that is left for the whole batch."""
        if left_s <= 0:
            return [spi.NotAccepted(code="no_time_left")] * len(messages)
        file = mapping.file_of(messages, self._settings)
        parameters = [("instanceId", self._settings.instance_id)]
        try:
            status, headers, body = await self._call(
                "POST", mapping.SEND, parameters, {"file": file}, self._upload(file), left_s
            )
        except NO_CONNECTION as error:  # no byte of a message has left
            return [spi.NotAccepted(code=type(error).__name__)] * len(messages)
        except FAILED as error:
            return [spi.Unknown(type(error).__name__)] * len(messages)
        now_us = self._started.clock.now_us()
        return mapping.outcomes(status, headers, body, messages, self._settings, now_us)

    async def senders(self) -> Sequence[str]:
        """The short and long codes of the workspace. Raises ValueError where the answer lists none."""
        parameters = broadcasts.owned(self._settings)
        answer = await self._call("GET", broadcasts.SHORTCODES, parameters)
        found = broadcasts.shortcodes(answer, self._settings, self._started.clock.now_us())
        if found is None:
            raise ValueError("Ogangi's answer lists no short codes")
        return found

    async def broadcast_create(
        self, order: spi.BroadcastOrder
    ) -> spi.UpstreamBroadcast | spi.Rejected | spi.NotAccepted | spi.Unknown:
        """A new broadcast, with everybody in one call."""
        refused = broadcasts.refusal(order, self._settings)
        if refused is not None:
            return refused
        to = broadcasts.recipients_json(order, self._settings)
        parameters = broadcasts.created(order, self._settings)
        form = aiohttp.FormData()
        form.add_field("to", to)
        try:
            answer = await self._call("POST", broadcasts.CREATE, parameters, {"to": to.encode()}, form)
        except NO_CONNECTION as error:
            return spi.NotAccepted(code=type(error).__name__)
        except FAILED as error:
            return spi.Unknown(type(error).__name__)
        return broadcasts.taken(answer, self._settings, self._started.clock.now_us())

    async def broadcast_get(
        self, question: spi.BroadcastQuestion
    ) -> spi.UpstreamBroadcast | spi.NotAccepted | spi.Unknown:
        """By the id that Ogangi gave it; where its answer was lost, nobody can tell."""
        if not question.upstream_id:
            return broadcasts.NOT_TOLD
        parameters = broadcasts.named(question.upstream_id, self._settings)
        try:
            answer = await self._call("GET", broadcasts.GET, parameters)
        except FAILED as error:  # a question that went nowhere says nothing either
            return spi.Unknown(type(error).__name__)
        return broadcasts.stands(answer, self._settings, self._started.clock.now_us())

    async def broadcast_suspend(self, upstream_id: str) -> Controlled:
        """Hold it."""
        return await self._control("suspend", upstream_id)

    async def broadcast_resume(self, upstream_id: str) -> Controlled:
        """Let it go on."""
        return await self._control("resume", upstream_id)

    async def broadcast_stop(self, upstream_id: str) -> Controlled:
        """End it."""
        return await self._control("stop", upstream_id)

    async def broadcast_delete(self, upstream_id: str) -> Controlled:
        """Remove it."""
        return await self._control("delete", upstream_id)

    async def _control(self, what: str, upstream_id: str) -> Controlled:
        method, operation = broadcasts.CONTROLS[what]
        parameters = broadcasts.named(upstream_id, self._settings)
        try:
            answer = await self._call(method, operation, parameters)
        except NO_CONNECTION as error:
            return spi.NotAccepted(code=type(error).__name__)
        except FAILED as error:
            return spi.Unknown(type(error).__name__)
        return broadcasts.moved(answer, self._settings, self._started.clock.now_us())

    def _upload(self, file: bytes) -> aiohttp.FormData:
        form = aiohttp.FormData()
        if self._settings.file_form == "multipart":
            form.add_field("file", file, filename=self._settings.file_name, content_type="text/csv")
        else:
            form.add_field("file", file.decode(self._settings.file_encoding))
        return form

    async def _call(
        self,
        method: str,
        operation: str,
        parameters: Parameters,
        posted: Mapping[str, bytes] | None = None,
        data: aiohttp.FormData | None = None,
        timeout_s: float | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of one exchange. The broker's session bounds the body."""
        url = address(self._settings, operation, parameters, posted or {})
        async with self._started.http().request(
            method,
            yarl.URL(url, encoded=True),
            data=data,
            timeout=aiohttp.ClientTimeout(total=timeout_s or self._settings.timeout_s),
            allow_redirects=False,
        ) as response:
            return response.status, response.headers, await response.read()

    @property
    def _started(self) -> spi.Context:
        if self._context is None:
            raise RuntimeError("the instance was not started")
        return self._context
