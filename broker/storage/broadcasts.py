"""Verbs of broadcasts: make, change and move them, and look after those that go on."""

from collections.abc import Sequence
from dataclasses import replace

from broker.domain.broadcast import (
    FINAL,
    HELD,
    Broadcast,
    BroadcastState,
    Move,
    Place,
    Stage,
    move,
)
from broker.domain.broadcast_told import told_of
from broker.domain.lifecycle import State
from broker.domain.plan import Plan
from broker.domain.submission import Result
from broker.domain.upstream_broadcast import HandedOver, begins_at_us
from broker.domain.value import value
from broker.domain.vocabulary import EventKind
from broker.storage.acceptance import Acceptance, Remembered, Repeated, Reused
from broker.storage.broadcast_rows import BroadcastRow, find_broadcast, new_columns, read_rows, save
from broker.storage.hand_overs import is_with_upstream
from broker.storage.holding import Release, cancel_unsent, release
from broker.storage.journal import Journal
from broker.storage.transaction import Transaction
from broker.storage.uploads import UploadState, read_upload


@value
class NewBroadcast:
    """A broadcast to make. `plan` is its submission without a message, by which its request_id is remembered."""

    broadcast: Broadcast
    request: bytes
    plan: Plan
    remember_us: int


@value
class Edit:
    """Another request for a broadcast that has not begun: `broadcast` has the new name, time, pace and upload."""

    broadcast: Broadcast
    request: bytes


@value
class Wanted:
    """A move of a broadcast of an account."""

    account_id: int
    broadcast_id: int
    move: Move
    now_us: int


@value
class NoSuchBroadcast:
    """The account has no such broadcast."""


@value
class UploadGone:
    """The upload that it was to go to is there no more."""


@value
class NotMovable:
    """In this state the move cannot be."""

    state: BroadcastState


def make_broadcasts(tx: Transaction, items: list[NewBroadcast]) -> list[Broadcast | Reused | UploadGone]:
    """Store each broadcast; a repeated request gets the broadcast that it made, as it is now."""
    remembered = Remembered(tx, [Acceptance(item.plan, item.remember_us) for item in items])
    journal = Journal(tx, items[0].broadcast.created_at_us)
    answers: list[Broadcast | Reused | UploadGone | int] = []
    for item in items:
        earlier = remembered.find(item.plan)
        if isinstance(earlier, Repeated):
            answers.append(_remembered_id(earlier.results))
        elif isinstance(earlier, Reused):
            answers.append(earlier)
        elif not _has_its_upload(tx, item.broadcast):
            answers.append(UploadGone())
        else:
            made = item.broadcast
            remembered.add(Acceptance(item.plan, item.remember_us), _as_results(made))
            tx.bulk("insert_broadcasts", [new_columns(made)])
            tx.bulk("insert_broadcast_requests", [(made.broadcast_id, item.request)])
            tx.bulk(
                "insert_broadcast_counts",
                [(made.broadcast_id, made.progress.expected, 0, 0, 0, 0, 0, 0, 0, 0)],
            )
            _tell(journal, made, made.state)
            answers.append(made)
    remembered.flush()
    journal.flush()
    again = read_rows(tx, [each for each in answers if isinstance(each, int)])
    return [again[each].broadcast if isinstance(each, int) else each for each in answers]


def _has_its_upload(tx: Transaction, wish: Broadcast) -> bool:
    """Whether the upload that it goes to, if any, is still there."""
    upload = None if wish.upload_id is None else read_upload(tx, wish.account_id, wish.upload_id)
    return wish.upload_id is None or (upload is not None and upload.state is UploadState.USABLE)


def _as_results(made: Broadcast) -> tuple[Result, ...]:
    """What is remembered of a broadcast, in the shape of what is remembered of a submission: its id."""
    return (Result(0, made.broadcast_id, State.ACCEPTED, "", None, made.created_at_us),)


def _remembered_id(results: Sequence[Result]) -> int:
    (result,) = results
    if result.message_id is None:
        raise AssertionError("a broadcast was remembered without its id")
    return result.message_id


