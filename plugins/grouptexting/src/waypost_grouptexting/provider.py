"""Group Texting as a provider: one request for each message, and `mapping` says what the number means."""

import asyncio
from collections.abc import Sequence

from broker import spi
from waypost_grouptexting import keywords, mapping
from waypost_grouptexting.card import CardError, read_card
from waypost_grouptexting.held import HeldCallbacks
from waypost_grouptexting.settings import GroupTextingSettings
from waypost_grouptexting.wire import Line


class GroupTexting(spi.Provider):
    """One account at Group Texting."""

    def __init__(self, settings: GroupTextingSettings) -> None:
        self._settings = settings
        self._capabilities = spi.Capabilities(
            channels=frozenset({spi.Channel.SMS}),
            receipts=spi.ReceiptMode.NONE,
            batch_max=1,
            callback=True,
            content=frozenset({"sms.text", "sms.subject"}),
            text_profile=spi.TextProfile.RESTRICTED,
            balance=True,
            keywords=_keeping(settings) if settings.keywords else None,
        )
        self._held = HeldCallbacks(settings.reply_in_answer_s, settings.replies_held_max)
        self._line: Line | None = None

    @property
    def capabilities(self) -> spi.Capabilities:
        """All but keywords, which the settings may add."""
        return self._capabilities

    async def start(self, context: spi.Context) -> None:
        """Open no connection yet: the first message does."""
        await self.stop()
        self._clock, self._log, self._callback_url = context.clock, context.log, context.callback_url
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

    async def check_keyword(self, query: spi.KeywordQuery) -> keywords.Checked:
        """Whether a keyword is free; one that the account has already is."""
        if query.keyword in self._settings.keywords_owned:
            return spi.KeywordAvailable()
        return keywords.checked(await self._started().ask("keyword/check", {"keyword": query.keyword}))

    async def rent_keyword(self, query: spi.KeywordQuery) -> keywords.Rented:
        """Rent a keyword with the card of the settings, and have it call the broker."""
        answer = await self._rent(query.keyword)
        if isinstance(answer, spi.KeywordRented) and self._callback_url:
            called = {"keyword": query.keyword, "url": self._callback_url}
            set_up = keywords.set_up(await self._started().ask("keyword/setup", called))
            if not isinstance(set_up, spi.KeywordSetUp):
                self._log.warning("grouptexting.keyword_calls_nobody", reason=set_up.code)
        return answer

    async def set_up_keyword(self, settings: spi.KeywordSettings) -> keywords.SetUp:
        """Set a keyword up, and have it call the broker."""
        fields = keywords.set_up_fields(
            settings,
            callback_url=self._callback_url,
            names_groups=self._settings.keyword_groups,
            forwards_email=self._settings.keyword_emails,
        )
        return keywords.set_up(await self._started().ask("keyword/setup", fields))

    async def callback(self, request: spi.CallbackRequest) -> spi.CallbackAnswer:
        """A keyword that was texted, or a reply. Nothing is signed: the secret is in the address."""
        if request.method != "GET":
            return spi.CallbackAnswer(status=405)
        inbound = mapping.inbound_of(request.query, self._settings)
        if inbound is None:
            return spi.CallbackAnswer(status=400)
        return spi.CallbackAnswer([inbound], later=self._held.hold(inbound.sender))

    async def _rent(self, word: str) -> keywords.Rented:
        if word in self._settings.keywords_owned:
            return spi.KeywordRented()
        if self._settings.card_file is None:
            return keywords.NO_CARD
        try:
            card = await asyncio.to_thread(read_card, self._settings.card_file)
        except CardError:
            return keywords.BAD_CARD
        fields = {**card.fields(), "keyword": word}
        return keywords.rented(await self._started().ask("keyword/rent", fields, post=True))

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


def _keeping(settings: GroupTextingSettings) -> spi.KeywordKeeping:
    """Group Texting answers every keyword itself, and forwards them by email where it is told to."""
    emails = {spi.KeywordField.EMAIL} if settings.keyword_emails else set()
    carries_out = frozenset({spi.KeywordField.AUTOREPLY} | emails)
    return spi.KeywordKeeping(frozenset({settings.long_code}), carries_out)
