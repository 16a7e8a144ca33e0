"""The rerouter: moves what waits for an instance that takes nothing for some time to another candidate."""

import structlog

from broker.delivery.lanes import Lanes
from broker.errors import BrokerError
from broker.metrics import Metrics
from broker.spi import Clock
from broker.storage.rerouting import BEGINNING, Reroute, read_stretch, reroute
from broker.storage.store import Store

log = structlog.get_logger("waypost.rerouter")

LOOK_EVERY_S = 0.5
STRETCH_ROWS = 200
STORE_RETRY_S = 1.0
REST_TIMES = 4
"""After a walk that took its time, so much longer passes before the next: most of it finds nothing new."""


class Rerouter:
    """Runs until it is cancelled. A message changes its provider at most `hops_max` times."""

    def __init__(self, store: Store, lanes: Lanes, clock: Clock, *, hops_max: int, metrics: Metrics) -> None:
        self._store = store
        self._lanes = lanes
        self._clock = clock
        self._hops_max = hops_max
        self._metrics = metrics

    async def run(self) -> None:
        """Empty the lanes of instances that are shut, until cancelled."""
        while True:
            began_us = self._clock.now_us()
            try:
                for name in self._lanes.to_empty():
                    await self.empty(name)
            except BrokerError as error:
                log.error("rerouter.store_failed", error=str(error), retry_s=STORE_RETRY_S)
            took_s = (self._clock.now_us() - began_us) / 1_000_000
            await self._clock.sleep(max(LOOK_EVERY_S, REST_TIMES * took_s))

    async def empty(self, name: str) -> int:
        """Walk through the lanes of one instance, as long as it is shut; answers how many messages moved."""
        moved, after = 0, BEGINNING
        while name in (shut := self._lanes.shut()):
            stretch = await self._store.read(read_stretch, name, shut, self._hops_max, after, STRETCH_ROWS)
            now_us = self._clock.now_us()
            items = [
                Reroute(account_id, message_id, name, shut, self._hops_max, now_us)
                for account_id, message_id in stretch.movable
            ]
            gone = sum(await self._store.write(reroute, items, {item.account_id for item in items}))
            self._metrics.rerouted.labels(name).inc(gone)
            moved += gone
            if stretch.end is None:
                break
            after = stretch.end
        if moved:
            log.info("rerouter.moved", instance=name, messages=moved)
        return moved
