"""The broker's clock: wall time that never jumps."""

import asyncio
import time

JUMP_US_MAX = 60_000_000


class SystemClock:
    """Microseconds since 1970 UTC.

    It follows the operating system's wall clock as long as that and the monotonic clock agree within a
    minute. A larger jump (a wrong time server, a resumed machine with a bad clock) is not followed:
    schedules, validity and ids would all be wrong. `jump_us` shows how far apart they are then.
    """

    def __init__(self) -> None:
        self._offset_us = _wall_us() - _monotonic_us()
        self.jump_us = 0

    def now_us(self) -> int:
        """Now."""
        wall_us, monotonic_us = _wall_us(), _monotonic_us()
        apart_us = wall_us - monotonic_us - self._offset_us
        if abs(apart_us) <= JUMP_US_MAX:
            self._offset_us += apart_us
            self.jump_us = 0
            return wall_us
        self.jump_us = apart_us
        return monotonic_us + self._offset_us

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def _wall_us() -> int:
    return time.time_ns() // 1_000


# Linux's plain monotonic clock stands still while the machine sleeps, which would look like a jump.
_MONOTONIC_ID = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def _monotonic_us() -> int:
    return time.clock_gettime_ns(_MONOTONIC_ID) // 1_000
