"""Short links at work: from a request's host and code to where it leads, with the click committed."""

import asyncio
from enum import Enum

import structlog

from broker.domain.links import parse_code
from broker.errors import BrokerError
from broker.spi import Clock
from broker.storage.links import Click, CodeFound, read_code, read_link_domains, record_clicks
from broker.storage.store import Store
from broker.telemetry import places_of

log = structlog.get_logger("waypost.links")

RECORD_S_MAX = 1.0
"""How long a visitor waits for the commit of a click. The click is committed all the same, if the store can."""

RECORDING_MAX = 1_000
"""Clicks whose commit has not come back; more are not recorded."""

DOMAINS_FRESH_US = 5_000_000
FIRST_LOOK_S_MAX = 1.0


class Trouble(Enum):
    """Why nothing can be said about a link."""

    NOT_READ = "the store could not be read"


class Links:
    """Answers where short links lead, and keeps who followed them."""

    def __init__(self, store: Store, clock: Clock, *, record_s_max: float = RECORD_S_MAX) -> None:
        self._store = store
        self._clock = clock
        self._record_s_max = record_s_max
        self._recording: set[asyncio.Task[None]] = set()
        self._domains: frozenset[str] | None = None
        self._looked_at_us = 0
        self._looking: asyncio.Task[None] | None = None

    async def serves(self, host: str) -> bool:
        """Whether an account has this link domain, as known some seconds ago.

        Only the first look is waited for: what else is asked over HTTP must not depend on the store.
        """
        age_us = self._clock.now_us() - self._looked_at_us
        if self._looking is None and not 0 <= age_us < DOMAINS_FRESH_US:
            self._looking = asyncio.create_task(self._look())
        if self._domains is None and self._looking is not None:
            await asyncio.wait({self._looking}, timeout=FIRST_LOOK_S_MAX)
        return self._domains is not None and host in self._domains

    async def _look(self) -> None:
        try:
            self._domains = await self._store.read(read_link_domains)
        except BrokerError as error:
            log.warning("links.domains_not_read", reason=error.reason.name)
        finally:
            self._looked_at_us = self._clock.now_us()
            self._looking = None

    async def follow(self, host: str, code: str, *, counted: bool) -> str | Trouble | None:
        """Where a link leads, None where there is none; a click is committed first where it is `counted`."""
        number = parse_code(code)
        if number is None:
            return None
        try:
            found = await self._store.read(read_code, number)
        except BrokerError as error:
            log.warning("links.not_read", reason=error.reason.name)
            return Trouble.NOT_READ
        if found is None or found.domain != host:
            return None
        if counted:
            await self._record(found)
        return found.target

    async def _record(self, found: CodeFound) -> None:
        """Commit a click, or go on without waiting longer: whoever clicked wants to get there."""
        if len(self._recording) >= RECORDING_MAX:
            log.warning("links.click_lost", reason="too many clicks wait for the store")
            return
        now_us = self._clock.now_us()
        click = Click(found.account_id, found.message_id, found.place, now_us, now_us)
        task = asyncio.create_task(self._commit(click))
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)
        await asyncio.wait({task}, timeout=self._record_s_max)

    async def _commit(self, click: Click) -> None:
        try:
            await self._store.write(record_clicks, [click], [click.account_id])
        except BrokerError as error:
            log.warning("links.click_lost", reason=error.reason.name)
        except Exception as error:  # noqa: BLE001 - a defect, which must not keep a visitor from the target
            log.error("links.click_lost", exception=type(error).__qualname__, at=places_of(error))

    async def close(self) -> None:
        """Wait for the clicks whose commit has not come back."""
        waiting = {*self._recording, *([self._looking] if self._looking else [])}
        if waiting:
            await asyncio.wait(waiting, timeout=self._record_s_max)
