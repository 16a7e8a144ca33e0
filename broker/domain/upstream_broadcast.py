"""Broadcasts that an upstream runs: what it is given and asked, what it says, and what follows.

The intention to hand one over is stored before the upstream is called. What became of a call whose outcome was lost is
found out by asking alone: a broadcast is handed over again only where it was surely not taken. Times are
microseconds since 1970 UTC.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import IntEnum
from typing import Any

from broker.domain.broadcast import FINAL, Broadcast, BroadcastState, Move, Progress
from broker.domain.outcome import NotAccepted, Rejected, Unknown
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Traffic

LEAD_US = 300_000_000
"""A broadcast with a schedule_time is handed over so long before it, and starts at it."""

ATTEMPTS_MAX = 24
"""A broadcast that was not accepted is handed over so often at most."""

ASKS_MAX = 6
"""An upstream is asked so often what became of a broadcast that it may have taken."""

WORDS_CHARACTERS_MAX = 1_000
"""Of what an upstream says of a refusal."""

FIRST_PAUSE_US = 1_000_000
LONGEST_PAUSE_US = 300_000_000


@value
class BroadcastRecipient:
    """One recipient of a broadcast, and what the recipient is told: the channel's document, as in OutboundMessage."""

    recipient: str
    content: Mapping[str, Any]


@value
class BroadcastOrder:
    """A broadcast for an upstream to run, whole. Nobody among its recipients has opted out.

    `idempotency_key` is the same for every attempt at it. `sender` is empty where the upstream decides.
    `schedule_at_us`: when it starts; None: at once.
    """

    broadcast_id: str
    idempotency_key: str
    name: str
    channel: Channel
    sender: str
    traffic: Traffic
    recipients: tuple[BroadcastRecipient, ...]
    schedule_at_us: int | None


@value
class BroadcastQuestion:
    """A broadcast that an upstream is asked about. `upstream_id` is empty where its answer was lost."""

    upstream_id: str
    idempotency_key: str
    handed_over_at_us: int


@value
class UpstreamBroadcast:
    """How a broadcast stands upstream. Counts and times are None where the upstream does not say them.

    A state that a plugin does not know is UNKNOWN: it changes nothing. An empty `upstream_id`: the one that it
    was asked by.
    """

    upstream_id: str
    state: BroadcastState
    expected: int | None = None
    sent: int | None = None
    delivered: int | None = None
    failed: int | None = None
    started_at_us: int | None = None
    ended_at_us: int | None = None


@value
class BroadcastMoved:
    """The upstream did what it was asked to do to a broadcast."""


Taken = UpstreamBroadcast | Rejected | NotAccepted | Unknown
"""What `broadcast_create` answers."""

Found = UpstreamBroadcast | NotAccepted | Unknown
"""What `broadcast_get` answers; NotAccepted: the upstream has no such broadcast, and never got it."""

Controlled = BroadcastMoved | Rejected | NotAccepted | Unknown
"""What the other calls answer."""


class Phase(IntEnum):
    """How far the hand-over of a broadcast is. Numbers are stored."""

    CALLING = 1
    """The intention is stored; the call is open, or its process died."""
    DOUBTED = 2
    """It may have been taken: the upstream is asked."""
    WAITING = 3
    """It was surely not taken, and is handed over again."""
    TAKEN = 4
    """The upstream has it, under an id."""
    OVER = 5
    """It is not handed over any more."""


WITH_UPSTREAM = frozenset({Phase.CALLING, Phase.DOUBTED, Phase.TAKEN})
"""The upstream has the broadcast, or may have it."""


@value
class HandedOver:
    """An upstream has the broadcast, or may have it: it is moved there."""


@value
class HandOver:
    """A broadcast's hand-over as it is stored. `at_us` is when something is to be done next.

    `wish` is what the upstream was last asked to do to it, until its answer is stored. `version` grows with each change
    of what is stored.
    """

    broadcast_id: int
    account_id: int
    provider: str
    phase: Phase
    upstream_id: str
    recipients: int
    attempts: int
    asks: int
    handed_over_at_us: int
    at_us: int
    wish: Move | None = None
    version: int = 0


@value
class Turn:
    """What an answer leads to: the hand-over after it, the broadcast's state, and why where it ended by that."""

    hand_over: HandOver
    state: BroadcastState
    detail: str = ""
    seen: UpstreamBroadcast | None = None


TARGETS: Mapping[Move, BroadcastState] = {
    Move.SUSPEND: BroadcastState.SUSPENDED,
    Move.RESUME: BroadcastState.RUNNING,
    Move.STOP: BroadcastState.STOPPED,
    Move.DELETE: BroadcastState.DELETED,
}
"""What an upstream can be asked to do, and where the broadcast stands when it did."""


