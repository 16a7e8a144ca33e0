"""Clocks that a test holds in its hands."""

import asyncio
import time
from dataclasses import dataclass, field

NOW_US = 1_790_000_000_000_000
"""When tests begin: 2026-09-21 14:13:20 UTC."""

SECOND_US = 1_000_000


@dataclass
class ManualClock:
    """Time passes when the test says so."""

    time_us: int = NOW_US
    sleeps_s: list[float] = field(default_factory=list)
    _sleepers: list[tuple[int, "asyncio.Future[None]"]] = field(default_factory=list)

    def now_us(self) -> int:
        """What the test set."""
        return self.time_us

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has let that much pass."""
        self.sleeps_s.append(seconds)
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.time_us + round(seconds * SECOND_US), sleeper))
        await sleeper

    def advance(self, seconds: float) -> None:
        """Let time pass, and wake everyone who waited for it."""
        self.time_us += round(seconds * SECOND_US)
        woken = [sleeper for until_us, sleeper in self._sleepers if until_us <= self.time_us]
        self._sleepers = [entry for entry in self._sleepers if entry[0] > self.time_us]
        for sleeper in woken:
            if not sleeper.done():
                sleeper.set_result(None)


class FlowingClock:
    """Time passes as it does, from another moment than now on; a test may jump ahead.

    A provider that reads the operating system's clock is years off, so that a test can tell.
    """

    def __init__(self, time_us: int = NOW_US) -> None:
        self._offset_us = time_us - _monotonic_us()
        self._jumped = asyncio.Event()

    def now_us(self) -> int:
        """Microseconds since 1970 UTC, by this clock."""
        return _monotonic_us() + self._offset_us

    async def sleep(self, seconds: float) -> None:
        """Wait that long, or until the test has jumped beyond."""
        until_us = self.now_us() + round(seconds * SECOND_US)
        while (left_us := until_us - self.now_us()) > 0:
            try:
                async with asyncio.timeout(left_us / SECOND_US):
                    await self._jumped.wait()
            except TimeoutError:
                return

    def advance(self, seconds: float) -> None:
        """Jump ahead, and wake everyone whose time has come."""
        self._offset_us += round(seconds * SECOND_US)
        jumped, self._jumped = self._jumped, asyncio.Event()
        jumped.set()


def _monotonic_us() -> int:
    return time.monotonic_ns() // 1_000
