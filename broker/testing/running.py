"""A provider that runs as the broker would run it, for a test to call."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from broker.domain.upstream_broadcast import Controlled, Found, Taken
from broker.spi import (
    BroadcastOrder,
    BroadcastQuestion,
    CallbackAnswer,
    CallbackRequest,
    KeywordQuery,
    KeywordSettings,
    NotAccepted,
    OptInAnswer,
    OptInChange,
    OptInFound,
    OptInQuery,
    OutboundMessage,
    Outcome,
    Provider,
    ProviderType,
    Receipt,
    Unknown,
    UpstreamBalance,
    UpstreamUsage,
)
from broker.testing.lending import CALLBACK_URL, Lent

T = TypeVar("T")

TIME_LIMIT_S = 5.0
STOP_S_MAX = 10.0
INSTANCE = "under-test"


class TookTooLong(AssertionError):
    """The provider did not come back in time."""


@dataclass
class RunningProvider:
    """A started provider and what it was lent. Each call has to answer within `time_limit_s`."""

    provider: Provider
    lent: Lent
    time_limit_s: float = TIME_LIMIT_S
    stopped: bool = False

    async def submit(self, *messages: OutboundMessage) -> Sequence[Outcome]:
        """What the provider answers to a batch."""
        return await self.in_time(self.provider.submit(list(messages)), "submit")

    async def query(self, *messages: OutboundMessage) -> Sequence[Outcome | Receipt]:
        """What the provider says became of messages."""
        return await self.in_time(self.provider.query(list(messages)), "query")

    async def balance(self) -> UpstreamBalance:
        """What the provider says the upstream's account has."""
        return await self.in_time(self.provider.balance(), "balance")

    async def usage(self, first: date, last: date) -> Sequence[UpstreamUsage]:
        """What the provider says the upstream counted."""
        return await self.in_time(self.provider.usage(first, last), "usage")

    async def callback(self, request: CallbackRequest) -> CallbackAnswer:
        """What the provider makes of an upstream's request."""
        return await self.in_time(self.provider.callback(request), "callback")

    async def set_opt_in(self, *changes: OptInChange) -> Sequence[OptInAnswer | NotAccepted | Unknown]:
        """What the provider answers to recipients' wishes."""
        return await self.in_time(self.provider.set_opt_in(list(changes)), "set_opt_in")

    async def get_opt_in(self, *queries: OptInQuery) -> Sequence[OptInFound | Unknown]:
        """What the provider says is kept about recipients."""
        return await self.in_time(self.provider.get_opt_in(list(queries)), "get_opt_in")

    async def check_keyword(self, query: KeywordQuery) -> object:
        """What the provider says of a keyword."""
        return await self.in_time(self.provider.check_keyword(query), "check_keyword")

    async def rent_keyword(self, query: KeywordQuery) -> object:
        """What the provider answers to the wish for a keyword."""
        return await self.in_time(self.provider.rent_keyword(query), "rent_keyword")

    async def set_up_keyword(self, settings: KeywordSettings) -> object:
        """What the provider answers to a keyword's set-up."""
        return await self.in_time(self.provider.set_up_keyword(settings), "set_up_keyword")

    async def senders(self) -> Sequence[str]:
        """What the provider lists."""
        return await self.in_time(self.provider.senders(), "senders")

    async def broadcast_create(self, order: BroadcastOrder) -> Taken:
        """What the provider answers to a broadcast."""
        return await self.in_time(self.provider.broadcast_create(order), "broadcast_create")

    async def broadcast_get(self, question: BroadcastQuestion) -> Found:
        """What the provider says of a broadcast."""
        return await self.in_time(self.provider.broadcast_get(question), "broadcast_get")

    async def broadcast_control(self, method: str, upstream_id: str) -> Controlled:
        """What the provider answers to one of "suspend", "resume", "stop" and "delete"."""
        call = getattr(self.provider, f"broadcast_{method}")
        return await self.in_time(call(upstream_id), f"broadcast_{method}")

    async def in_time(self, answer: Awaitable[T], call: str) -> T:
        """An answer; raises TookTooLong when it does not come."""
        limit = asyncio.timeout(self.time_limit_s)
        try:
            async with limit:
                return await answer
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise TookTooLong(
                f"{call} did not come back within {self.time_limit_s:g} s: a provider has a time limit of its own"
                " (`impatience` makes it short for the cases that wait)"
            ) from error

    async def stop(self) -> None:
        """Stop it, within the broker's limit, and take back what was lent."""
        self.stopped = True
        try:
            async with asyncio.timeout(STOP_S_MAX):
                await self.provider.stop()
        except TimeoutError as error:
            raise TookTooLong(f"stop did not come back within {STOP_S_MAX:g} s") from error
        finally:
            await self.lent.close()


@asynccontextmanager
async def running_provider(
    provider_type: ProviderType,
    settings: Mapping[str, Any],
    *,
    lent: Lent | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> AsyncIterator[RunningProvider]:
    """A provider of this type with these settings (its table without `type`), started for the block.

    It is stopped at the end of the block, unless the block did so.
    """
    provider = provider_type.create(provider_type.settings.model_validate(dict(settings)))
    lent = lent or Lent()
    running = RunningProvider(provider, lent, time_limit_s)
    url = CALLBACK_URL if provider.capabilities.callback else ""
    try:
        await running.in_time(provider.start(lent.context(INSTANCE, callback_url=url)), "start")
        yield running
    finally:
        if not running.stopped:
            await running.stop()
