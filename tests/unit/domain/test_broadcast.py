"""What a broadcast allows, how fast it goes, and by what two of its recipients are the same."""

import pytest

from broker.domain.broadcast import (
    CATCH_UP_US,
    FINAL,
    AddressKind,
    BroadcastState,
    Move,
    Pace,
    duplicate_kinds,
    move,
)
from broker.domain.submission import Content
from broker.domain.vocabulary import Channel
from broker.testing.builders import NOW_US, SECOND_US, submission

S, M = BroadcastState, Move

ALLOWED = {
    S.DRAFT: {M.EDIT, M.START, M.DELETE},
    S.SCHEDULED: {M.EDIT, M.START, M.BEGIN, M.SUSPEND, M.STOP, M.DELETE},
    S.RUNNING: {M.SUSPEND, M.STOP, M.COMPLETE, M.DELETE},
    S.SUSPENDED: {M.RESUME, M.STOP, M.DELETE},
    S.STOPPED: {M.DELETE},
    S.COMPLETED: {M.DELETE},
    S.DELETED: set(),
    S.UNKNOWN: {M.DELETE},
}


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("wish", M)
def test_each_state_allows_its_moves_and_no_other(state: BroadcastState, wish: Move) -> None:
    """Every pair of state and move."""
    assert (wish in ALLOWED[state]) == (move(state, wish) is not None)


def test_nothing_leads_out_of_an_end_but_deletion() -> None:
    """And deletion leads nowhere else."""
    found = {move(state, wish) for state in FINAL for wish in M}
    assert {None, S.DELETED} == found


def test_a_draft_waits_for_its_time_or_runs_at_once() -> None:
    """As its time has come or not."""
    assert (S.SCHEDULED, S.RUNNING) == (move(S.DRAFT, M.START, ahead=True), move(S.DRAFT, M.START))


def test_what_was_held_before_it_began_waits_again() -> None:
    """And what had begun runs, whatever its time was."""
    assert S.SCHEDULED is move(S.SUSPENDED, M.RESUME, begun=False, ahead=True)
    assert S.RUNNING is move(S.SUSPENDED, M.RESUME, begun=True, ahead=True)


@pytest.mark.parametrize("per_minute", [1, 7, 60, 599, 10_000, 123_456])
def test_a_pace_is_exact_over_five_minutes(per_minute: int) -> None:
    """Looked at every 100 ms, never more than one message ahead of it, and within 2 % at the end."""
    pace = Pace(per_minute, NOW_US, 0)
    for step in range(3_001):
        now_us = NOW_US + step * SECOND_US // 10
        pace = pace.caught_up(now_us)
        pace = Pace(per_minute, pace.since_us, pace.done + pace.room(now_us))
        assert pace.done <= (now_us - NOW_US) * per_minute / (60 * SECOND_US) + 1
    assert abs(pace.done - 5 * per_minute) <= max(1, 0.02 * 5 * per_minute)


@pytest.mark.parametrize("per_minute", [1, 60, 1_000_000])
def test_the_next_message_of_a_pace_has_room_at_its_time_and_not_before(per_minute: int) -> None:
    """A microsecond makes the difference."""
    pace = Pace(per_minute, NOW_US, 42)
    at_us = pace.next_at_us()
    assert (0, 1) == (pace.room(at_us - 1), pace.room(at_us))


def test_lost_time_is_made_up_for_only_a_little() -> None:
    """After an hour without messages the pace goes on from there, without a burst."""
    pace = Pace(600, NOW_US, 0)
    assert pace is pace.caught_up(NOW_US + CATCH_UP_US)
    assert 1 == pace.caught_up(NOW_US + 3_600 * SECOND_US).room(NOW_US + 3_600 * SECOND_US)


def test_recipients_are_the_same_by_the_address_that_is_used_first() -> None:
    """In the caller's order of channels, or else that of the content."""
    both = Content({Channel.EMAIL: {"text": "a"}, Channel.SMS: {"text": "a"}})
    phone, email, device = AddressKind
    assert (phone, email, device) == duplicate_kinds(submission(content=both))
    mailed = submission(content=both, channels=(Channel.EMAIL, Channel.SMS))
    assert (email, phone, device) == duplicate_kinds(mailed)
