"""The table of moves: whole, closed, and the same as what clients read."""

from collections import defaultdict
from itertools import product

import pytest

from broker.domain.lifecycle import (
    AFTERWARDS,
    BIRTHS,
    ENDS,
    MOVES,
    NOTES,
    RECEIPTS,
    Fact,
    IllegalMove,
    State,
    Step,
    advance,
    begin,
)
from waypost.v1 import status_pb2

PAIRS = list(product(State, Fact))
LIVE = [state for state in State if state not in ENDS]


def name(value: State | Fact) -> str:
    """A member as a test id."""
    return value.name


def reachable_from(states: set[State]) -> set[State]:
    """The states themselves and all that moves lead to."""
    following = defaultdict(set)
    for (state, _), after in MOVES.items():
        following[state].add(after)
    reached: set[State] = set()
    while states:
        reached |= states
        states = {after for state in states for after in following[state]} - reached
    return reached


@pytest.mark.parametrize(("state", "fact"), PAIRS, ids=name)
def test_every_fact_in_every_state_moves_or_is_noted_or_is_refused(state: State, fact: Fact) -> None:
    """The three answers, from the literal tables; nothing else decides."""
    if (state, fact) in MOVES:
        following = MOVES[state, fact]
        assert Step(following, fact, following in ENDS) == advance(state, fact)
    elif state in ENDS and fact in RECEIPTS:
        assert Step(state, Fact.LATE_RECEIPT, end=True) == advance(state, fact)
    elif fact in NOTES or (state in ENDS and fact in AFTERWARDS):
        assert Step(state, fact, state in ENDS) == advance(state, fact)
    else:
        with pytest.raises(IllegalMove) as refusal:
            advance(state, fact)
        assert (state, fact) == (refusal.value.state, refusal.value.fact)


@pytest.mark.parametrize(("state", "fact"), [(s, f) for s, f in PAIRS if s in ENDS], ids=name)
def test_no_fact_leads_out_of_an_end(state: State, fact: Fact) -> None:
    """A client that saw an end never sees it taken back."""
    try:
        assert (state, True) == (advance(state, fact).state, advance(state, fact).end)
    except IllegalMove:
        assert fact not in RECEIPTS | NOTES


@pytest.mark.parametrize(("state", "fact"), list(product(State, RECEIPTS | NOTES)), ids=name)
def test_evidence_is_kept_whenever_it_comes(state: State, fact: Fact) -> None:
    """A report is not refused for being late, but a delivery before any attempt cannot be."""
    delivered = {Fact.DELIVERED, Fact.UNDELIVERED}
    if state in {State.ACCEPTED, State.SCHEDULED} and fact in delivered:
        with pytest.raises(IllegalMove):
            advance(state, fact)
    else:
        assert isinstance(advance(state, fact), Step)


@pytest.mark.parametrize("state", ENDS, ids=name)
def test_a_receipt_after_the_end_is_a_late_receipt(state: State) -> None:
    """Also one that says the same again: the end is told once."""
    late = {fact: Step(state, Fact.LATE_RECEIPT, end=True) for fact in RECEIPTS}
    assert late == {fact: advance(state, fact) for fact in RECEIPTS}


@pytest.mark.parametrize("state", State, ids=name)
def test_every_state_can_be_reached(state: State) -> None:
    """From a birth, by moves."""
    assert state in reachable_from(set(BIRTHS.values()))


@pytest.mark.parametrize("state", LIVE, ids=name)
def test_every_state_that_is_no_end_leads_to_one(state: State) -> None:
    """Nothing can stay under way for ever."""
    assert ENDS & reachable_from({state})


@pytest.mark.parametrize("state", LIVE, ids=name)
def test_time_alone_ends_every_message(state: State) -> None:
    """Past its validity a message is EXPIRED where it surely was not sent, and UNKNOWN where it may have been."""
    ends = {MOVES[state, fact] for fact in (Fact.LAPSED, Fact.LOST) if (state, fact) in MOVES}
    assert ends
    assert ends <= {State.EXPIRED, State.UNKNOWN}


@pytest.mark.parametrize("fact", Fact, ids=name)
def test_every_fact_has_a_use(fact: Fact) -> None:
    """Each begins a message, moves one or is noted."""
    assert fact in BIRTHS or fact in NOTES | AFTERWARDS or any(fact is moving for _, moving in MOVES)


def test_moves_and_notes_do_not_overlap() -> None:
    """A note never moves a message."""
    assert set() == (NOTES | AFTERWARDS) & {fact for _, fact in MOVES}


def test_ends_have_no_moves() -> None:
    """By the table itself."""
    assert set() == ENDS & {state for state, _ in MOVES}


@pytest.mark.parametrize("fact", BIRTHS, ids=name)
def test_a_message_begins_where_the_table_says(fact: Fact) -> None:
    """Accepted and scheduled live; refused is an end from the start."""
    state = BIRTHS[fact]
    assert Step(state, fact, state in ENDS) == begin(fact)


@pytest.mark.parametrize("fact", [fact for fact in Fact if fact not in BIRTHS], ids=name)
def test_nothing_else_begins_a_message(fact: Fact) -> None:
    """A fact about a message needs the message; to ask is a defect of the caller."""
    with pytest.raises(KeyError):
        begin(fact)


@pytest.mark.parametrize("state", [state for state in State if state is not State.SENT_FINAL], ids=name)
def test_a_states_number_is_that_of_its_message_status(state: State) -> None:
    """What is stored can be shown without a table."""
    assert status_pb2.MessageStatus.Value(f"MESSAGE_STATUS_{state.name}") == state.value


def test_statuses_without_a_state_are_known() -> None:
    """UNSPECIFIED is never sent, and DELETED is a flag beside the state."""
    unmatched = set(status_pb2.MessageStatus.values()) - {state.value for state in State}
    assert {status_pb2.MESSAGE_STATUS_UNSPECIFIED, status_pb2.MESSAGE_STATUS_DELETED} == unmatched


def test_the_final_kind_of_sent_is_sent_plus_100() -> None:
    """The one number that clients never see."""
    assert (State.SENT + 100, False) == (
        State.SENT_FINAL.value,
        State.SENT_FINAL.value in status_pb2.MessageStatus.values(),
    )


def test_facts_are_the_message_facts() -> None:
    """Names and numbers, both ways."""
    facts = {f"MESSAGE_FACT_{fact.name}": fact.value for fact in Fact}
    assert dict(status_pb2.MessageFact.items()) == facts | {"MESSAGE_FACT_UNSPECIFIED": 0}
