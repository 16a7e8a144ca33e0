"""Keeps over a restart how providers are doing: at once when a circuit moved, else now and then."""

import structlog

from broker.delivery.lanes import Lanes
from broker.domain.health import HealthRecord
from broker.errors import BrokerError
from broker.spi import Clock
from broker.storage.standing import read_health, record_health
from broker.storage.store import Store

log = structlog.get_logger("waypost.health")

LOOK_EVERY_S = 0.5
KEEP_EVERY_S = 10.0


class HealthKeeper:
    """Runs until it is cancelled, between `restore` and a last `keep`."""

    def __init__(self, store: Store, lanes: Lanes, clock: Clock) -> None:
        self._store = store
        self._lanes = lanes
        self._clock = clock
        self._kept: dict[str, HealthRecord] = {}

    async def restore(self) -> None:
        """Go on from what an earlier process kept."""
        self._kept = await self._store.read(read_health)
        self._lanes.restore(self._kept)

    async def run(self) -> None:
        """Write what changed, until cancelled."""
        kept_at_us = self._clock.now_us()
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            self._lanes.tick()
            now_us = self._clock.now_us()
            if self._lanes.changed or now_us - kept_at_us >= KEEP_EVERY_S * 1_000_000:
                kept_at_us = now_us
                await self.keep()

    async def keep(self) -> None:
        """Write what differs from what was written last."""
        self._lanes.changed.clear()
        records = self._lanes.records()
        changed = [(name, record) for name, record in records.items() if self._kept.get(name) != record]
        try:
            await self._store.write(record_health, changed)
        except BrokerError as error:  # it is written again with the next change
            log.warning("health.store_failed", error=str(error))
        else:
            self._kept = records
