"""Verbs of the rerouter: what waits for an instance that takes nothing now, and where else it can go."""

from broker.domain.decision import Note
from broker.domain.lifecycle import Fact
from broker.domain.retry import next_candidate
from broker.domain.value import value
from broker.domain.vocabulary import Reason
from broker.storage.agenda import Agenda, DueRow, Work, due_row
from broker.storage.journal import Journal
from broker.storage.transaction import Transaction

Position = tuple[int, int, int, int]
"""Where a walk along a lane has come to: priority, account, due time, message."""

BEGINNING: Position = (-1, 0, 0, 0)


@value
class Stretch:
    """A part of a lane: the messages in it that can go elsewhere, and where it ends; None at the lane's end."""

    movable: tuple[tuple[int, int], ...]
    end: Position | None


@value
class Reroute:
    """A wish to move a message from an instance's lane to that of its next candidate that is not shut."""

    account_id: int
    message_id: int
    provider: str
    shut: frozenset[str]
    hops_max: int
    now_us: int


def read_stretch(
    tx: Transaction, provider: str, shut: frozenset[str], hops_max: int, after: Position, rows_max: int
) -> Stretch:
    """Look at the next rows of a lane; messages are answered as (account, message)."""
    priority, account_id, at_us, message_id = after
    found = tx.all(
        "lane_stretch",
        provider=provider,
        priority=priority,
        account_id=account_id,
        at=at_us,
        message_id=message_id,
        rows_max=rows_max,
    )
    rows = [due_row(row) for row in found]
    movable = tuple(
        (row.account_id, row.message_id) for row in rows if _target(row, shut, hops_max) is not None
    )
    if len(rows) < rows_max:
        return Stretch(movable, None)
    last = rows[-1]
    return Stretch(movable, (last.priority, last.account_id, last.at_us, last.message_id))


def reroute(tx: Transaction, items: list[Reroute]) -> list[bool]:
    """Move each; False for one that no longer waits there, or has nowhere to go."""
    journal, agenda = Journal(tx, items[0].now_us), Agenda(tx)
    message_ids = [item.message_id for item in items]
    journal.load(message_ids)
    agenda.load(message_ids)
    answers = []
    for item in items:
        row = agenda.get(item.message_id)
        waits = row is not None and row.work is Work.DISPATCH and row.provider == item.provider
        target = _target(row, item.shut, item.hops_max) if row is not None and waits else None
        if row is not None and target is not None:
            detail = f"{row.provider} takes no messages now"
            note = Note(Reason.PROVIDER_UNAVAILABLE, detail, next_provider=target)
            journal.happen(row.message_id, Fact.REROUTED, note)
            row.provider = target
            row.hops += 1
            agenda.put(row)
        answers.append(target is not None)
    journal.flush()
    agenda.flush()
    return answers


def _target(row: DueRow, shut: frozenset[str], hops_max: int) -> str | None:
    if row.hops >= hops_max:
        return None
    return next_candidate(row.candidates, row.provider, shut, wrap=True)
