"""What is not handed over because its broadcast is held: found at the claim, and released or cancelled later."""

from collections.abc import Iterable, Mapping
from enum import Enum

from broker.domain.broadcast import BroadcastState
from broker.domain.decision import Note
from broker.domain.lifecycle import Fact
from broker.domain.value import value
from broker.domain.vocabulary import Reason
from broker.storage.agenda import Agenda, DueRow, due_row
from broker.storage.journal import Journal
from broker.storage.transaction import Transaction


class Hold(Enum):
    """What becomes of a message instead of being handed over."""

    WAIT = "until its broadcast is resumed"
    END = "as cancelled"


_HOLDS = {
    int(BroadcastState.SUSPENDED): Hold.WAIT,
    int(BroadcastState.STOPPED): Hold.END,
    int(BroadcastState.DELETED): Hold.END,
}
_NONE: Mapping[int, Hold] = {}


def read_holds(tx: Transaction, broadcast_ids: Iterable[int | None]) -> Mapping[int, Hold]:
    """Those of these broadcasts of which nothing is handed over; messages of none cost nothing."""
    wanted = {each for each in broadcast_ids if each is not None}
    if not wanted:
        return _NONE
    rows = tx.all("held_broadcasts", broadcast_ids=sorted(wanted))
    return {broadcast_id: _HOLDS[state] for broadcast_id, state in rows}


def end_unsent(journal: Journal, agenda: Agenda, row: DueRow, fact: Fact, reason: Reason) -> None:
    """It will not be sent, as `fact` says; UNKNOWN where an earlier attempt may have reached a provider."""
    if row.doubtful:
        fact, reason = Fact.LOST, Reason.AMBIGUOUS
    journal.happen(row.message_id, fact, Note(reason))
    agenda.done(row.message_id)


@value
class Release:
    """Let messages of a broadcast go that were held, at most `rows_max` after an id."""

    broadcast_id: int
    after_id: int
    rows_max: int
    now_us: int


def release(tx: Transaction, item: Release) -> int | None:
    """Up to which message they were let go; None when that were all."""
    rows = tx.all(
        "release_held",
        broadcast_id=item.broadcast_id,
        after=item.after_id,
        rows_max=item.rows_max,
        now=item.now_us,
    )
    if rows:
        tx.work_is_due = True
    return max(row[0] for row in rows) if len(rows) == item.rows_max else None


def cancel_unsent(tx: Transaction, broadcast_id: int, rows_max: int, now_us: int) -> int:
    """End messages of a broadcast that wait for a provider; answers how many there were."""
    found = tx.all("unsent_of_broadcast", broadcast_id=broadcast_id, rows_max=rows_max)
    rows = [due_row(row) for row in found]
    journal, agenda = Journal(tx, now_us), Agenda(tx)
    journal.load(row.message_id for row in rows)
    for row in rows:
        agenda.adopt(row)
        end_unsent(journal, agenda, row, Fact.CANCELLED, Reason.BROADCAST_STOPPED)
    journal.flush()
    agenda.flush()
    return len(rows)
