"""Reports on their way: each fact is told to the broker at its time, many in one call.

A real upstream keeps this queue itself and calls back; a plugin that was copied from the sandbox has
no use for this file.

One task serves the whole instance, since a task or a timer for each message would cost more than the
message. Due times are rounded up to ticks, a tick's facts wait in one list, and a heap orders the ticks.
One call after another keeps the facts about a message in their order.
"""

from asyncio import Event
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush

from broker.spi import Context, ReportedFact

TICK_US = 5_000
"""What is due within so many microseconds is reported together."""

NAP_S_MAX = 0.01
"""The longest sleep while facts wait, so that one added later and due sooner is noticed."""

FACTS_PER_REPORT_MAX = 2_000
"""A report is one transaction of the broker's; a backlog is told in several."""

PAUSE_S_MIN = 0.05
PAUSE_S_MAX = 5.0
"""The first and the longest pause after a report that raised; it doubles in between."""


class ReportSchedule:
    """The facts that one started instance still has to report.

    `waiting` counts them until their report returned. The schedule does not refuse any: whoever adds
    looks at `waiting` first, because only `submit` can turn the message behind a fact away.
    """

    def __init__(self, context: Context) -> None:
        self.waiting = 0
        self._context = context
        self._ticks: list[int] = []
        self._facts: dict[int, list[ReportedFact]] = {}
        self._added = Event()

    def add(self, timed: Iterable[tuple[int, ReportedFact]]) -> None:
        """Report each fact at its time, in microseconds since 1970 UTC, or soon where that has passed."""
        for due_us, fact in timed:
            tick = -(-due_us // TICK_US)
            facts = self._facts.get(tick)
            if facts is None:
                facts = self._facts[tick] = []
                heappush(self._ticks, tick)
            facts.append(fact)
            self.waiting += 1
        self._added.set()

    async def report_now(self, timed: Sequence[tuple[int, ReportedFact]]) -> None:
        """Report ahead of all that waits, and return once it is committed; after a failure, later."""
        if not timed:
            return
        try:
            await self._context.report([fact for _, fact in timed])
        except Exception as failure:  # noqa: BLE001 - whatever stopped the store, the facts stay true
            self._warn(failure, len(timed), retry_s=0.0)
            self.add(timed)

    async def run(self) -> None:
        """Report what falls due, until cancelled."""
        while True:
            await self._until_due()
            due = self._take_due()
            for start in range(0, len(due), FACTS_PER_REPORT_MAX):
                facts = due[start : start + FACTS_PER_REPORT_MAX]
                await self._report(facts)
                self.waiting -= len(facts)

    async def _until_due(self) -> None:
        """Return when at least one fact is due."""
        clock = self._context.clock
        while True:
            if not self._ticks:
                self._added.clear()
                await self._added.wait()
                continue
            wait_us = self._ticks[0] * TICK_US - clock.now_us()
            if wait_us <= 0:
                return
            await clock.sleep(min(wait_us / 1_000_000, NAP_S_MAX))

    def _take_due(self) -> list[ReportedFact]:
        """Remove and return what is due by now, in order."""
        now_tick = self._context.clock.now_us() // TICK_US
        due: list[ReportedFact] = []
        while self._ticks and self._ticks[0] <= now_tick:
            due += self._facts.pop(heappop(self._ticks))
        return due

    async def _report(self, facts: Sequence[ReportedFact]) -> None:
        """Report until the broker has committed: a store that is down now takes them later."""
        pause_s = PAUSE_S_MIN
        while True:
            try:
                await self._context.report(facts)
            except Exception as failure:  # noqa: BLE001 - whatever stopped the store, the facts stay true
                self._warn(failure, len(facts), retry_s=pause_s)
            else:
                return
            await self._context.clock.sleep(pause_s)
            pause_s = min(pause_s * 2, PAUSE_S_MAX)

    def _warn(self, failure: Exception, facts: int, *, retry_s: float) -> None:
        """Say that a report failed; only the error's type, since its text may quote what was reported."""
        self._context.log.warning(
            "sandbox.report_failed", count=facts, error=type(failure).__name__, retry_s=retry_s
        )
