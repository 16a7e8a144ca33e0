"""Verbs of broadcasts that an upstream runs: the intention to hand one over, what came of it, and its moves there.

Every write names the hand-over that it was decided by, and does nothing where that has changed meanwhile.
"""

from dataclasses import replace

from broker.domain.broadcast import FINAL, Broadcast, BroadcastState, Move, Place, Stage, move
from broker.domain.broadcast_told import told_of
from broker.domain.plan import Plan
from broker.domain.upstream_broadcast import TARGETS, HandOver, Phase, Turn, counted
from broker.domain.value import value
from broker.domain.vocabulary import EventKind
from broker.storage.acceptance import Acceptor, consented
from broker.storage.broadcast_rows import ACTIVE_PAGE, BroadcastRow, find_broadcast, row_of, running_at, save
from broker.storage.broadcasts import NoSuchBroadcast, NotMovable
from broker.storage.capping import CapCounts
from broker.storage.hand_overs import hand_over_of, put_hand_over, read_hand_over
from broker.storage.journal import Journal
from broker.storage.transaction import Transaction

_HAND_OVER_COLUMN = 28
"""Where a hand-over begins in the rows of the statement that reads both."""


@value
class Intention:
    """To hand a broadcast over to its upstream, now.

    `plan` has a message for each recipient; `rows` are their audiences and numbers, in the same order.
    """

    hand_over: HandOver
    at: Place
    plan: Plan
    rows: tuple[tuple[int, int], ...]


@value
class Noted:
    """What an upstream's answer led to. `before` is the hand-over that it was asked about."""

    before: HandOver
    turn: Turn
    now_us: int


@value
class Control:
    """A wish that an upstream is to be told. Until `until_us`, nobody else tells it another one."""

    account_id: int
    broadcast_id: int
    wish: Move
    until_us: int
    now_us: int


@value
class Undecided:
    """The upstream is being asked something about the broadcast, and has not answered."""


def read_upstream_broadcasts(tx: Transaction) -> list[tuple[BroadcastRow, HandOver | None]]:
    """All broadcasts that an upstream is to run, or runs, and that are to be looked after."""
    found: list[tuple[BroadcastRow, HandOver | None]] = []
    while True:
        after = found[-1][0].broadcast.broadcast_id if found else -1
        rows = tx.all("upstream_broadcasts_active", after=after, rows_max=ACTIVE_PAGE)
        for row in rows:
            own = row[_HAND_OVER_COLUMN:]
            found.append((row_of(row), None if own[0] is None else hand_over_of(own)))
        if len(rows) < ACTIVE_PAGE:
            return found


def waits_for_upstream(row: BroadcastRow) -> bool:
    """Whether all that is to be done for a broadcast is between the broker and its upstream."""
    if not row.broadcast.upstream_provider or row.broadcast.state in FINAL:
        return False
    if row.place.stage is Stage.HANDED_OVER:
        return True
    runs = row.broadcast.state is BroadcastState.RUNNING and row.released_to is None
    return runs and row.place.stage is Stage.EXPANDING


Intended = tuple[HandOver, frozenset[int]]


def intend_hand_overs(tx: Transaction, items: list[Intention]) -> list[Intended | None]:
    """Store each intention; answers it with the messages whose recipients are to be handed over.

    Recipients who are refused, or said STOP by now, become messages that are REJECTED, and are left out from then
    on. None: the broadcast was moved or handed over meanwhile. Nobody left: there is nothing to hand over.
    """
    return [_intend(tx, item) for item in items]


