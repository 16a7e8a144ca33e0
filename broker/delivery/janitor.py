"""The janitor: checkpoints the log of the store, and forgets what is past remembering."""

import asyncio

import structlog

from broker.errors import BrokerError
from broker.spi import Clock
from broker.storage.acceptance import forget_request_ids
from broker.storage.keeping import Forget, forget_receipts
from broker.storage.store import Store

log = structlog.get_logger("waypost.janitor")

CHECKPOINT_EVERY_S = 1.0
TRUNCATE_EVERY = 60
"""Checkpoints between two that also shrink the WAL file."""

FORGET_EVERY_S = 300.0


class Janitor:
    """Runs until it is cancelled."""

    def __init__(
        self, store: Store, clock: Clock, *, request_id_memory_s: float, receipt_memory_s: float
    ) -> None:
        self._store = store
        self._clock = clock
        self._request_id_memory_us = round(request_id_memory_s * 1_000_000)
        self._receipt_memory_us = round(receipt_memory_s * 1_000_000)

    async def run(self) -> None:
        """Keep house, until cancelled."""
        await asyncio.gather(self._checkpoints(), self._forgetting())

    async def _checkpoints(self) -> None:
        count = 0
        while True:
            await self._clock.sleep(CHECKPOINT_EVERY_S)
            count += 1
            try:
                await self._store.checkpoint(truncate=count % TRUNCATE_EVERY == 0)
            except BrokerError as error:
                log.warning("janitor.checkpoint_failed", error=str(error))

    async def _forgetting(self) -> None:
        while True:
            try:
                await self.forget()
            except BrokerError as error:
                log.warning("janitor.forget_failed", error=str(error))
            await self._clock.sleep(FORGET_EVERY_S)

    async def forget(self) -> None:
        """One round: request_ids past their memory, and receipts' matches past theirs, in small batches."""
        now_us = self._clock.now_us()
        await self._store.write(forget_request_ids, [(now_us, self._request_id_memory_us)])
        gone = 1
        while gone:
            (gone,) = await self._store.write(forget_receipts, [Forget(now_us - self._receipt_memory_us)])
