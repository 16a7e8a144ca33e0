"""The janitor: checkpoints a store that needs it, counts what waits, and forgets what is past remembering."""

import asyncio

import structlog

from broker.domain.sender_pool import CHOICE_MEMORY_US
from broker.errors import BrokerError
from broker.metrics import Metrics
from broker.spi import Clock
from broker.storage.acceptance import forget_request_ids
from broker.storage.agenda import Work
from broker.storage.capping import ForgetPromotions, forget_promotions
from broker.storage.groups import read_any_group_removed, sweep_groups
from broker.storage.keeping import Forget, forget_receipts, read_due_counts
from broker.storage.parking import read_parked_count
from broker.storage.senders import ForgetChoices, forget_choices
from broker.storage.store import Store

log = structlog.get_logger("waypost.janitor")

CHECKPOINT_EVERY_S = 1.0
WAL_PAGES_MAX = 4_096
"""16 MiB of log: past it, writers wait a moment until it begins anew."""

SWEEP_EVERY_S = 5.0
SWEEP_ROWS_MAX = 2_000
"""Members of removed groups go in batches of this size, so that no commit keeps callers waiting."""

FORGET_EVERY_S = 300.0
COUNT_EVERY_S = 10.0


class Janitor:
    """Runs until it is cancelled. `wal_pages` is what the last checkpoint found in the log."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        receipt_memory_s: float,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._receipt_memory_us = round(receipt_memory_s * 1_000_000)
        self.wal_pages = 0

    async def run(self) -> None:
        """Keep house, until cancelled."""
        jobs = [self._forgetting(), self._sweeping(), self._counting()]
        if self._store.checkpoints:
            jobs.append(self._checkpoints())
        await asyncio.gather(*jobs)

    async def _checkpoints(self) -> None:
        while True:
            await self._clock.sleep(CHECKPOINT_EVERY_S)
            try:
                self.wal_pages = await self._store.checkpoint(restart=self.wal_pages > WAL_PAGES_MAX)
            except BrokerError as error:
                log.warning("janitor.checkpoint_failed", error=str(error))

    async def _counting(self) -> None:
        """Count what is due now and then: a scrape must not cost a scan."""
        while True:
            try:
                counts, next_at_us = await self._store.read(read_due_counts)
                self._metrics.parked_receipts.set(await self._store.read(read_parked_count))
            except BrokerError as error:
                log.warning("janitor.count_failed", error=str(error))
            else:
                for work in Work:
                    self._metrics.due.labels(work.name).set(counts.get(work, 0))
                lag_us = 0 if next_at_us is None else max(0, self._clock.now_us() - next_at_us)
                self._metrics.dispatch_lag.set(lag_us / 1_000_000)
            await self._clock.sleep(COUNT_EVERY_S)

    async def _forgetting(self) -> None:
        while True:
            try:
                await self.forget()
            except BrokerError as error:
                log.warning("janitor.forget_failed", error=str(error))
            await self._clock.sleep(FORGET_EVERY_S)

    async def _sweeping(self) -> None:
        while True:
            try:
                await self.sweep()
            except BrokerError as error:
                log.warning("janitor.sweep_failed", error=str(error))
            await self._clock.sleep(SWEEP_EVERY_S)

    async def sweep(self) -> None:
        """One round: what removed groups left, in small batches."""
        if await self._store.read(read_any_group_removed):
            gone = 1
            while gone:
                (gone,) = await self._store.write(sweep_groups, [SWEEP_ROWS_MAX])

    async def forget(self) -> None:
        """One round: request_ids, matches of receipts, choices of pools and what counts for caps, in small batches."""
        now_us = self._clock.now_us()
        await self._store.write(forget_request_ids, [now_us])
        gone = 1
        while gone:
            (gone,) = await self._store.write(forget_receipts, [Forget(now_us - self._receipt_memory_us)])
        gone = 1
        while gone:
            choices = ForgetChoices(now_us - CHOICE_MEMORY_US, SWEEP_ROWS_MAX)
            (gone,) = await self._store.write(forget_choices, [choices])
        gone = 1
        while gone:
            (gone,) = await self._store.write(forget_promotions, [ForgetPromotions(now_us, SWEEP_ROWS_MAX)])
