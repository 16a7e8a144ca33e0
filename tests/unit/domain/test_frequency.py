"""How many promotional messages a contact gets in any span of time."""

from bisect import bisect_left
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.frequency import FrequencyCap, busiest, cap_problems, counting

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


@pytest.mark.parametrize(
    ("cap", "fields"),
    [
        (FrequencyCap(1, HOUR_US), []),
        (FrequencyCap(100, 30 * DAY_US), []),
        (FrequencyCap(0, HOUR_US), ["count"]),
        (FrequencyCap(101, HOUR_US), ["count"]),
        (FrequencyCap(1, HOUR_US - 1), ["window"]),
        (FrequencyCap(1, 30 * DAY_US + 1), ["window"]),
    ],
)
def test_a_cap_has_limits(cap: FrequencyCap, fields: list[str]) -> None:
    """On both sides of each."""
    assert fields == [field for field, _ in cap_problems(cap)]


@pytest.mark.parametrize(
    ("dues", "at_us", "most"),
    [
        ([], 50, 0),
        ([41], 50, 1),
        ([40], 50, 0),
        ([59], 50, 1),
        ([60], 50, 0),
        ([46, 55], 50, 2),
        ([45, 55], 50, 1),
        ([50, 50, 50], 50, 3),
        ([42, 43, 49, 51, 52, 58, 59], 50, 3),
    ],
)
def test_a_window_holds_what_is_due_before_and_after(dues: list[int], at_us: int, most: int) -> None:
    """Less than its length apart from first to last; no more is counted than the cap allows."""
    assert most == busiest(FrequencyCap(3, 10), dues, at_us)


moments = st.lists(st.integers(0, 400), max_size=80).map(sorted)


@given(dues=moments, at_us=st.integers(0, 400), count=st.integers(1, 4), window_us=st.integers(2, 60))
def test_the_busiest_window_is_that_of_a_plain_count(
    dues: list[int], at_us: int, count: int, window_us: int
) -> None:
    """Every window that holds the moment, one by one, up to the cap's count."""
    cap = FrequencyCap(count, window_us)
    assert min(count, plain_count(dues, at_us, window_us)) == busiest(cap, dues, at_us)


@given(
    steps=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 100)), min_size=20, max_size=120),
    count=st.integers(1, 3),
    window_us=st.integers(8, 60),
)
def test_what_is_kept_decides_as_everything_would(
    steps: list[tuple[int, int]], count: int, window_us: int
) -> None:
    """Though times that lie behind and those in the midst of many are left out; so it is bounded."""
    cap = FrequencyCap(count, window_us)
    everything: list[int] = []
    kept: list[int] = []
    now_us = 1_000
    for passed, ahead in steps:
        now_us += passed
        at_us = now_us + ahead
        assert min(count, plain_count(everything, at_us, window_us)) == busiest(cap, kept, at_us)
        everything = sorted([*everything, at_us])
        kept = counting(cap, kept, at_us, now_us)
        assert sorted(kept) == kept
    half_windows = (window_us + 100) // (window_us // 2) + 2
    assert len(kept) <= 2 * count * half_windows


def test_many_at_once_are_few_to_keep() -> None:
    """A thousand messages to one contact in one hour are twice the cap's count."""
    cap = FrequencyCap(5, DAY_US)
    kept: list[int] = []
    for number in range(1_000):
        kept = counting(cap, kept, DAY_US * 20_000 + number, DAY_US * 20_000)
    assert 10 == len(kept)


def plain_count(dues: Sequence[int], at_us: int, window_us: int) -> int:
    """The most that a window of this length holds besides the moment that it has to hold."""
    starts = range(at_us - window_us + 1, at_us + 1)
    return max(bisect_left(dues, start + window_us) - bisect_left(dues, start) for start in starts)
