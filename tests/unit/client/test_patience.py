"""How long to go on after failures."""

from datetime import timedelta

import pytest

from waypost import InvalidArgument, Unavailable
from waypost.patience import PAUSE_S_FIRST, PAUSE_S_MAX, Patience

LOST = Unavailable("UNAVAILABLE", "UNAVAILABLE", "gone")
DRAINING = Unavailable("UNAVAILABLE", "DRAINING", "drains", (), timedelta(seconds=2))


def test_pauses_double_up_to_a_limit() -> None:
    """So that a broker that is down for long is not asked all the time."""
    patience = Patience(until=1e9, draw=lambda: 1.0)
    pauses = [patience.pause_s(LOST, 0) for _ in range(50)]
    assert [PAUSE_S_FIRST, 2 * PAUSE_S_FIRST, 4 * PAUSE_S_FIRST] == pauses[:3]
    assert [PAUSE_S_MAX] * 10 == pauses[-10:]


def test_pauses_are_drawn_from_nothing_to_their_limit() -> None:
    """Full jitter: who lost the broker together does not come back together."""
    assert 0 == Patience(until=1, draw=lambda: 0.0).pause_s(LOST, 0)


def test_a_pause_that_was_asked_for_comes_on_top() -> None:
    """Coming back earlier is of no use."""
    assert 2 + PAUSE_S_FIRST == Patience(until=10, draw=lambda: 1.0).pause_s(DRAINING, 0)


def test_what_will_not_change_is_not_repeated() -> None:
    """The error is raised at once."""
    error = InvalidArgument("INVALID_ARGUMENT", "INVALID_REQUEST", "no")
    with pytest.raises(InvalidArgument) as raised:
        Patience(until=10).pause_s(error, 0)
    assert error is raised.value


def test_a_pause_past_the_end_is_not_begun() -> None:
    """Its caller learns now what it would learn then."""
    with pytest.raises(Unavailable):
        Patience(until=2, draw=lambda: 0.0).pause_s(DRAINING, 0)


def test_after_an_answer_there_is_no_end() -> None:
    """A stream that once worked waits for its broker, and at first not long."""
    patience = Patience(until=1, draw=lambda: 1.0)
    patience.pause_s(LOST, 0)
    patience.rewarded()
    assert PAUSE_S_FIRST == patience.pause_s(LOST, 1_000_000)
