"""Talks to ZoomConnect: makes the calls that the mapping names, and hands their answers to it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date

from broker import spi
from waypost_zoomconnect import account, facts, mapping, questions
from waypost_zoomconnect.client import NO_ANSWER, NO_CONNECTION, Client
from waypost_zoomconnect.exchange import Call
from waypost_zoomconnect.inbox import Inbox
from waypost_zoomconnect.settings import Form, ZoomConnectSettings

WAIT_S_MAX = 5.0
"""For one of the requests that may be open at once; with `timeout_s` as it comes, that is below the broker's limit."""


class Busy(Exception):
    """As many requests as may be open at once have been open for WAIT_S_MAX."""


class ZoomConnect(spi.Provider):
    """One account at ZoomConnect."""

    def __init__(self, settings: ZoomConnectSettings) -> None:
        self._settings = settings
        self._at_once = asyncio.Semaphore(settings.requests_max)
        self._polling: asyncio.Task[None] | None = None

    @property
    def capabilities(self) -> spi.Capabilities:
        """As far as the settings allow: without credentials nothing can be asked."""
        settings = self._settings
        findable = settings.authenticated and settings.data_field == "key"
        return spi.Capabilities(
            channels=frozenset({spi.Channel.SMS}),
            receipts=settings.receipt_mode,
            # Messages that go one by one are not to wait for each other.
            batch_max=settings.batch_max
            if settings.form is Form.BULK
            else min(settings.batch_max, settings.requests_max),
            idempotency=spi.Idempotency.QUERY if findable else spi.Idempotency.NONE,
            query=settings.authenticated,
            callback="push" in {settings.receipts, settings.replies},
            content=frozenset({"sms.text"}),
            balance=settings.authenticated,
            usage=settings.authenticated,
        )

    async def start(self, context: spi.Context) -> None:
        """Begin to poll for replies, where the settings say so."""
        await self.stop()
        self._context = context
        self._client = Client(self._settings, context.http)
        if self._settings.authentication == "url-for-tests":
            context.log.warning("zoomconnect.credentials_in_urls")
        if self._settings.replies == "poll":
            inbox = Inbox(self._settings, self._client, context.clock, context.log, context.report)
            self._polling = asyncio.create_task(inbox.run(), name=f"replies of {context.instance}")

    async def stop(self) -> None:
        """End the polling."""
        polling, self._polling = self._polling, None
        if polling is not None:
            polling.cancel()
            await asyncio.wait({polling})

    async def submit(self, messages: Sequence[spi.OutboundMessage]) -> Sequence[spi.Outcome]:
        """One call for the batch, or one for each message, as the form is."""
        refused = {each.message_id: mapping.inexpressible(each, self._settings) for each in messages}
        sendable = [each for each in messages if refused[each.message_id] is None]
        calls = mapping.calls(sendable, self._settings, self._context.clock.now_us())
        answered = await asyncio.gather(*(self._hand_over(call, len(carried)) for call, carried in calls))
        outcomes = iter([outcome for batch in answered for outcome in batch])
        return [refused[each.message_id] or next(outcomes) for each in messages]

    async def _hand_over(self, call: Call, count: int) -> Sequence[spi.Outcome]:
        try:
            async with self._turn():
                answer = await self._client.answer(call)
        except Busy:
            return [spi.NotAccepted(WAIT_S_MAX, "throttled", "too many requests are open")] * count
        except NO_CONNECTION as error:  # no byte of a message has left
            return [spi.NotAccepted(code=type(error).__name__)] * count
        except NO_ANSWER as error:
            return [spi.Unknown(type(error).__name__)] * count
        return mapping.outcomes(answer, count, self._settings, self._context.clock.now_us())

    async def query(self, messages: Sequence[spi.OutboundMessage]) -> Sequence[spi.Outcome | spi.Receipt]:
        """Each by its id, or by the key in its data field where no id was learned."""
        return await asyncio.gather(*(self._ask(each) for each in messages))

    async def _ask(self, message: spi.OutboundMessage) -> spi.Outcome | spi.Receipt:
        try:
            async with self._turn():
                return await self._became_of(message)
        except (Busy, *NO_ANSWER) as error:
            # Also for a refused connection: the question was refused, and not the message.
            return spi.Unknown(type(error).__name__)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """One of the requests that may be open at once, for the block. Raises Busy."""
        try:
            async with asyncio.timeout(WAIT_S_MAX):
                await self._at_once.acquire()
        except TimeoutError:
            raise Busy from None
        try:
            yield
        finally:
            self._at_once.release()

    async def _became_of(self, message: spi.OutboundMessage) -> spi.Outcome | spi.Receipt:
        if message.provider_message_ids:
            asked = message.provider_message_ids[0]
            answer = await self._client.answer(questions.record_call(asked))
            return questions.told_by_id(answer, asked, self._settings)
        if self._settings.data_field != "key":
            return spi.Unknown("no_key", "without the key in its data field a message cannot be found")
        pages = []
        for deleted in (False, True):
            page = await self._client.answer(
                questions.search_call(message.idempotency_key, self._settings, deleted=deleted)
            )
            if (record := questions.listed(page, message.idempotency_key)) is not None:
                return facts.answered(record, self._settings)
            pages.append(page)
        age_us = self._context.clock.now_us() - message.submitted_at_us
        settled = age_us >= self._settings.lookup_lag_s * 1_000_000
        return questions.unlisted(pages[0], pages[1], settled=settled)

    async def callback(self, request: spi.CallbackRequest) -> spi.CallbackAnswer:
        """A delivery report or a reply. ZoomConnect signs neither: the secret is in the address."""
        return facts.called_back(request, self._settings)

    async def balance(self) -> spi.UpstreamBalance:
        """Credits of ZoomConnect's. Raises UnreadableAnswer or what the connection raises."""
        return account.balance(await self._client.answer(account.BALANCE))

    async def usage(self, first: date, last: date) -> Sequence[spi.UpstreamUsage]:
        """What its statistics report counts over all of the days together."""
        answer = await self._client.answer(account.statistics_call(first, last, self._settings))
        return account.statistics(answer, self._settings)
