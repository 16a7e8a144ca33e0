"""The wall clock: message ids, schedules and validity hang on it."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from broker.cli.doctor.findings import Finding, fail, ok, warn

WATCH_S = 0.2
APART_S_MAX = 0.1
"""A clock that is kept in step by slewing drifts by far less in that time."""

YEAR_MIN = 2025
"""Before it there was no Waypost, so a clock that says so was never set."""
YEAR_MAX = 2100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at nearly one moment, in nanoseconds; the wall's since 1970 UTC."""

    wall_ns: int
    monotonic_ns: int


def check_clock() -> Finding:
    """Watch it for a moment."""
    first = read_clocks()
    time.sleep(WATCH_S)
    return judge_clock(first, read_clocks())


def read_clocks() -> Reading:
    """The reading that was interrupted least, of a few."""
    readings = []
    for _ in range(_TRIES):
        before, wall, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        readings.append((after - before, Reading(wall, (before + after) // 2)))
    return min(readings, key=lambda each: each[0])[1]


def judge_clock(first: Reading, last: Reading) -> Finding:
    """Whether the year can be true, and whether the wall clock runs evenly.

    Computed from 1970 UTC alone: the host's time zone has no say in it, as it has none in the broker.
    """
    now = _EPOCH + timedelta(microseconds=last.wall_ns // 1_000)
    detail = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if not YEAR_MIN <= now.year < YEAR_MAX:
        return fail("clock", detail, "set the clock: ids, schedules and validity follow it")
    apart_s = ((last.wall_ns - first.wall_ns) - (last.monotonic_ns - first.monotonic_ns)) / 1e9
    if abs(apart_s) > APART_S_MAX:
        return warn("clock", f"{detail}, jumped by {apart_s:+.3f} s", "keep it by NTP, which slews it")
    return ok("clock", f"{detail}, runs evenly")
