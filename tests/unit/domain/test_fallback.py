"""When a message goes on by its next channel, and when it ends."""

import pytest

from broker.domain.decision import Note
from broker.domain.encoding import Encoding
from broker.domain.fallback import PlannedWay, Standing, going_on, way_ends_at
from broker.domain.lifecycle import ENDS, MOVES, Fact, State, advance
from broker.domain.vocabulary import Channel, Reason

EMAIL = PlannedWay(Channel.EMAIL, "ada@example.com", ("mailer", "post"), 1, None)
SMS = PlannedWay(Channel.SMS, "+447700900123", ("texter",), 2, Encoding.GSM7)
NOW_US, LATER_US = 1_000, 10_000
FAILURES = {Fact.REFUSED_UPSTREAM, Fact.UNDELIVERED, Fact.EXHAUSTED}
OPEN_ENDS = {Fact.LAPSED, Fact.LOST}


def standing(*ahead: PlannedWay, after_us: int | None = None) -> Standing:
    """A message with these ways ahead, valid for some time."""
    return Standing(Channel.SMS, ahead, after_us, LATER_US)


@pytest.mark.parametrize("fact", Fact, ids=lambda each: each.name)
def test_only_what_fails_goes_on(fact: Fact) -> None:
    """Definite failures always, open ends where there is a time; nothing else does."""
    assert (fact in FAILURES) == (going_on(fact, Note(), standing(EMAIL), NOW_US) is not None)
    timed = going_on(fact, Note(), standing(EMAIL, after_us=10), NOW_US)
    assert (fact in FAILURES | OPEN_ENDS) == (timed is not None)


@pytest.mark.parametrize("state", set(State) - ENDS, ids=lambda each: each.name)
def test_a_message_can_go_on_wherever_it_can_fail(state: State) -> None:
    """Each state that one of these facts ends has a move for going on, and that is no end."""
    ends_by = {fact for fact in FAILURES | OPEN_ENDS if MOVES.get((state, fact)) in ENDS}
    assert ends_by
    assert not advance(state, Fact.CHANNEL_CHANGED).end


def test_the_event_says_why_and_what_is_next() -> None:
    """The reason of the failure with the provider's words, the channel before, and the next one's first candidate."""
    note = Note(Reason.REFUSED_BY_PROVIDER, "why", part=1, code="c", text="t")
    going = going_on(Fact.REFUSED_UPSTREAM, note, standing(EMAIL, SMS), NOW_US)
    assert going is not None
    expected = Note(
        Reason.REFUSED_BY_PROVIDER,
        "why",
        part=1,
        code="c",
        text="t",
        next_attempt_at_us=NOW_US,
        next_provider="mailer",
        previous_channel=Channel.SMS,
    )
    assert (EMAIL, expected, False, LATER_US) == (going.way, going.note, going.doubtful, going.until_us)


@pytest.mark.parametrize(("fact", "doubtful"), [(Fact.LAPSED, False), (Fact.LOST, True)])
def test_out_of_time_says_so(fact: Fact, doubtful: bool) -> None:
    """Whatever the way would have ended with; it is doubtful where a provider may have the message."""
    going = going_on(fact, Note(Reason.NO_RECEIPT), standing(EMAIL, after_us=10), NOW_US)
    assert going is not None
    assert (Reason.NOT_DELIVERED_IN_TIME, doubtful) == (going.note.reason, going.doubtful)


def test_nothing_ahead_is_the_end() -> None:
    """The last channel ends the message."""
    assert going_on(Fact.UNDELIVERED, Note(), standing(after_us=10), NOW_US) is None


@pytest.mark.parametrize(("now_us", "goes_on"), [(LATER_US - 1, True), (LATER_US, False)])
def test_validity_bounds_it(now_us: int, goes_on: bool) -> None:
    """Nothing is handed over once it has passed."""
    assert goes_on == (going_on(Fact.UNDELIVERED, Note(), standing(EMAIL), now_us) is not None)


@pytest.mark.parametrize(
    "reason",
    [Reason.ATTEMPTS_CRASHED, Reason.OPTED_OUT, Reason.OPTED_OUT_GLOBALLY],
    ids=lambda each: each.name,
)
def test_what_no_other_channel_mends_is_the_end(reason: Reason) -> None:
    """What kills the process, and what the recipient does not want."""
    note = Note(reason)
    assert going_on(Fact.EXHAUSTED, note, standing(EMAIL), NOW_US) is None


@pytest.mark.parametrize(
    ("after_us", "ahead", "expected"),
    [(None, 1, LATER_US), (10, 0, LATER_US), (10, 1, NOW_US + 10), (LATER_US, 1, LATER_US)],
    ids=["no time", "the last", "the time", "validity is sooner"],
)
def test_a_way_ends_in_time(after_us: int | None, ahead: int, expected: int) -> None:
    """After the caller's time where another is ahead, and never after the validity."""
    assert expected == way_ends_at(after_us, ahead, NOW_US, LATER_US)
