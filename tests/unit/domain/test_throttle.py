"""Rates: what passes in a time, what refusals change, and who waits for whom."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.outcome import Accepted, NotAccepted, Outcome, Unknown
from broker.domain.throttle import (
    HOLD_S_MAX,
    SENDERS_MAX,
    Allowance,
    SenderTurns,
    Throttle,
    TokenBucket,
    is_throttling,
)

NOW_US = 1_790_000_000_000_000
SECOND_US = 1_000_000
BUSY = NotAccepted(code="429")


def flow(throttle: Throttle, seconds: float, *, start_us: int = NOW_US, units: int = 1) -> int:
    """How many segments pass in a time when there is always more."""
    passed, now_us = 0, start_us
    while now_us < start_us + seconds * SECOND_US:
        if throttle.units_max(now_us) > 0:
            throttle.take(units, now_us)
            passed += units
        now_us = max(now_us + 1, throttle.open_at(now_us))
    return passed


@pytest.mark.parametrize("rate", [1, 7, 100, 2_500])
@pytest.mark.parametrize("units", [1, 3])
def test_a_limit_is_kept(rate: float, units: int) -> None:
    """Over ten seconds: no more than the rate, a tenth of a second's worth, and the message that overdraws."""
    passed = flow(Throttle(rate, None, NOW_US), 10, units=units)
    assert rate * 10 - units <= passed <= rate * 10.1 + units


@given(st.floats(0.1, 1_000), st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 20)), max_size=50))
def test_no_time_passes_more_than_flows_in(rate: float, wishes: list[tuple[int, int]]) -> None:
    """However it is asked: the bucket's size, what flowed in since, and the last message's overdraft."""
    bucket, now_us, passed, last = TokenBucket(rate, NOW_US), NOW_US, 0, 0
    for wait_us, units in wishes:
        now_us += wait_us
        if bucket.tokens(now_us) > 0:
            bucket.take(units, now_us)
            passed, last = passed + units, units
    assert passed <= max(1.0, rate / 10) + rate * (now_us - NOW_US) / SECOND_US + last + 1e-6


@given(st.floats(0.5, 1_000), st.integers(1, 30))
def test_a_bucket_is_open_when_it_says_so(rate: float, units: int) -> None:
    """Not a moment later."""
    bucket = TokenBucket(rate, NOW_US)
    bucket.take(units, NOW_US)
    at_us = bucket.open_at(NOW_US)
    assert bucket.tokens(at_us) > -1e-9 * units
    assert bucket.tokens(at_us + 10) > 0


def test_without_a_limit_everything_passes() -> None:
    """At once."""
    throttle = Throttle(None, None, NOW_US)
    assert (math.inf, NOW_US) == (throttle.units_max(NOW_US), throttle.open_at(NOW_US))
    assert throttle.allowances(NOW_US) is None


@pytest.mark.parametrize(
    ("outcome", "throttling"),
    [
        (NotAccepted(retry_after_s=3.0), True),
        (NotAccepted(retry_after_s=0.0), True),
        (NotAccepted(code="429"), True),
        (NotAccepted(code="ESME_RTHROTTLED"), True),
        (NotAccepted(code="503"), False),
        (NotAccepted(), False),
    ],
)
def test_a_wish_to_wait_or_a_known_code_is_throttling(outcome: NotAccepted, throttling: bool) -> None:
    """Everything else is a failure."""
    assert throttling == is_throttling(outcome)


@pytest.mark.parametrize(("wish_s", "held_s"), [(5.0, 5.0), (1e9, HOLD_S_MAX), (math.inf, HOLD_S_MAX)])
def test_a_wish_to_wait_holds_the_instance(wish_s: float, held_s: float) -> None:
    """Nothing passes until then; what is unreasonable is cut."""
    throttle = Throttle(None, None, NOW_US)
    throttle.hear([NotAccepted(retry_after_s=wish_s)], NOW_US)
    until_us = NOW_US + round(held_s * SECOND_US)
    assert (0.0, until_us) == (throttle.units_max(until_us - 1), throttle.open_at(NOW_US))
    assert throttle.units_max(until_us) > 0


@pytest.mark.parametrize("wish_s", [math.nan, -1.0, 0.0, None])
def test_what_is_no_wish_holds_nobody(wish_s: float | None) -> None:
    """A plugin may hand on garbage."""
    throttle = Throttle(None, None, NOW_US)
    throttle.hear([NotAccepted(wish_s, code="429")], NOW_US)
    assert 0 == throttle.held_s(NOW_US)


def test_one_refusal_among_many_is_about_a_message() -> None:
    """It does not hold the instance, and hardly slows it."""
    throttle = Throttle(100.0, None, NOW_US)
    outcomes: list[Outcome] = [Accepted()] * 99
    throttle.hear([*outcomes, NotAccepted(retry_after_s=9.0)], NOW_US)
    view = throttle.view(NOW_US)
    assert (0, 99.5) == (view.held_until_us, view.limit)


