"""How long to go on after failures: which are worth another attempt, after which pause, and until when."""

import math
import random
from collections.abc import Callable

from waypost.errors import WaypostError

PAUSE_S_FIRST = 0.1
PAUSE_S_MAX = 5.0


class Patience:
    """Says after each failure how long to pause, or that it is over.

    Pauses are drawn evenly from 0 to a limit that doubles (full jitter), so that the clients of a broker
    that restarts do not come back in step. A pause that the broker asked for comes on top.

    `until` is on the event loop's clock, in seconds.
    """

    def __init__(self, *, until: float, draw: Callable[[], float] = random.random) -> None:
        self._until: float | None = until
        self._draw = draw
        self._failures: int = 0

    def pause_s(self, error: WaypostError, now: float) -> float:
        """How long to wait before the next attempt. Raises the error when there should be none."""
        if not error.transient:
            raise error
        asked_s = error.retry_after.total_seconds() if error.retry_after else 0.0
        pause_s = asked_s + self._draw() * min(PAUSE_S_MAX, math.ldexp(PAUSE_S_FIRST, self._failures))
        if self._until is not None and now + pause_s >= self._until:
            raise error
        self._failures = min(self._failures + 1, 16)  # far beyond the longest pause
        return pause_s

    def rewarded(self) -> None:
        """The broker answered: from now on it is waited for as long as it takes, and at first not long."""
        self._until = None
        self._failures = 0
