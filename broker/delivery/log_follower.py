"""Followers of each account's log, which work through it in batches without being in anybody's way.

One indexes messages, another counts them. The store is the truth: a commit only hints that a log has grown,
and a start looks for itself. What a follower has not seen yet is looked through by those who ask, so being late
costs readers a little and callers nothing.
"""

import asyncio
import time
from collections.abc import Callable

import structlog

from broker.domain.value import value
from broker.errors import BrokerError
from broker.spi import Clock
from broker.storage.indexing import Indexed, IndexWish, index_messages, read_indexes_behind
from broker.storage.store import Store
from broker.storage.transaction import Transaction
from broker.storage.usage import count_usage, read_usage_behind

log = structlog.get_logger("waypost.follower")

BATCH_EVENTS = 2_000
"""Of one commit: some 15 ms of the writer's time."""

GATHER_S = 0.5
"""Events are left to gather, so that a quiet broker does not commit for each of them."""

SHARE_MIN, SHARE_MAX = 0.02, 0.5
"""What share of the time each follower spends while callers leave no time at all, and while they leave all of it."""

PAUSE_S_MAX = 5.0


@value
class Work:
    """What a follower does with a batch of a log, and which accounts' logs go on after what it has done."""

    name: str
    do: Callable[[Transaction, list[IndexWish]], list[Indexed]]
    read_behind: Callable[[Transaction], list[int]]


INDEXING = Work("indexing", index_messages, read_indexes_behind)
COUNTING = Work("counting", count_usage, read_usage_behind)


class LogFollower:
    """Runs until it is cancelled. `cpu_s` tells how much time of a processor this process has used."""

    def __init__(
        self, store: Store, clock: Clock, work: Work, *, cpu_s: Callable[[], float] = time.process_time
    ) -> None:
        self._store = store
        self._clock = clock
        self._work = work
        self._cpu_s = cpu_s
        self._waiting: dict[int, None] = {}
        self._woken = asyncio.Event()

    def hint(self, accounts: frozenset[int]) -> None:
        """These accounts may have new events."""
        self._waiting.update(dict.fromkeys(accounts))
        self._woken.set()

    async def run(self) -> None:
        """Follow, until cancelled."""
        self.hint(frozenset(await self._store.read(self._work.read_behind)))
        while True:
            await self._woken.wait()
            self._woken.clear()
            load = await self._rest(GATHER_S)
            while self._waiting:
                load = await self._rest(await self._follow_one(load))

    async def _follow_one(self, load: float) -> float:
        """Work through a batch of one account, which goes to the back where it has more; how long to rest after it."""
        account_id = next(iter(self._waiting))
        del self._waiting[account_id]
        wish = IndexWish(account_id, BATCH_EVENTS, clock_s=time.monotonic)
        try:
            (done,) = await self._store.write(self._work.do, [wish], [account_id])
        except BrokerError as error:
            log.warning("follower.failed", kind=self._work.name, account_id=account_id, error=str(error))
            self._waiting[account_id] = None
            return PAUSE_S_MAX
        if done.behind:
            self._waiting[account_id] = None
        share = max(SHARE_MIN, SHARE_MAX * (1 - load))
        return min(PAUSE_S_MAX, done.seconds / share - done.seconds)

    async def _rest(self, seconds: float) -> float:
        """Do nothing for so long; answers how busy the broker was meanwhile, from 0 to 1.

        One interpreter does all the work, so it is as busy as one processor can be, or as its writer is: on
        a machine that has no time for it, the broker uses little of it and is busy all the same.
        """
        began_us, cpu_s, writer_s = self._clock.now_us(), self._cpu_s(), self._store.busy_s
        await self._clock.sleep(seconds)
        passed_s = (self._clock.now_us() - began_us) / 1_000_000
        worked_s = max(self._cpu_s() - cpu_s, self._store.busy_s - writer_s)
        return min(1.0, worked_s / passed_s) if passed_s > 0 else 0.0
