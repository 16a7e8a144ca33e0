"""The follower: reads the logs of accounts that want callbacks, and keeps a row for each event and endpoint.

The rows of a page and the place up to which the log was followed commit together, so an event becomes a
callback exactly once, whatever dies when. Accounts that use no callbacks are not looked at.
"""

import asyncio
from collections.abc import Callable

import structlog

from broker.delivery.identities import Identities
from broker.domain.callback import wanted_by
from broker.domain.callback_url import CallbackUrl, parse_callback_url
from broker.errors import BrokerError
from broker.metrics import Metrics
from broker.spi import Clock
from broker.storage.following import (
    Followed,
    LogPage,
    NewCallback,
    read_followers,
    read_log_page,
    read_origins,
    record_callbacks,
)
from broker.storage.store import Store

log = structlog.get_logger("waypost.webhooks")

LOOK_EVERY_S = 0.5
"""All followers are looked at this often: the store alone knows which accounts have begun to use callbacks."""

LOOK_PER_ACCOUNT_S = 0.0001
"""The look goes through all of them, so with very many it comes less often."""

GATHER_S = 0.02
"""After a hint, events gather for so long, so that a page holds more than one."""

EVENTS_MAX = 500
ACCOUNTS_MAX = 16
"""Pages in one transaction. Accounts take turns, so that a long log holds up no other."""

STORE_RETRY_S = 1.0


class Follower:
    """Runs until it is cancelled. `hint_sender` is called when there are new callbacks."""

    def __init__(
        self,
        store: Store,
        identities: Identities,
        clock: Clock,
        *,
        retry_for_s: float,
        waiting_max: int,
        hint_sender: Callable[[], None],
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._identities = identities
        self._clock = clock
        self._retry_for_us = round(retry_for_s * 1_000_000)
        self._waiting_max = waiting_max
        self._hint_sender = hint_sender
        self._metrics = metrics
        self._known: set[int] = set()
        self._hinted: set[int] = set()
        self._wake = asyncio.Event()

    def hint(self, accounts: frozenset[int]) -> None:
        """These accounts have new events."""
        if mine := self._known & accounts:
            self._hinted |= mine
            self._wake.set()

    async def run(self) -> None:
        """Follow, until cancelled."""
        loop = asyncio.get_running_loop()
        look_at = loop.time()
        while True:
            self._wake.clear()
            hinted, self._hinted = self._hinted, set()
            everybody = loop.time() >= look_at
            try:
                behind = await self._store.read(read_followers, None if everybody else hinted)
                for start in range(0, len(behind), ACCOUNTS_MAX):
                    await self._follow(behind[start : start + ACCOUNTS_MAX])
            except BrokerError as error:
                log.error("webhooks.follow_failed", error=str(error), retry_s=STORE_RETRY_S)
                await self._clock.sleep(STORE_RETRY_S)
                continue
            self._hinted.update(account_id for account_id, _ in behind)  # there may be another page
            if everybody:
                look_at = loop.time() + max(LOOK_EVERY_S, LOOK_PER_ACCOUNT_S * len(self._known))
            if not self._hinted:
                await self._wait(look_at - loop.time())

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._wake.wait()
                await asyncio.sleep(GATHER_S)
        except TimeoutError:
            return

    async def _follow(self, places: list[tuple[int, int]]) -> None:
        """One page of each account, in one transaction."""
        self._known.update(account_id for account_id, _ in places)
        found = [await self._page(account_id, after) for account_id, after in places]
        pages = [page for page in found if page is not None]
        recorded = await self._store.write(record_callbacks, pages, {page.account_id for page in pages})
        if dropped := sum(each.dropped for each in recorded):
            self._metrics.webhook_given_up.labels("full").inc(dropped)
            log.warning("webhooks.endpoint_full", count=dropped, limit=self._waiting_max)
        if any(each.kept for each in recorded):
            self._hint_sender()

    async def _page(self, account_id: int, after: int) -> Followed | None:
        page = await self._store.read(read_log_page, account_id, after, EVENTS_MAX)
        if not page.events:
            return None
        origins = await self._endpoints(account_id, page)
        callbacks = [
            NewCallback(event.sequence, endpoint_id, event.message_id)
            for event in page.events
            for endpoint_id in [
                *wanted_by(page.webhooks, event),
                *([origins[_origin(event.url)]] if event.url else []),
            ]
        ]
        now_us = self._clock.now_us()
        return Followed(
            account_id=account_id,
            after=after,
            upto=page.events[-1].sequence,
            callbacks=tuple(callbacks),
            origins=tuple((endpoint_id, origin) for origin, endpoint_id in origins.items()),
            now_us=now_us,
            expire_at_us=now_us + self._retry_for_us,
            waiting_max=self._waiting_max,
        )

    async def _endpoints(self, account_id: int, page: LogPage) -> dict[str, int]:
        """The endpoint of each origin that the page's messages name; new ones get an id."""
        origins = sorted({_origin(event.url) for event in page.events if event.url})
        if not origins:
            return {}
        known = await self._store.read(read_origins, account_id, origins)
        fresh = [origin for origin in origins if origin not in known]
        return known | dict(zip(fresh, await self._identities.take(len(fresh)), strict=True))


def _origin(url: str) -> str:
    """Who is called."""
    parsed = parse_callback_url(url)
    assert isinstance(parsed, CallbackUrl)  # it was checked before it was stored
    return parsed.origin
