"""The inbox keeper: forgets whom we wrote to long ago, and which answers were given over an hour ago."""

import structlog

from broker.errors import BrokerError
from broker.spi import Clock
from broker.storage.correspondence import CorrespondencePlace, CorrespondenceSweep, sweep_correspondence
from broker.storage.errands import HOUR_US, ForgetReplies, forget_replies
from broker.storage.store import Store

log = structlog.get_logger("waypost.inbox")

SWEEP_EVERY_S = 5.0
ROWS_MAX = 2_000
"""Looked at together, so that no commit keeps callers waiting."""


class InboxKeeper:
    """Runs until it is cancelled. `memory_s` is how long it is remembered whom we wrote to."""

    def __init__(self, store: Store, clock: Clock, *, memory_s: float) -> None:
        self._store = store
        self._clock = clock
        self._memory_us = round(memory_s * 1_000_000)
        self._place = CorrespondencePlace()

    async def run(self) -> None:
        """Forget a stretch now and then, until cancelled."""
        while True:
            await self._clock.sleep(SWEEP_EVERY_S)
            try:
                await self.sweep()
            except BrokerError as error:
                log.warning("inbox.sweep_failed", error=str(error))

    async def sweep(self) -> None:
        """One stretch of the correspondence, and all answers that no longer count."""
        now_us = self._clock.now_us()
        wish = CorrespondenceSweep(self._place, now_us - self._memory_us, ROWS_MAX)
        (place,) = await self._store.write(sweep_correspondence, [wish])
        self._place = place or CorrespondencePlace()
        gone = ROWS_MAX
        while gone == ROWS_MAX:
            (gone,) = await self._store.write(forget_replies, [ForgetReplies(now_us - HOUR_US, ROWS_MAX)])
