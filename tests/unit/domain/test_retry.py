"""When to try again: bounds, jitter, and a provider's own wish."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.retry import (
    RETRY_AFTER_S_MAX,
    GiveUp,
    RetryAt,
    RetryPolicy,
    after_refusal,
    next_question_at,
)

NOW_US = 1_790_000_000_000_000
SECOND_US = 1_000_000
POLICY = RetryPolicy(attempts_max=5, base_s=2.0, cap_s=10.0)
FOREVER = RetryPolicy(attempts_max=10_000)
NEARLY_ONE = math.nextafter(1.0, 0.0)

chances = st.floats(0.0, 1.0, exclude_max=True)
attempts = st.integers(1, FOREVER.attempts_max - 1)


def delay_us(policy: RetryPolicy, attempt: int, chance: float, retry_after_s: float | None = None) -> int:
    """Microseconds until the next attempt, where there is one."""
    decision = after_refusal(
        policy, attempt=attempt, now_us=NOW_US, retry_after_s=retry_after_s, chance=chance
    )
    assert isinstance(decision, RetryAt)
    return decision.at_us - NOW_US


@pytest.mark.parametrize(("attempt", "ceiling_s"), [(1, 2.0), (2, 4.0), (3, 8.0), (4, 10.0)])
def test_the_longest_delay_doubles_up_to_the_cap(attempt: int, ceiling_s: float) -> None:
    """`base_s` * 2^(attempt - 1), then the cap."""
    assert ceiling_s * SECOND_US == delay_us(POLICY, attempt, NEARLY_ONE)


def test_the_shortest_delay_is_none() -> None:
    """Full jitter starts at zero, so that callers who failed together spread out."""
    assert [0, 0, 0, 0] == [delay_us(POLICY, attempt, 0.0) for attempt in (1, 2, 3, 4)]


@given(attempts, chances)
def test_every_delay_is_within_zero_and_the_cap(attempt: int, chance: float) -> None:
    """However many attempts there were."""
    assert 0 <= delay_us(FOREVER, attempt, chance) <= FOREVER.cap_s * SECOND_US


@given(attempts, chances, chances)
def test_a_greater_chance_never_waits_less(attempt: int, one: float, other: float) -> None:
    """The delay is drawn evenly, so it follows the draw."""
    low, high = sorted((one, other))
    assert delay_us(FOREVER, attempt, low) <= delay_us(FOREVER, attempt, high)


@given(attempts, chances, st.floats(0.0, 86_400.0))
def test_a_providers_wish_is_the_least_delay(attempt: int, chance: float, retry_after_s: float) -> None:
    """Above the cap too: the provider knows when it is ready."""
    least = round(retry_after_s * SECOND_US)
    expected = max(least, delay_us(FOREVER, attempt, chance))
    assert expected == delay_us(FOREVER, attempt, chance, retry_after_s)


@pytest.mark.parametrize("wish", [-1.0, 0.0, math.nan, -math.inf])
def test_a_wish_that_is_none_changes_nothing(wish: float) -> None:
    """A provider's garbage does not shorten or break the delay."""
    assert delay_us(POLICY, 1, 0.5) == delay_us(POLICY, 1, 0.5, wish)


@pytest.mark.parametrize("wish", [RETRY_AFTER_S_MAX + 1.0, 1e300, math.inf])
def test_a_wish_beyond_reason_is_cut(wish: float) -> None:
    """The time must fit the store's column; validity ends the message long before."""
    assert RETRY_AFTER_S_MAX * SECOND_US == delay_us(POLICY, 1, 0.5, wish)


@pytest.mark.parametrize(("attempt", "gives_up"), [(1, False), (4, False), (5, True), (6, True)])
def test_attempts_end_at_their_maximum(attempt: int, gives_up: bool) -> None:
    """Attempt number attempts_max is the last, whatever the provider wishes."""
    decision = after_refusal(POLICY, attempt=attempt, now_us=NOW_US, retry_after_s=1.0, chance=0.5)
    assert gives_up == isinstance(decision, GiveUp)


def test_one_attempt_means_no_retry() -> None:
    """The smallest policy."""
    policy = RetryPolicy(attempts_max=1)
    assert GiveUp() == after_refusal(policy, attempt=1, now_us=NOW_US, retry_after_s=None, chance=0.5)


@pytest.mark.parametrize(
    ("asked", "delay_s"), [(0, 5), (1, 10), (2, 20), (3, 40), (4, 60), (5, 60), (9_999, 60)]
)
def test_questions_double_up_to_the_cap(asked: int, delay_s: int) -> None:
    """Without jitter: they go out in batches anyway."""
    assert NOW_US + delay_s * SECOND_US == next_question_at(
        asked=asked, now_us=NOW_US, first_s=5.0, cap_s=60.0
    )