def begins_at_us(broadcast: Broadcast) -> int:
    """When the broker begins with a broadcast that is scheduled: one that an upstream runs needs some time before."""
    if broadcast.schedule_at_us is None:
        return 0
    return broadcast.schedule_at_us - (LEAD_US if broadcast.upstream_provider else 0)


def after_call(
    own: HandOver, now: Broadcast, answer: Taken, now_us: int, doubt_us: int = FIRST_PAUSE_US
) -> Turn:
    """What follows from the answer to a hand-over. Where it is in doubt, the first question comes after `doubt_us`."""
    match answer:
        case UpstreamBroadcast():
            return _taken(own, now, answer, now_us, doubt_us)
        case Rejected(_, code, text):
            words = " ".join(filter(None, (code, text)))[:WORDS_CHARACTERS_MAX]
            why = f"{own.provider} refused it: {words or 'it does not say why'}"
            return Turn(replace(own, phase=Phase.OVER), BroadcastState.STOPPED, why)
        case NotAccepted(retry_after_s):
            return _again(own, now, retry_after_s, now_us)
        case Unknown():
            asked = replace(own, phase=Phase.DOUBTED, asks=0, at_us=now_us + doubt_us)
            return Turn(asked, now.state)


def after_question(
    own: HandOver,
    now: Broadcast,
    answer: Found,
    now_us: int,
    poll_us: int,
    doubt_us: int = FIRST_PAUSE_US,
) -> Turn:
    """What follows from what an upstream says when it is asked. In doubt each pause is twice the one before."""
    match answer:
        case UpstreamBroadcast() if own.phase is Phase.TAKEN:
            state = followed(now.state, answer.state)
            return Turn(replace(own, at_us=now_us + poll_us, wish=None), state, seen=answer)
        case UpstreamBroadcast():
            return _taken(own, now, answer, now_us, doubt_us)
        case NotAccepted() if own.phase is Phase.TAKEN:
            gone = replace(own, phase=Phase.OVER, wish=None)
            return Turn(gone, BroadcastState.STOPPED, f"{own.provider} does not know it any more")
        case NotAccepted(retry_after_s):
            return _again(own, now, retry_after_s, now_us)
        case Unknown() if own.phase is Phase.TAKEN:
            return Turn(replace(own, at_us=now_us + poll_us), now.state)
        case Unknown():
            return _still_in_doubt(own, now, now_us, doubt_us)


def followed(state: BroadcastState, upstream: BroadcastState) -> BroadcastState:
    """Where a broadcast stands once its upstream says where: what has ended stays so."""
    if state in FINAL or upstream is BroadcastState.UNKNOWN:
        return state
    return upstream


def counted(now: Progress, own: HandOver, seen: UpstreamBroadcast | None) -> Progress:
    """The counters with what the upstream counts: each only grows."""
    if own.phase is not Phase.TAKEN:
        return now
    accepted = max(now.accepted, own.recipients)
    if seen is None:
        return replace(now, accepted=accepted)
    return replace(
        now,
        accepted=accepted,
        sent=max(now.sent, seen.sent or 0),
        delivered=max(now.delivered, seen.delivered or 0),
        failed=max(now.failed, seen.failed or 0),
    )


def _taken(own: HandOver, now: Broadcast, answer: UpstreamBroadcast, now_us: int, doubt_us: int) -> Turn:
    if not answer.upstream_id:
        return _still_in_doubt(own, now, now_us, doubt_us)
    taken = replace(own, phase=Phase.TAKEN, upstream_id=answer.upstream_id, at_us=now_us)
    return Turn(taken, followed(now.state, answer.state), seen=answer)


def _again(own: HandOver, now: Broadcast, retry_after_s: float | None, now_us: int) -> Turn:
    if own.attempts >= ATTEMPTS_MAX:
        why = f"{own.provider} did not take it in {own.attempts} attempts"
        return Turn(replace(own, phase=Phase.OVER), BroadcastState.STOPPED, why)
    pause_us = max(_pause_us(own.attempts), round((retry_after_s or 0) * 1_000_000))
    return Turn(replace(own, phase=Phase.WAITING, at_us=now_us + pause_us), now.state)


def _still_in_doubt(own: HandOver, now: Broadcast, now_us: int, doubt_us: int) -> Turn:
    asks = own.asks + 1
    if asks >= ASKS_MAX:
        why = f"nobody can tell whether {own.provider} took it; it is not handed over again"
        return Turn(replace(own, phase=Phase.OVER, asks=asks), BroadcastState.UNKNOWN, why)
    doubted = replace(own, phase=Phase.DOUBTED, asks=asks, at_us=now_us + _pause_us(asks, doubt_us))
    return Turn(doubted, now.state)


def _pause_us(times: int, first_us: int = FIRST_PAUSE_US) -> int:
    return int(min(LONGEST_PAUSE_US, first_us << min(times, 16)))
