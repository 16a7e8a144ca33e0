"""What follows from how a call went: retries, holds, and who wants an event."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.callback import (
    HOLD_AFTER_FAILURES,
    CallbackPolicy,
    DisabledFor,
    Failed,
    FollowedEvent,
    Gone,
    Health,
    Succeeded,
    Unattempted,
    Webhook,
    health_after,
    retry_at,
    wanted_by,
    webhook_header_id,
)
from broker.domain.lifecycle import Fact
from broker.domain.retry import RetryPolicy
from broker.domain.vocabulary import EventKind

NOW_US = 1_790_000_000_000_000
SECOND_US = 1_000_000
POLICY = CallbackPolicy(
    retry=RetryPolicy(base_s=5.0, cap_s=3_600.0), hold=RetryPolicy(base_s=5.0, cap_s=300.0)
)
FULL = 1.0


def after(*outcomes, chance=FULL):
    """An endpoint's health after these calls, all at once."""
    health = Health()
    for outcome in outcomes:
        health = health_after(health, outcome, POLICY, now_us=NOW_US, chance=chance)
    return health


def test_a_failure_now_and_then_holds_nobody_up() -> None:
    """A success in between, and they are forgotten."""
    failures = [Failed("5xx")] * (HOLD_AFTER_FAILURES - 1)
    assert Health(HOLD_AFTER_FAILURES - 1, 0) == after(*failures)
    assert not after(*failures).doubtful
    assert Health() == after(*failures, Succeeded())
    assert Health() == after(*failures, Gone())


def test_failures_in_a_row_hold_an_endpoint_longer_and_longer() -> None:
    """5 s, 10 s, 20 s … up to the cap."""
    row = [Failed("timeout")] * HOLD_AFTER_FAILURES
    holds = [after(*row, *[Failed("timeout")] * more).held_until_us - NOW_US for more in (0, 1, 2, 6, 60)]
    assert [5, 10, 20, 300, 300] == [held // SECOND_US for held in holds]
    assert after(*row).doubtful


def test_a_wish_of_the_endpoint_holds_it_at_once() -> None:
    """It speaks for itself, not for one callback."""
    assert Health(1, NOW_US + 77 * SECOND_US) == after(Failed("4xx", 77.0), chance=0.0)


def test_what_was_not_called_says_nothing_of_the_endpoint() -> None:
    """Neither good nor bad."""
    assert after(Failed("5xx")) == after(Failed("5xx"), Unattempted())


@given(st.integers(1, 100), st.floats(0, 1, exclude_max=True), st.none() | st.floats(0, 1e9))
def test_a_retry_comes_later_and_never_after_the_end(
    attempts: int, chance: float, retry_after_s: float | None
) -> None:
    """Whatever the endpoint wishes."""
    end_us = NOW_US + 86_400 * SECOND_US
    failure = Failed("5xx", retry_after_s)
    at_us = retry_at(POLICY, failure, attempts=attempts, expire_at_us=end_us, now_us=NOW_US, chance=chance)
    assert NOW_US <= at_us <= end_us


def webhook(webhook_id: int = 1, **changes) -> Webhook:
    """One for everything, with changes."""
    fields = {"url": "", "description": "", "kinds": (), "facts": (), "created_at_us": 0}
    return Webhook(webhook_id=webhook_id, account_id=1, **(fields | changes))


def event(sequence: int = 5, kind: EventKind = EventKind.MESSAGE, fact: Fact = Fact.DELIVERED):
    """An event of a log."""
    return FollowedEvent(sequence, 1, kind, fact, "")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, True),
        ({"facts": (Fact.DELIVERED,)}, True),
        ({"facts": (Fact.READ,)}, False),
        ({"kinds": (EventKind.MESSAGE,)}, True),
        ({"kinds": (EventKind.INBOUND,)}, False),
        ({"after_sequence": 4}, True),
        ({"after_sequence": 5}, False),
        ({"disabled_for": DisabledFor.GONE}, False),
    ],
)
def test_a_webhook_gets_what_it_asked_for(changes: dict, wanted: bool) -> None:
    """From when it was made, for as long as it is enabled."""
    assert ([1] if wanted else []) == wanted_by([webhook(**changes)], event())


def test_facts_narrow_events_about_messages_alone() -> None:
    """Another kind has no fact."""
    hooks = [webhook(1, facts=(Fact.READ,)), webhook(2)]
    assert [1, 2] == wanted_by(hooks, event(kind=EventKind.INBOUND))
    assert [2] == wanted_by(hooks, event())


def test_the_id_of_a_callback_is_that_of_its_event_and_endpoint() -> None:
    """The same for each attempt, and no other's; without a dot, which would shift what is signed."""
    ids = {webhook_header_id(a, s, w) for a in (1, 2) for s in (1, 12) for w in (0, 1, 2)}
    assert 12 == len(ids)
    assert not any("." in each or " " in each for each in ids)
