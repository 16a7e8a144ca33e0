"""Every state change of a message, as one table.

A message is always in one state. Something happens to it, a *fact*, and `advance` says what follows:
a move to a state, a note that leaves the state alone, or a refusal. Nothing else in the broker decides
a state, so this page is the whole truth about it and `docs/lifecycle.md` is drawn from it.

Four rules shape the table:

- An end is reached once. What a provider says afterwards is kept as a note (`LATE_RECEIPT`), and the
  state stays: a client that saw DELIVERED never sees it taken back.
- A message that goes on by another channel has not ended: what failed was one of its ways, and it is
  PROCESSING again. A delivery by a way that it left is one all the same.
- SENT is two states. Where a provider will report, it is a stage; where it never does, it is the end.
- A message whose provider may have taken it (an open attempt, a doubt) can be lost but never expire or
  be cancelled: both would claim to know that it was not sent. The store holds that knowledge, in the
  work that is due for the message, so the table allows EXPIRED from PROCESSING and the caller states
  the fact LAPSED only when no attempt is open.
"""

from enum import IntEnum

from broker.domain.value import value


class State(IntEnum):
    """Where a message stands. Numbers are stored, and equal those of `MessageStatus` but for SENT_FINAL."""

    ACCEPTED = 1
    SCHEDULED = 2
    PROCESSING = 3
    SENT = 4
    DELIVERED = 5
    SENDING_FAILED = 6
    DELIVERY_FAILED = 7
    REJECTED = 8
    EXPIRED = 9
    CANCELLED = 10
    UNKNOWN = 12
    SENT_FINAL = 104
    """SENT, of a provider that never reports: shown as SENT, and an end."""


class Fact(IntEnum):
    """What happened to a message. Numbers are stored, and equal those of `MessageFact`."""

    ACCEPTED = 1
    SCHEDULED = 2
    REFUSED = 3
    ATTEMPTED = 4
    HANDED_OVER = 5
    HANDED_OVER_UNTRACKED = 6
    DEFERRED = 7
    DOUBTED = 8
    REFUSED_UPSTREAM = 9
    EXHAUSTED = 10
    LAPSED = 11
    LOST = 12
    CANCELLED = 13
    DELIVERED = 14
    UNDELIVERED = 15
    PART_DELIVERED = 16
    LATE_RECEIPT = 17
    READ = 18
    CLICKED = 19
    PROGRESSED = 20
    REROUTED = 21
    DELETED = 22
    RECEIVED = 23
    CHANNEL_CHANGED = 24


ENDS = frozenset({
    State.DELIVERED,
    State.SENDING_FAILED,
    State.DELIVERY_FAILED,
    State.REJECTED,
    State.EXPIRED,
    State.CANCELLED,
    State.UNKNOWN,
    State.SENT_FINAL,
})

BIRTHS: dict[Fact, State] = {
    Fact.ACCEPTED: State.ACCEPTED,
    Fact.SCHEDULED: State.SCHEDULED,
    Fact.REFUSED: State.REJECTED,
    Fact.RECEIVED: State.DELIVERED,
}
"""How a message comes into being."""

