"""Circuits: when they open, how long, and what closes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.health import Circuit, CircuitState, HealthPolicy, is_good
from broker.domain.outcome import Accepted, NotAccepted, Outcome, Rejected, Unknown

NOW_US = 1_790_000_000_000_000
SECOND_US = 1_000_000
POLICY = HealthPolicy()
CLOSED, HALF_OPEN, OPEN = CircuitState.CLOSED, CircuitState.HALF_OPEN, CircuitState.OPEN


def opened(now_us: int = NOW_US) -> Circuit:
    """A circuit that has just opened."""
    circuit = Circuit(POLICY, now_us)
    assert circuit.observe([False] * POLICY.bad_in_row_max, 0.1, now_us)
    return circuit


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (Accepted(), True),
        (Rejected(), True),
        (NotAccepted(), False),
        (NotAccepted(code="503"), False),
        (NotAccepted(code="429"), None),
        (NotAccepted(retry_after_s=1.0), None),
        (Unknown(), False),
        (NotAccepted(about_message=True), None),
        (Unknown(about_message=True), None),
    ],
)
def test_an_outcome_speaks_for_or_against_its_provider(outcome: Outcome, verdict: bool | None) -> None:
    """Who says no to a message works; who says that it was too much works as well, but not now."""
    assert verdict is is_good(outcome)


def test_it_opens_after_fifty_bad_outcomes_in_a_row_at_the_latest() -> None:
    """Also where all are about messages that it refused before, which do not count in the share."""
    circuit = Circuit(POLICY, NOW_US)
    opened_at = [
        circuit.observe([False], 0.1, NOW_US + number, repeated_bad=1) for number in range(1, 51)
    ].index(True)
    assert (49, OPEN) == (opened_at, circuit.state)


def test_one_good_outcome_begins_the_row_anew() -> None:
    """Few outcomes in all are no reason."""
    policy = HealthPolicy(bad_in_row_max=5)
    circuit = Circuit(policy, NOW_US)
    for verdicts in ([False] * 4, [True], [False] * 4, [None], [True, False]):
        assert not circuit.observe(verdicts, 0.1, NOW_US)
    assert circuit.observe([False, False, False, False], 0.1, NOW_US)


@pytest.mark.parametrize(("good", "bad", "state"), [(10, 9, CLOSED), (10, 10, CLOSED), (10, 11, OPEN)])
def test_it_opens_when_more_than_half_of_a_minute_was_bad(good: int, bad: int, state: CircuitState) -> None:
    """With at least twenty outcomes to judge by."""
    circuit = Circuit(POLICY, NOW_US)
    verdicts = [True] * (good - bad + 1) + [False, True] * (bad - 1) + [False]
    for number, verdict in enumerate(verdicts if good >= bad else [True, False] * good + [False]):
        circuit.observe([verdict], 0.1, NOW_US + number)
    assert state == circuit.state


def test_what_was_bad_more_than_a_minute_ago_is_over() -> None:
    """The window moves on."""
    circuit = Circuit(POLICY, NOW_US)
    circuit.observe([False] * 19, 0.1, NOW_US)
    assert not circuit.observe([False, True], 0.1, NOW_US + 66 * SECOND_US)
    assert 0.5 == circuit.view(NOW_US + 66 * SECOND_US).success_rate


def test_an_open_circuit_takes_nothing_until_it_is_probed() -> None:
    """After its time it takes a few messages, less those that are with it."""
    circuit = opened()
    until_us = NOW_US + 5 * SECOND_US
    assert (0, until_us) == (circuit.room(0), circuit.open_until_us)
    assert not circuit.tick(until_us - 1)
    assert circuit.tick(until_us)
    assert (HALF_OPEN, 5, 2, 0) == (circuit.state, circuit.room(0), circuit.room(3), circuit.room(9))


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [
        ([True] * 3, CLOSED),
        ([False, True, True, True], CLOSED),
        ([False] * 3, OPEN),
        ([True, False, False, False], OPEN),
        ([True, True, False, False], HALF_OPEN),
        ([None] * 9, HALF_OPEN),
    ],
)
def test_most_of_the_probes_decide(verdicts: list[bool | None], state: CircuitState) -> None:
    """Three of five; what says nothing does not count."""
    circuit = opened()
    circuit.tick(NOW_US + 5 * SECOND_US)
    for verdict in verdicts:
        circuit.observe([verdict], 0.1, NOW_US + 6 * SECOND_US)
    assert state == circuit.state


def test_each_time_it_stays_open_twice_as_long() -> None:
    """Up to the cap."""
    circuit, now_us, waits = opened(), NOW_US, []
    for _ in range(9):
        waits.append((circuit.open_until_us - now_us) // SECOND_US)
        now_us = circuit.open_until_us
        circuit.tick(now_us)
        circuit.observe([False] * 3, 0.1, now_us)
    assert [5, 10, 20, 40, 80, 160, 300, 300, 300] == waits


def test_a_circuit_that_worked_for_a_while_begins_anew() -> None:
    """And one that did not goes on doubling."""
    for closed_s, open_s in ((10, 10), (61, 5)):
        circuit = opened()
        now_us = circuit.open_until_us
        circuit.tick(now_us)
        circuit.observe([True] * 3, 0.1, now_us)
        now_us += closed_s * SECOND_US
        circuit.observe([False] * 50, 0.1, now_us)
        assert open_s * SECOND_US == circuit.open_until_us - now_us


def test_outcomes_of_calls_that_were_under_way_do_not_move_an_open_circuit() -> None:
    """They began before it opened."""
    circuit = opened()
    assert not circuit.observe([True] * 100, 0.1, NOW_US + 1)
    assert not circuit.observe([False] * 100, 0.1, NOW_US + 1)
    assert NOW_US + 5 * SECOND_US == circuit.open_until_us


def test_the_penalty_follows_what_was_bad_and_fades() -> None:
    """A perfect provider has none but for its slowness; the worst has nearly one."""
    circuit = Circuit(POLICY, NOW_US)
    assert 0.0 == circuit.penalty(NOW_US)
    circuit.observe([True] * 10, 0.0, NOW_US)
    assert 0.0 == circuit.penalty(NOW_US)
    circuit.observe([False] * 10, 0.0, NOW_US)
    assert 1 / 3 == circuit.penalty(NOW_US)
    assert 0.0 == circuit.penalty(NOW_US + 66 * SECOND_US)
    circuit.observe([True], 1_000.0, NOW_US + 66 * SECOND_US)
    circuit.observe([True], 1_000.0, NOW_US + 66 * SECOND_US)
    circuit.observe([True], 1_000.0, NOW_US + 66 * SECOND_US)
    assert 0.2 == circuit.penalty(NOW_US + 66 * SECOND_US)


def test_the_view_tells_latencies() -> None:
    """The middle one, and the one that few are above; nothing before the first call."""
    circuit = Circuit(POLICY, NOW_US)
    before = circuit.view(NOW_US)
    assert (None, None, None) == (before.success_rate, before.latency_p50_s, before.latency_p95_s)
    for number in range(100):
        circuit.observe([True], number / 100, NOW_US)
    view = circuit.view(NOW_US)
    assert (0.5, 0.95, 1.0) == (view.latency_p50_s, view.latency_p95_s, view.success_rate)


def test_a_restart_goes_on_where_it_was() -> None:
    """Open until the same time; the outcomes of the last minute still count."""
    before = opened()
    after = Circuit(POLICY, NOW_US + SECOND_US)
    after.restore(before.record(NOW_US), NOW_US + SECOND_US)
    assert (OPEN, NOW_US + 5 * SECOND_US, NOW_US) == (after.state, after.open_until_us, after.since_us)
    assert 0.0 == after.view(NOW_US + SECOND_US).success_rate
    after.tick(after.open_until_us)
    after.observe([False] * 3, 0.1, NOW_US + 6 * SECOND_US)
    assert 10 * SECOND_US == after.open_until_us - (NOW_US + 6 * SECOND_US)


def test_a_clock_that_was_wrong_does_not_keep_a_circuit_open() -> None:
    """Never longer than the cap from the restart on."""
    before = opened(NOW_US + 10**12)
    after = Circuit(POLICY, NOW_US)
    after.restore(before.record(NOW_US + 10**12), NOW_US)
    assert NOW_US + 300 * SECOND_US == after.open_until_us


VERDICTS = st.lists(st.sampled_from([True, False, None]), max_size=60)


@given(st.lists(st.tuples(st.integers(0, 20), VERDICTS), max_size=40))
def test_a_circuit_always_gets_another_chance(steps: list[tuple[int, list[bool | None]]]) -> None:
    """Whatever happened: a closed one takes any number, and an open one is probed within the cap."""
    circuit, now_us = Circuit(POLICY, NOW_US), NOW_US
    for wait_s, verdicts in steps:
        now_us += wait_s * SECOND_US
        before = circuit.state
        changed = circuit.tick(now_us) + circuit.observe(verdicts, 0.1, now_us)
        assert changed or before is circuit.state
        assert (circuit.state is CLOSED) == (circuit.room(0) is None)
        if circuit.state is OPEN:
            assert now_us < circuit.open_until_us <= now_us + 300 * SECOND_US
