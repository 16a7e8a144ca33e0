"""The sweeper: counts what waits, and removes what was left by webhooks that are no longer called."""

import structlog

from broker.errors import BrokerError
from broker.metrics import Metrics
from broker.spi import Clock
from broker.storage.calling import (
    CLOSED_ROWS_MAX,
    IDLE_ENDPOINTS_MAX,
    empty_closed_endpoints,
    forget_idle_endpoints,
    read_callback_counts,
)
from broker.storage.store import Store

log = structlog.get_logger("waypost.webhooks")

SWEEP_EVERY_S = 10.0
FORGET_EVERY = 30
"""Sweeps between two that also forget origins for which nothing waits."""


class Sweeper:
    """Runs until it is cancelled. `retry_for_s` is how long a callback may wait."""

    def __init__(self, store: Store, clock: Clock, *, retry_for_s: float, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._retry_for_s = retry_for_s
        self._metrics = metrics

    async def run(self) -> None:
        """Sweep now and then, until cancelled."""
        count = 0
        while True:
            count += 1
            try:
                await self.sweep(forget=count % FORGET_EVERY == 0)
            except BrokerError as error:
                log.warning("webhooks.sweep_failed", error=str(error))
            await self._clock.sleep(SWEEP_EVERY_S)

    async def sweep(self, *, forget: bool) -> None:
        """One round, in small batches; a scrape of the metrics must not cost a scan."""
        gone = 1
        while gone:
            (gone,) = await self._store.write(empty_closed_endpoints, [CLOSED_ROWS_MAX])
            self._metrics.webhook_given_up.labels("closed").inc(gone)
        if forget:
            await self._store.write(forget_idle_endpoints, [IDLE_ENDPOINTS_MAX])
        waiting, endpoints, expire_at_us = await self._store.read(read_callback_counts)
        self._metrics.webhook_waiting.set(waiting)
        self._metrics.webhook_endpoints.set(endpoints)
        left_s = self._retry_for_s
        if expire_at_us is not None:
            left_s = (expire_at_us - self._clock.now_us()) / 1_000_000
        self._metrics.webhook_oldest.set(max(0.0, self._retry_for_s - left_s))
