"""Talks to Groupcall: `documents` says what, and `answers`, `callbacks`, `consents` and `usage` what comes back."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import aiohttp

from broker import spi
from waypost_groupcall import answers, callbacks, consents, documents, usage
from waypost_groupcall.settings import GroupcallSettings
from waypost_groupcall.words import Endpoint

NO_CONNECTION = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""No byte has left. Other failures may have come after Groupcall had read all."""

CONTENT = frozenset({
    "sms.text",
    *(f"email.{name}" for name in ("subject", "text", "html", "from_address", "from_name", "reply_to")),
    *("email.style_class", "email.attachments"),
    "push.body",
    "in_app.body",
})

T = TypeVar("T")


class NoTimeLeft(Exception):
    """A request would begin too late for anybody to wait for its answer; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Said:
    """One answer of Groupcall's."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Groupcall(spi.Provider):
    """One account at Groupcall: a customer's, or a partner's."""

    def __init__(self, settings: GroupcallSettings) -> None:
        self._settings = settings
        self._reading = answers.Reading(
            settings.known_answers, settings.secrets, of_several=bool(settings.customers)
        )
        self._places = asyncio.Semaphore(settings.requests_max)
        self._context: spi.Context | None = None
        self._capabilities = spi.Capabilities(
            channels=settings.channels,
            receipts=settings.receipt_mode,
            batch_max=settings.batch_max,
            callback=settings.receipts == "push",
            content=frozenset(
                each
                for each in CONTENT
                if each.startswith(tuple(f"{c.name.lower()}." for c in settings.channels))
            ),
            sandbox=settings.testing and not settings.testing_transmits,
            opt_in=settings.opt_in,
            usage=settings.tells_usage,
        )

    @property
    def capabilities(self) -> spi.Capabilities:
        """What the settings allow."""
        return self._capabilities

    async def start(self, context: spi.Context) -> None:
        """Nothing is asked: Groupcall may be down."""
        self._context = context

    async def submit(self, messages: Sequence[spi.OutboundMessage]) -> Sequence[spi.Outcome]:
        """One request for each message, or for as many as go together."""
        refused = {
            place: why
            for place, message in enumerate(messages)
            if (why := documents.refusal(message, self._settings))
        }
        left = {place: message for place, message in enumerate(messages) if place not in refused}
        requests = documents.requests(left, self._settings, self._started().callback_url)
        begin_before = asyncio.get_running_loop().time() + self._settings.timeout_s
        told: dict[int, spi.Outcome] = dict(refused)
        told.update(await self._all_handed_over(requests, messages, begin_before))
        return [told[place] for place in range(len(messages))]

    async def callback(self, request: spi.CallbackRequest) -> spi.CallbackAnswer:
        """A status, a reply, or both."""
        return callbacks.heard(request, self._settings)

    async def set_opt_in(
        self, changes: Sequence[spi.OptInChange]
    ) -> Sequence[spi.OptInAnswer | spi.NotAccepted | spi.Unknown]:
        """Tell Groupcall what recipients want of their incoming numbers, in the order of each recipient."""
        told: dict[int, consents.Answer] = {
            place: consents.NO_SHORT_CODE
            for place, change in enumerate(changes)
            if not consents.short_code(change.sender, self._settings)
        }
        by_recipient: dict[str, list[int]] = {}
        for place, change in enumerate(changes):
            if place not in told:
                by_recipient.setdefault(change.recipient, []).append(place)
        tell = self._tell_collections if self._settings.collect_opt_ins else self._tell_each
        told.update(await tell(changes, list(by_recipient.values())))
        return [told[place] for place in range(len(changes))]

    async def get_opt_in(self, queries: Sequence[spi.OptInQuery]) -> Sequence[spi.OptInFound | spi.Unknown]:
        """What Groupcall keeps about each recipient."""
        return await asyncio.gather(*(self._ask(each) for each in queries))

    async def usage(self, first: date, last: date) -> Sequence[spi.UpstreamUsage]:
        """What Groupcall counted for the customer."""
        said = await self._post(Endpoint.USAGE, usage.document(first, last, self._settings), of_customer=True)
        return usage.counts(said.status, said.body, self._settings)

    async def _all_handed_over(
        self,
        requests: Sequence[documents.SendRequest],
        messages: Sequence[spi.OutboundMessage],
        begin_before: float,
    ) -> dict[int, spi.Outcome]:
        """The outcomes of several requests' messages, by their places."""
        told = await asyncio.gather(*(self._hand_over(each, messages, begin_before) for each in requests))
        return {place: outcome for each in told for place, outcome in each.items()}

    async def _hand_over(
        self, request: documents.SendRequest, messages: Sequence[spi.OutboundMessage], begin_before: float
    ) -> dict[int, spi.Outcome]:
        """The outcomes of one request's messages, by their places.

        What has not begun by `begin_before`, of the event loop's clock, is not sent: the broker would have stopped
        waiting before there was an answer, and a message that was taken would be in doubt.
        """
        held = [messages[place] for place in request.places]
        try:
            said = await self._post(request.endpoint, request.document, begin_before=begin_before)
        except (*NO_CONNECTION, NoTimeLeft) as error:
            return dict.fromkeys(request.places, spi.NotAccepted(code=type(error).__name__))
        except (aiohttp.ClientError, TimeoutError) as error:
            return dict.fromkeys(request.places, spi.Unknown(type(error).__name__))
        if len(held) > 1 and answers.refuses_all(said.status, said.body, self._reading):
            # For one of them, and nobody says which: each goes by itself.
            alone = documents.split(request, self._settings)
            return await self._all_handed_over(alone, messages, begin_before)
        outcomes = answers.outcomes(said.status, said.headers, said.body, held, self._reading, self._now_us())
        return dict(zip(request.places, outcomes, strict=True))

    async def _tell_each(
        self, changes: Sequence[spi.OptInChange], groups: Sequence[Sequence[int]]
    ) -> dict[int, consents.Answer]:
        """One request for each change; those of one recipient one after the other."""

        async def one_recipient(places: Sequence[int]) -> dict[int, consents.Answer]:
            found: dict[int, consents.Answer] = {}
            for place in places:
                if any(not isinstance(each, spi.OptInAnswer) for each in found.values()):
                    # A later wish must not overtake an earlier one.
                    found[place] = spi.NotAccepted(code="waits_for_an_earlier_one")
                else:
                    found[place] = await self._tell(changes[place])
            return found

        told = await asyncio.gather(*(one_recipient(each) for each in groups))
        return {place: answer for each in told for place, answer in each.items()}

    async def _tell(self, change: spi.OptInChange) -> consents.Answer:
        async def tell() -> consents.Answer:
            document = consents.change_document(change, self._settings)
            said = await self._post(Endpoint.OPT_IN, document, of_customer=True)
            told = answers.read_json(said.body)
            return consents.answer(said.status, said.headers, told, change, self._settings, self._now_us())

        return await self._told(tell)

    async def _tell_collections(
        self, changes: Sequence[spi.OptInChange], groups: Sequence[Sequence[int]]
    ) -> dict[int, consents.Answer]:
        """One request with the first change of every recipient, the next with the second ones, and so on."""
        found: dict[int, consents.Answer] = {}
        failed: set[str] = set()
        for turn in range(max(map(len, groups), default=0)):
            places = [group[turn] for group in groups if len(group) > turn]
            held = [changes[place] for place in places if changes[place].recipient not in failed]
            told = iter(await self._tell_collection(held))
            for place in places:
                waits = changes[place].recipient in failed
                found[place] = spi.NotAccepted(code="waits_for_an_earlier_one") if waits else next(told)
            failed |= {
                changes[place].recipient for place in places if not isinstance(found[place], spi.OptInAnswer)
            }
        return found

    async def _tell_collection(self, changes: Sequence[spi.OptInChange]) -> list[consents.Answer]:
        if not changes:
            return []

        async def tell() -> list[consents.Answer]:
            document = consents.collection_document(changes, self._settings)
            said = await self._post(Endpoint.OPT_IN_COLLECTION, document, of_customer=True)
            told = answers.read_json(said.body)
            if said.status == 200:
                return consents.collected(told, changes, self._settings)
            now_us = self._now_us()
            return [
                consents.answer(said.status, said.headers, told, each, self._settings, now_us)
                for each in changes
            ]

        told = await self._told(tell)
        return told if isinstance(told, list) else [told] * len(changes)

    async def _told(self, tell: Callable[[], Awaitable[T]]) -> T | spi.NotAccepted | spi.Unknown:
        """What became of telling: a request that broke has not been answered."""
        try:
            return await tell()
        except NO_CONNECTION as error:
            return spi.NotAccepted(code=type(error).__name__)
        except (aiohttp.ClientError, TimeoutError) as error:
            return spi.Unknown(type(error).__name__)

    async def _ask(self, query: spi.OptInQuery) -> spi.OptInFound | spi.Unknown:
        if not consents.short_code(query.sender, self._settings):
            return spi.OptInFound(None, consents.NO_SHORT_CODE.code, consents.NO_SHORT_CODE.text)
        document = consents.pair_document(query, self._settings)
        try:
            said = await self._post(Endpoint.GET_OPT_IN, document, of_customer=True)
        except (aiohttp.ClientError, TimeoutError) as error:
            return spi.Unknown(type(error).__name__)
        return consents.found(said.status, said.body, self._settings)

    async def _post(
        self,
        endpoint: Endpoint,
        document: Mapping[str, Any],
        *,
        of_customer: bool = False,
        begin_before: float = math.inf,
    ) -> Said:
        """One exchange; it is made once, and redirects are not followed. Raises NoTimeLeft before anything is sent."""
        body = {**consents.credentials(self._settings), **document} if of_customer else document
        async with self._places:
            if asyncio.get_running_loop().time() >= begin_before:
                raise NoTimeLeft
            async with (
                self
                ._started()
                .http()
                .post(
                    self._settings.url_of(endpoint),
                    json=body,
                    timeout=aiohttp.ClientTimeout(total=self._settings.timeout_s),
                    allow_redirects=False,
                ) as response
            ):
                return Said(response.status, response.headers, await response.read())

    def _now_us(self) -> int:
        return self._started().clock.now_us()

    def _started(self) -> spi.Context:
        if self._context is None:
            raise RuntimeError("it was not started")
        return self._context
