"""Frequency caps: how many promotional messages a contact gets in any span of time.

What counts is when a message is due, not when it was asked for: three that were scheduled on three days for the
same hour come in that hour. So a message may have counted ones before it and after it, and no window that holds it may
hold more than the cap allows. Times are microseconds since 1970 UTC.
"""

from bisect import bisect_right, insort
from collections.abc import Iterator, Sequence

from broker.domain.value import value

CAP_COUNT_MAX = 100
CAP_WINDOW_S_MIN = 3_600
CAP_WINDOW_S_MAX = 30 * 86_400

_US_PER_S = 1_000_000


@value
class FrequencyCap:
    """At most `count` promotional messages to a contact that are due within less than `window_us`."""

    count: int
    window_us: int


def cap_problems(cap: FrequencyCap) -> list[tuple[str, str]]:
    """The rules that a cap breaks, each with its field."""
    problems = []
    if not 1 <= cap.count <= CAP_COUNT_MAX:
        problems.append(("count", f"must be from 1 to {CAP_COUNT_MAX}"))
    if not CAP_WINDOW_S_MIN * _US_PER_S <= cap.window_us <= CAP_WINDOW_S_MAX * _US_PER_S:
        problems.append(("window", f"must be from {CAP_WINDOW_S_MIN:,} s to {CAP_WINDOW_S_MAX:,} s"))
    return problems


def busiest(cap: FrequencyCap, dues: Sequence[int], at_us: int) -> int:
    """The most messages that a window holds in which one that is due at `at_us` would be.

    `dues` are those of the messages that count, in rising order. The answer stops at the cap's count: it does not
    matter how far above it a window is.
    """
    place = bisect_right(dues, at_us)
    first = max(0, place - cap.count)
    most = 0
    for start in range(first, place + 1):
        since_us = at_us if start == place else dues[start]
        if at_us - since_us >= cap.window_us:
            continue
        end = start
        while end < len(dues) and end - start < cap.count and dues[end] - since_us < cap.window_us:
            end += 1
        most = max(most, end - start)
        if most == cap.count:
            break
    return most


def counting(cap: FrequencyCap, dues: Sequence[int], at_us: int, now_us: int) -> list[int]:
    """The times to keep once a message that is due at `at_us` counts too.

    Those that no window can hold together with a message from now on are left out. So are those in the midst of many:
    of each half window the first and the last `count` tell whether a window is full, which bounds how many there are.
    """
    kept = [each for each in dues if each > now_us - cap.window_us]
    insort(kept, at_us)
    return kept if len(kept) <= 2 * cap.count else list(_thinned(cap, kept))


def _thinned(cap: FrequencyCap, dues: Sequence[int]) -> Iterator[int]:
    half_us = cap.window_us // 2
    start = 0
    while start < len(dues):
        end = start
        while end < len(dues) and dues[end] // half_us == dues[start] // half_us:
            end += 1
        if end - start <= 2 * cap.count:
            yield from dues[start:end]
        else:
            yield from dues[start : start + cap.count]
            yield from dues[end - cap.count : end]
        start = end