def test_refusals_halve_the_rate_once_a_second() -> None:
    """However many come in that second, and not below one segment a second."""
    throttle = Throttle(8.0, None, NOW_US)
    limits = []
    for second in range(6):
        for _ in range(10):
            throttle.hear([BUSY], NOW_US + second * SECOND_US)
        limits.append(throttle.view(NOW_US + second * SECOND_US).limit)
    assert [4.0, 2.0, 1.0, 1.0, 1.0, 1.0] == [round(limit or 0, 0) for limit in limits]


def test_a_rate_grows_back_evenly() -> None:
    """In half a minute it is what it was, and no more."""
    throttle = Throttle(60.0, None, NOW_US)
    throttle.hear([BUSY], NOW_US)
    limits = [throttle.view(NOW_US + second * SECOND_US).limit for second in (0, 10, 20, 30, 90)]
    assert [30.0, 40.0, 50.0, 60.0, 60.0] == limits


def test_without_a_limit_the_flow_is_halved() -> None:
    """And the limit is gone after ten seconds without a refusal."""
    throttle = Throttle(None, None, NOW_US)
    for tenth in range(300):
        throttle.take(10, NOW_US + tenth * SECOND_US // 10)
    now_us = NOW_US + 30 * SECOND_US
    throttle.hear([BUSY], now_us)
    limit = throttle.view(now_us).limit
    assert limit is not None
    assert 40 <= limit <= 60
    assert throttle.view(now_us + 9 * SECOND_US).limit is not None
    assert throttle.view(now_us + 10 * SECOND_US).limit is None


@pytest.mark.parametrize(
    "outcome",
    [Accepted(), NotAccepted(), Unknown("timeout"), NotAccepted(9.0, "429", about_message=True)],
    ids=["accepted", "not accepted", "unknown", "about the message"],
)
def test_other_outcomes_change_nothing(outcome: Outcome) -> None:
    """A failure is no reason to go slower: the circuit is there for that."""
    throttle = Throttle(10.0, None, NOW_US)
    throttle.hear([outcome] * 5, NOW_US)
    assert 10.0 == throttle.view(NOW_US).limit


class TestSenders:
    """Each sender's own rate."""

    def test_a_sender_within_its_rate_passes(self) -> None:
        """And one without a limit always does."""
        assert NOW_US == SenderTurns(None, NOW_US).turn_at("Shop", 9)
        turns = SenderTurns(lambda _: Allowance(2.0, 1.0, 0), NOW_US)
        assert [NOW_US] * 2 == [turns.turn_at("Shop", 1) for _ in range(2)]
        assert {} == turns.put_off

    def test_beyond_it_each_message_gets_a_time_of_its_own(self) -> None:
        """Behind those that were put off before."""
        turns = SenderTurns(lambda _: Allowance(1.0, 2.0, NOW_US + 10 * SECOND_US), NOW_US)
        times = [turns.turn_at("Shop", 1) - NOW_US for _ in range(3)]
        assert [0, 10.5 * SECOND_US, 11 * SECOND_US] == times
        assert {"Shop": 2} == turns.put_off

    def test_what_a_throttle_allows_is_what_it_gave_out(self) -> None:
        """Tokens and queues by sender; another sender's are its own."""
        throttle = Throttle(None, 10.0, NOW_US)
        throttle.take_from_sender("Shop", 3, NOW_US)
        throttle.put_off("Shop", 20, NOW_US)
        allowances = throttle.allowances(NOW_US)
        assert allowances is not None
        assert Allowance(-2.0, 10.0, NOW_US + 2 * SECOND_US) == allowances("Shop")
        assert Allowance(1.0, 10.0, 0) == allowances("Other")

    def test_senders_are_forgotten_when_there_are_too_many(self) -> None:
        """The one that was silent longest first."""
        throttle = Throttle(None, 1.0, NOW_US)
        for number in range(SENDERS_MAX + 1):
            throttle.take_from_sender(str(number), 5, NOW_US)
        allowances = throttle.allowances(NOW_US)
        assert allowances is not None
        assert (1.0, -4.0) == (allowances("0").units, allowances("1").units)


@pytest.mark.parametrize(("limit", "expected"), [(None, [True, True]), (40.0, [False, True])])
def test_a_rate_that_is_hardly_one_is_told(limit: float | None, expected: list[bool]) -> None:
    """Once refusals alone came back: what waits is better off elsewhere, until the rate has grown back."""
    throttle = Throttle(limit, None, NOW_US)
    choked = []
    for second in range(2):
        throttle.hear([BUSY], NOW_US + second * SECOND_US)
        choked.append(throttle.choked(NOW_US + second * SECOND_US))
    assert expected == choked
    assert not throttle.choked(NOW_US + 12 * SECOND_US)