def read_broadcast_made(tx: Transaction, results: Sequence[Result]) -> Broadcast | None:
    """The broadcast that a remembered request made."""
    found = read_rows(tx, [_remembered_id(results)])
    return next((row.broadcast for row in found.values()), None)


def edit_broadcasts(
    tx: Transaction, items: list[Edit]
) -> list[Broadcast | NoSuchBroadcast | NotMovable | UploadGone]:
    """Replace what was asked for, where the broadcast has not begun."""
    answers: list[Broadcast | NoSuchBroadcast | NotMovable | UploadGone] = []
    for item in items:
        wish = item.broadcast
        row = find_broadcast(tx, wish.account_id, wish.broadcast_id)
        if row is None:
            answers.append(NoSuchBroadcast())
            continue
        now = row.broadcast
        if move(now.state, Move.EDIT) is None or row.place.stage is Stage.HANDED_OVER:
            answers.append(NotMovable(now.state))
            continue
        if not _has_its_upload(tx, wish):
            answers.append(UploadGone())
            continue
        row.broadcast = replace(
            now,
            name=wish.name,
            schedule_at_us=wish.schedule_at_us,
            messages_per_minute=wish.messages_per_minute,
            upload_id=wish.upload_id,
            progress=replace(now.progress, expected=wish.progress.expected),
        )
        save(tx, row)
        tx.bulk("update_broadcast_requests", [(now.broadcast_id, item.request)])
        tx.bulk("expect_broadcasts", [(now.broadcast_id, wish.progress.expected, 0)])
        answers.append(row.broadcast)
    return answers


Moved = Broadcast | NoSuchBroadcast | NotMovable | HandedOver


def move_broadcasts(tx: Transaction, items: list[Wanted]) -> list[Moved]:
    """Start, hold, resume, stop and delete broadcasts, in order."""
    journal = Journal(tx, items[0].now_us)
    answers: list[Moved] = []
    for item in items:
        row = find_broadcast(tx, item.account_id, item.broadcast_id)
        if row is None:
            answers.append(NoSuchBroadcast())
        elif row.broadcast.upstream_provider and is_with_upstream(tx, item.broadcast_id):
            answers.append(HandedOver())
        elif _move(tx, journal, row, item.move, item.now_us):
            answers.append(row.broadcast)
        else:
            answers.append(NotMovable(row.broadcast.state))
    journal.flush()
    return answers


def _move(tx: Transaction, journal: Journal, row: BroadcastRow, wish: Move, now_us: int) -> bool:
    """Move it, and say so; False where that cannot be."""
    now = row.broadcast
    ahead = now.schedule_at_us is not None and now.schedule_at_us > now_us
    following = move(now.state, wish, begun=now.started_at_us is not None, ahead=ahead)
    if following is None:
        return False
    started_at_us, ended_at_us = now.started_at_us, now.ended_at_us
    if following is BroadcastState.RUNNING:
        started_at_us = started_at_us or now_us
        row.pace_since_us, row.pace_done = now_us, 0
        row.released_to = 0 if now.state is BroadcastState.SUSPENDED else row.released_to
    if following in FINAL and ended_at_us is None:
        ended_at_us = now_us
    row.active = True
    row.broadcast = replace(
        now,
        state=following,
        started_at_us=started_at_us,
        ended_at_us=ended_at_us,
        detail="" if wish is Move.RESUME else now.detail,
    )
    save(tx, row)
    _tell(journal, row.broadcast, now.state)
    tx.bulk("mark_broadcasts_told", [(now.broadcast_id, now.progress.mark)])
    return True


def hold_back(tx: Transaction, row: BroadcastRow, detail: str, now_us: int) -> None:
    """Suspend a running broadcast that cannot go on by itself, and say why."""
    row.broadcast = replace(row.broadcast, detail=detail)
    journal = Journal(tx, now_us)
    _move(tx, journal, row, Move.SUSPEND, now_us)
    journal.flush()


@value
class Tending:
    """Look after a broadcast: begin, complete or tell of it, and a batch of what its state asks for.

    `tells`: it is time to tell how far it is.
    """

    broadcast_id: int
    account_id: int
    now_us: int
    rows_max: int
    tells: bool