def _intend(tx: Transaction, item: Intention) -> Intended | None:
    own = item.hand_over
    row = running_at(tx, own.broadcast_id, item.at)
    stored = read_hand_over(tx, own.broadcast_id)
    if row is None or (stored is not None and stored.version != own.version):
        return None
    (plan,) = consented(tx, [item.plan])
    if own.attempts == 1:  # those who are handed over again have been counted
        plan = _capped(tx, plan)
    ends = [each.step.end for each in plan.messages]
    refused = tuple(message for message, end in zip(plan.messages, ends, strict=True) if end)
    if refused:
        acceptor = Acceptor(tx, plan.accepted_at_us)
        acceptor.add_messages(replace(plan, messages=refused))
        acceptor.flush()
        left_out = [place for place, end in zip(item.rows, ends, strict=True) if end]
        tx.bulk("insert_duplicates", [(own.broadcast_id, *place) for place in left_out])
    wanted = frozenset(
        message.message_id for message, end in zip(plan.messages, ends, strict=True) if not end
    )
    row.place = Place(Stage.HANDED_OVER if wanted else Stage.EXPANDED)
    save(tx, row)
    if wanted:
        own = put_hand_over(tx, replace(own, recipients=len(wanted)))
    return own, wanted


def _capped(tx: Transaction, plan: Plan) -> Plan:
    """The plan as the account's frequency cap allows it; those who are left count for it."""
    caps = CapCounts(tx, [plan])
    plan, dues = caps.held(plan)
    caps.count(plan, dues)
    caps.flush()
    return plan


def note_turns(tx: Transaction, items: list[Noted]) -> list[Broadcast | None]:
    """Store what answers led to: hand-over, state and counters, and say so; None where it has changed meanwhile."""
    journal = Journal(tx, items[0].now_us)
    answers = [_note(tx, journal, item) for item in items]
    journal.flush()
    return answers


def _note(tx: Transaction, journal: Journal, item: Noted) -> Broadcast | None:
    turn, own = item.turn, item.turn.hand_over
    stored = read_hand_over(tx, own.broadcast_id)
    row = find_broadcast(tx, own.account_id, own.broadcast_id)
    if row is None or stored is None or stored.version != item.before.version:
        return None
    before = row.broadcast
    progress = counted(before.progress, own, turn.seen)
    if turn.state in FINAL:
        progress = replace(progress, ended=progress.accepted)
    now = row.broadcast = replace(_moved(before, turn, item.now_us), progress=progress)
    row.active = True
    if before.state not in FINAL:
        row.place = Place(Stage.EXPANDING if own.phase is Phase.WAITING else Stage.HANDED_OVER)
    save(tx, row)
    put_hand_over(tx, own)
    if progress != before.progress:
        counts = (progress.accepted, progress.sent, progress.delivered, progress.failed, progress.ended)
        tx.bulk("put_upstream_counts", [(now.broadcast_id, *counts)])
    if now.state is not before.state or progress.mark != row.told:
        journal.tell(now.account_id, EventKind.BROADCAST, told_of(now, before.state))
        tx.bulk("mark_broadcasts_told", [(now.broadcast_id, progress.mark)])
    return now


def _moved(before: Broadcast, turn: Turn, now_us: int) -> Broadcast:
    """The broadcast where its upstream says it is."""
    ended_at_us = before.ended_at_us
    if turn.state in FINAL and ended_at_us is None:
        ended_at_us = (turn.seen and turn.seen.ended_at_us) or now_us
    return replace(
        before,
        state=turn.state,
        started_at_us=(turn.seen and turn.seen.started_at_us) or before.started_at_us,
        ended_at_us=ended_at_us,
        detail=turn.detail or before.detail,
    )


Controlling = tuple[HandOver, Broadcast] | NoSuchBroadcast | NotMovable | Undecided


def intend_controls(tx: Transaction, items: list[Control]) -> list[Controlling]:
    """Store each wish before its upstream is told; answers the hand-over with it, and the broadcast as it is."""
    return [_control(tx, item) for item in items]


def _control(tx: Transaction, item: Control) -> Controlling:
    row = find_broadcast(tx, item.account_id, item.broadcast_id)
    own = read_hand_over(tx, item.broadcast_id)
    if row is None or own is None:
        return NoSuchBroadcast()
    if own.phase is not Phase.TAKEN or (own.wish is not None and own.at_us > item.now_us):
        return Undecided()
    state = row.broadcast.state
    if item.wish not in TARGETS or move(state, item.wish, begun=True) is None:
        return NotMovable(state)
    return put_hand_over(tx, replace(own, wish=item.wish, at_us=item.until_us)), row.broadcast
