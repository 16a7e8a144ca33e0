"""Ids for messages, from a range that the store has reserved."""

import asyncio

import structlog

from broker.domain.ids import IdSequence, first_id_at
from broker.errors import BrokerError
from broker.spi import Clock
from broker.storage.keeping import raise_id_ceiling
from broker.storage.store import Store

log = structlog.get_logger("waypost.identities")

RESERVE_AHEAD_MS = 10_000
RENEW_EVERY_S = 3.0


class Identities:
    """Hands out ids; `run` keeps the reservation ahead of the clock."""

    def __init__(self, store: Store, clock: Clock, *, node: int, last: int) -> None:
        self._store = store
        self._clock = clock
        self._sequence = IdSequence(node=node, last=last, ceiling=last)
        self._reserving = asyncio.Lock()

    async def take(self, count: int) -> list[int]:
        """`count` rising ids; waits for the store only when the reservation ran out."""
        while True:
            ids = self._sequence.take(count, self._clock.now_us() // 1_000)
            if ids is not None:
                return ids
            await self._reserve(beyond=self._sequence.ceiling)

    async def run(self) -> None:
        """Keep a reservation ahead, until cancelled."""
        while True:
            try:
                await self._reserve()
            except BrokerError as error:
                log.warning("identities.reserve_failed", error=str(error), retry_s=RENEW_EVERY_S)
            await self._clock.sleep(RENEW_EVERY_S)

    async def _reserve(self, beyond: int | None = None) -> None:
        """Reserve ahead of the clock; not again when another call went `beyond` that ceiling meanwhile."""
        async with self._reserving:
            if beyond is not None and self._sequence.ceiling > beyond:
                return
            now_ms = self._clock.now_us() // 1_000
            # The last id can be ahead of the clock: after a restart it starts at the old reservation.
            base_ms = max(now_ms, self._sequence.last >> 22)
            ceiling = first_id_at(base_ms + RESERVE_AHEAD_MS)
            (reserved,) = await self._store.write(raise_id_ceiling, [ceiling])
            self._sequence.reserve(reserved)
