"""Group Texting as a provider: one request for each message, and `mapping` says what the number means."""

from collections.abc import Sequence

from broker import spi
from waypost_grouptexting import mapping
from waypost_grouptexting.held import HeldCallbacks
from waypost_grouptexting.settings import GroupTextingSettings
from waypost_grouptexting.wire import Line


class GroupTexting(spi.Provider):
    """One account at Group Texting."""

    capabilities = spi.Capabilities(
        channels=frozenset({spi.Channel.SMS}),
        receipts=spi.ReceiptMode.NONE,
        batch_max=1,
        callback=True,
        content=frozenset({"sms.text", "sms.subject"}),
        text_profile=spi.TextProfile.RESTRICTED,
        balance=True,
    )

    def __init__(self, settings: GroupTextingSettings) -> None:
        self._settings = settings
        self._held = HeldCallbacks(settings.reply_in_answer_s, settings.replies_held_max)
        self._line: Line | None = None

    async def start(self, context: spi.Context) -> None:
        """Open no connection yet: the first message does."""
        await self.stop()
        self._clock = context.clock
        self._line = Line(self._settings, context.clock)

    async def stop(self) -> None:
        """Close the connections; callbacks that are held open are answered with nothing."""
        self._held.release()
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    async def submit(self, messages: Sequence[spi.OutboundMessage]) -> Sequence[spi.Outcome]:
        """One message, one number."""
        return [await self._send(each) for each in messages]

    async def balance(self) -> spi.UpstreamBalance:
        """The credits that are left. Raises NoAnswer."""
        return mapping.balance_of(await self._started().ask("credits/check", {}))

    async def callback(self, request: spi.CallbackRequest) -> spi.CallbackAnswer:
        """A keyword that was texted, or a reply. Nothing is signed: the secret is in the address."""
        if request.method != "GET":
            return spi.CallbackAnswer(status=405)
        inbound = mapping.inbound_of(request.query, self._settings)
        if inbound is None:
            return spi.CallbackAnswer(status=400)
        return spi.CallbackAnswer([inbound], later=self._held.hold(inbound.sender))

    async def _send(self, message: spi.OutboundMessage) -> spi.Outcome:
        refusal = mapping.refusal_of(message, self._settings)
        if refusal is not None:
            return refusal
        answered = await self._answer(message)
        if answered is not None:
            return answered
        exchange = await self._started().ask("sending", mapping.send_fields(message, self._settings))
        return mapping.outcome_of(exchange, self._clock.now_us())

    async def _answer(self, message: spi.OutboundMessage) -> spi.Outcome | None:
        """The message as the answer to a callback that is held open; None where it has to be sent."""
        if message.traffic is not spi.Traffic.CONVERSATIONAL or message.content.get("subject"):
            return None
        held = self._held.take(message.recipient)
        if held is None:
            return None
        held.give(message.text)
        match await held.was_written():
            case True:
                return spi.Accepted()
            case False:
                return None  # the other side had hung up before a byte of it left
            case None:
                return spi.Unknown("answer_lost", "the callback that it was to answer has gone astray")

    def _started(self) -> Line:
        if self._line is None:
            raise RuntimeError("the provider was not started")
        return self._line
