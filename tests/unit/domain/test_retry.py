"""Where and when to try again: the next candidate, bounds, jitter, and a provider's own wish."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.retry import (
    RETRY_AFTER_S_MAX,
    RetryPolicy,
    next_candidate,
    next_question_at,
    next_round_at,
)

NOW_US = 1_790_000_000_000_000
SECOND_US = 1_000_000
POLICY = RetryPolicy(attempts_max=5, base_s=2.0, cap_s=10.0)
FOREVER = RetryPolicy(attempts_max=10_000)
NEARLY_ONE = math.nextafter(1.0, 0.0)

chances = st.floats(0.0, 1.0, exclude_max=True)
rounds = st.integers(1, 9_999)


def delay_us(policy: RetryPolicy, count: int, chance: float, retry_after_s: float | None = None) -> int:
    """Microseconds until the next round."""
    at_us = next_round_at(policy, rounds=count, now_us=NOW_US, retry_after_s=retry_after_s, chance=chance)
    return at_us - NOW_US


@pytest.mark.parametrize(("count", "ceiling_s"), [(1, 2.0), (2, 4.0), (3, 8.0), (4, 10.0)])
def test_the_longest_delay_doubles_up_to_the_cap(count: int, ceiling_s: float) -> None:
    """`base_s` * 2^(rounds - 1), then the cap."""
    assert ceiling_s * SECOND_US == delay_us(POLICY, count, NEARLY_ONE)


def test_the_shortest_delay_is_none() -> None:
    """Full jitter starts at zero, so that callers who failed together spread out."""
    assert [0, 0, 0, 0] == [delay_us(POLICY, count, 0.0) for count in (1, 2, 3, 4)]


@given(rounds, chances)
def test_every_delay_is_within_zero_and_the_cap(count: int, chance: float) -> None:
    """However many rounds there were."""
    assert 0 <= delay_us(FOREVER, count, chance) <= FOREVER.cap_s * SECOND_US


@given(rounds, chances, chances)
def test_a_greater_chance_never_waits_less(count: int, one: float, other: float) -> None:
    """The delay is drawn evenly, so it follows the draw."""
    low, high = sorted((one, other))
    assert delay_us(FOREVER, count, low) <= delay_us(FOREVER, count, high)


@given(rounds, chances, st.floats(0.0, 86_400.0))
def test_a_providers_wish_is_the_least_delay(count: int, chance: float, retry_after_s: float) -> None:
    """Above the cap too: the provider knows when it is ready."""
    least = round(retry_after_s * SECOND_US)
    expected = max(least, delay_us(FOREVER, count, chance))
    assert expected == delay_us(FOREVER, count, chance, retry_after_s)


@pytest.mark.parametrize("wish", [-1.0, 0.0, math.nan, -math.inf])
def test_a_wish_that_is_none_changes_nothing(wish: float) -> None:
    """A provider's garbage does not shorten or break the delay."""
    assert delay_us(POLICY, 1, 0.5) == delay_us(POLICY, 1, 0.5, wish)


@pytest.mark.parametrize("wish", [RETRY_AFTER_S_MAX + 1.0, 1e300, math.inf])
def test_a_wish_beyond_reason_is_cut(wish: float) -> None:
    """The time must fit the store's column; validity ends the message long before."""
    assert RETRY_AFTER_S_MAX * SECOND_US == delay_us(POLICY, 1, 0.5, wish)


@pytest.mark.parametrize(
    ("current", "shut", "behind", "around"),
    [
        ("a", "", "b", "b"),
        ("b", "", "c", "c"),
        ("c", "", None, "a"),
        ("a", "b", "c", "c"),
        ("a", "bc", None, None),
        ("b", "c", None, "a"),
        ("b", "ac", None, None),
        ("x", "", "a", "a"),
        ("x", "a", "b", "b"),
    ],
)
def test_the_next_candidate_is_the_first_behind_that_takes_messages(
    current: str, shut: str, behind: str | None, around: str | None
) -> None:
    """Those before it come only where the order may wrap around, and it is never its own successor."""
    found = [next_candidate(("a", "b", "c"), current, set(shut), wrap=wrap) for wrap in (False, True)]
    assert [behind, around] == found


@pytest.mark.parametrize(
    ("asked", "delay_s"), [(0, 5), (1, 10), (2, 20), (3, 40), (4, 60), (5, 60), (9_999, 60)]
)
def test_questions_double_up_to_the_cap(asked: int, delay_s: int) -> None:
    """Without jitter: they go out in batches anyway."""
    assert NOW_US + delay_s * SECOND_US == next_question_at(
        asked=asked, now_us=NOW_US, first_s=5.0, cap_s=60.0
    )