MOVES: dict[tuple[State, Fact], State] = {
    (State.ACCEPTED, Fact.ATTEMPTED): State.PROCESSING,
    (State.ACCEPTED, Fact.REFUSED): State.REJECTED,
    (State.ACCEPTED, Fact.EXHAUSTED): State.SENDING_FAILED,
    (State.ACCEPTED, Fact.LAPSED): State.EXPIRED,
    (State.ACCEPTED, Fact.CANCELLED): State.CANCELLED,
    (State.SCHEDULED, Fact.ATTEMPTED): State.PROCESSING,
    (State.SCHEDULED, Fact.REFUSED): State.REJECTED,
    (State.SCHEDULED, Fact.EXHAUSTED): State.SENDING_FAILED,
    (State.SCHEDULED, Fact.LAPSED): State.EXPIRED,
    (State.SCHEDULED, Fact.CANCELLED): State.CANCELLED,
    (State.PROCESSING, Fact.ATTEMPTED): State.PROCESSING,
    (State.PROCESSING, Fact.DEFERRED): State.PROCESSING,
    (State.PROCESSING, Fact.DOUBTED): State.PROCESSING,
    (State.PROCESSING, Fact.HANDED_OVER): State.SENT,
    (State.PROCESSING, Fact.HANDED_OVER_UNTRACKED): State.SENT_FINAL,
    (State.PROCESSING, Fact.REFUSED_UPSTREAM): State.REJECTED,
    (State.PROCESSING, Fact.REFUSED): State.REJECTED,
    (State.PROCESSING, Fact.EXHAUSTED): State.SENDING_FAILED,
    (State.PROCESSING, Fact.LAPSED): State.EXPIRED,
    (State.PROCESSING, Fact.LOST): State.UNKNOWN,
    (State.PROCESSING, Fact.CANCELLED): State.CANCELLED,
    (State.PROCESSING, Fact.DELIVERED): State.DELIVERED,
    (State.PROCESSING, Fact.UNDELIVERED): State.DELIVERY_FAILED,
    (State.ACCEPTED, Fact.CHANNEL_CHANGED): State.ACCEPTED,
    (State.SCHEDULED, Fact.CHANNEL_CHANGED): State.SCHEDULED,
    (State.PROCESSING, Fact.CHANNEL_CHANGED): State.PROCESSING,
    (State.SENT, Fact.CHANNEL_CHANGED): State.PROCESSING,
    (State.SENT, Fact.DELIVERED): State.DELIVERED,
    (State.SENT, Fact.UNDELIVERED): State.DELIVERY_FAILED,
    (State.SENT, Fact.LOST): State.UNKNOWN,
}
"""The state that follows, for each fact that moves a message."""

NOTES = frozenset({
    Fact.PART_DELIVERED,
    Fact.LATE_RECEIPT,
    Fact.READ,
    Fact.CLICKED,
    Fact.PROGRESSED,
    Fact.REROUTED,
})
"""Facts that are kept as events and leave the state as it is, in every state."""

AFTERWARDS = frozenset({Fact.DELETED})
"""Facts that only befall a message that has ended, and leave its state as it is: DELETED is a flag beside it."""

RECEIPTS = frozenset({Fact.DELIVERED, Fact.UNDELIVERED, Fact.PART_DELIVERED, Fact.PROGRESSED})
"""Facts that a provider reports; after the end each becomes a LATE_RECEIPT."""


@value
class Step:
    """What follows from a fact: the state now, whether that is the end, and the fact as it is kept."""

    state: State
    fact: Fact
    end: bool


class IllegalMove(Exception):
    """The fact cannot happen to a message in this state."""

    def __init__(self, state: State, fact: Fact) -> None:
        self.state = state
        self.fact = fact
        super().__init__(f"{fact.name} cannot happen to a message that is {state.name}")


def begin(fact: Fact) -> Step:
    """How a message starts: ACCEPTED, SCHEDULED, or refused."""
    state = BIRTHS[fact]
    return Step(state, fact, state in ENDS)


def advance(state: State, fact: Fact) -> Step:
    """What follows when `fact` happens to a message in `state`.

    A receipt after the end becomes a LATE_RECEIPT note. Any other fact that the table does not list
    raises IllegalMove: the caller asked for something that cannot be.
    """
    step = _STEPS[state, fact]
    if step is None:
        raise IllegalMove(state, fact)
    return step


def _step(state: State, fact: Fact) -> Step | None:
    following = MOVES.get((state, fact))
    if following is not None:
        return Step(following, fact, following in ENDS)
    if state in ENDS and fact in RECEIPTS:
        return Step(state, Fact.LATE_RECEIPT, end=True)
    if fact in NOTES or (state in ENDS and fact in AFTERWARDS):
        return Step(state, fact, state in ENDS)
    return None


_STEPS = {(state, fact): _step(state, fact) for state in State for fact in Fact}