def needs_tending(row: BroadcastRow, now_us: int, *, tells: bool) -> bool:
    """Whether `tend` would change anything."""
    now, progress = row.broadcast, row.broadcast.progress
    match now.state:
        case BroadcastState.SCHEDULED:
            # Its upstream begins what it was given.
            return row.place.stage is not Stage.HANDED_OVER and begins_at_us(now) <= now_us
        case BroadcastState.RUNNING:
            if row.released_to is not None or _is_complete(row):
                return True
        case BroadcastState.STOPPED | BroadcastState.DELETED | BroadcastState.COMPLETED:
            if row.place.stage is not _SWEPT or progress.ended >= progress.accepted:
                return True
        case _:
            pass
    return tells and progress.mark != row.told


_SWEPT = Stage.SWEPT


def tend(tx: Transaction, items: list[Tending]) -> list[bool]:
    """Whether each is to be looked after again at once."""
    journal = Journal(tx, items[0].now_us)
    found = read_rows(tx, [item.broadcast_id for item in items])
    answers = [_tend(tx, journal, found.get(item.broadcast_id), item) for item in items]
    journal.flush()
    return answers


def _tend(tx: Transaction, journal: Journal, row: BroadcastRow | None, item: Tending) -> bool:
    if row is None or not row.active:
        return False
    state, again = row.broadcast.state, False
    if state is BroadcastState.SCHEDULED and needs_tending(row, item.now_us, tells=False):
        return _move(tx, journal, row, Move.BEGIN, item.now_us)
    if state is BroadcastState.RUNNING and row.released_to is not None:
        row.released_to = release(tx, Release(item.broadcast_id, row.released_to, item.rows_max, item.now_us))
        save(tx, row)
        again = row.released_to is not None
    elif state is BroadcastState.RUNNING and _is_complete(row):
        return _move(tx, journal, row, Move.COMPLETE, item.now_us)
    elif state in FINAL:
        again = _clear_up(tx, row, item)
    if item.tells and row.broadcast.progress.mark != row.told:
        _tell(journal, row.broadcast, state)
        tx.bulk("mark_broadcasts_told", [(item.broadcast_id, row.broadcast.progress.mark)])
    return again


def _is_complete(row: BroadcastRow) -> bool:
    progress = row.broadcast.progress
    return row.place.stage is Stage.EXPANDED and progress.ended >= progress.accepted


def _clear_up(tx: Transaction, row: BroadcastRow, item: Tending) -> bool:
    """A batch of what is left of a broadcast that goes on no more; whether there is more of it.

    Messages that are with a provider move on, and may still come back to be sent again: it is looked after
    until all have ended.
    """
    broadcast_id, state = item.broadcast_id, row.broadcast.state
    if state in HELD and cancel_unsent(tx, broadcast_id, item.rows_max, item.now_us) == item.rows_max:
        return True
    if row.place.stage is not _SWEPT:
        for statement, key in (("sweep_audience", "audience_id"), ("sweep_duplicates", "broadcast_id")):
            if len(tx.all(statement, rows_max=item.rows_max, **{key: broadcast_id})) == item.rows_max:
                return True
        row.place = Place(_SWEPT)
    if state is BroadcastState.DELETED:
        tx.all("delete_broadcast_request", broadcast_id=broadcast_id)
    (after,) = read_rows(tx, [broadcast_id]).values()
    row.broadcast = after.broadcast
    row.active = after.broadcast.progress.ended < after.broadcast.progress.accepted
    save(tx, row)
    return False


def stop_failed(tx: Transaction, items: list[tuple[int, str, int]]) -> list[None]:
    """Stop broadcasts that cannot go on: their ids, why, and the time."""
    journal = Journal(tx, items[0][2])
    found = read_rows(tx, [broadcast_id for broadcast_id, _, _ in items])
    for broadcast_id, detail, now_us in items:
        row = found.get(broadcast_id)
        if row is not None and row.broadcast.state is BroadcastState.RUNNING:
            row.broadcast = replace(row.broadcast, detail=detail)
            _move(tx, journal, row, Move.STOP, now_us)
    journal.flush()
    return [None] * len(items)


def _tell(journal: Journal, now: Broadcast, previous: BroadcastState) -> None:
    journal.tell(now.account_id, EventKind.BROADCAST, told_of(now, previous))
