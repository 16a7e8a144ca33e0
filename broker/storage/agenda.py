"""The due queue: for each message that has not ended, the one thing that happens next and when.

Changes are collected and written in bulk; the last one for a message counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from broker.storage.transaction import Row, Transaction

SEPARATOR = ","
"""Between the names of candidates; no instance's name has one."""


class Work(IntEnum):
    """What is due for a message. Numbers are stored."""

    WAITING = 0
    """Waits for its time; due for dispatch then."""
    DISPATCH = 1
    """Its time has come: waits for a free place with its provider."""
    SUBMITTED = 2
    """An attempt is open; due when its lease runs out."""
    DOUBT = 3
    """An attempt's outcome is unknown; due when the provider is asked again."""
    RECEIPT = 4
    """A provider took it; due when the receipt is overdue."""


UNSENT = frozenset({Work.WAITING, Work.DISPATCH})
"""No attempt is open."""


@dataclass(slots=True)
class DueRow:
    """One row. Times are microseconds since 1970 UTC.

    `fence` is the boot number of the process whose attempt is open; `asked` counts the questions to the
    provider about this attempt; `pending_parts` the parts that are not reported delivered; `doubtful` says
    that an earlier attempt may have reached its provider. `candidates` are the instances that may carry it,
    in the order to try them, and `provider` is the one that does or will; `units` are what it counts for
    against a rate; `crashes` counts the attempts that a process did not survive, `hops` the changes of provider,
    `rounds` how often all candidates have failed. `way` counts the channels that it left, `ways_ahead` those that
    it may still go on by; `expire_at_us` is when it leaves this one, at the latest with its validity.
    """

    message_id: int
    account_id: int
    work: Work
    priority: int
    at_us: int
    expire_at_us: int
    attempt: int = 0
    provider: str = ""
    fence: int = 0
    submitted_at_us: int = 0
    asked: int = 0
    pending_parts: int = 0
    doubtful: bool = False
    candidates: tuple[str, ...] = ()
    units: int = 1
    crashes: int = 0
    hops: int = 0
    rounds: int = 0
    way: int = 0
    ways_ahead: int = 0

    def plan_dispatch(self, at_us: int, now_us: int) -> None:
        """The next attempt is due then."""
        self.work = Work.DISPATCH if at_us <= now_us else Work.WAITING
        self.at_us = at_us


class Agenda:
    """The due rows that one verb touches."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._rows: dict[int, DueRow] = {}
        self._begun: list[tuple[object, ...]] = []
        self._changed: set[int] = set()
        self._done: set[int] = set()

    def load(self, message_ids: Iterable[int]) -> None:
        """Read the rows of these messages; those without one have ended."""
        wanted = [message_id for message_id in message_ids if message_id not in self._rows]
        for row in self._tx.all("due_by_message", message_ids=wanted) if wanted else ():
            if row[0] not in self._done:
                self._rows[row[0]] = due_row(row)

    def adopt(self, row: DueRow) -> None:
        """A row that the verb read itself."""
        self._rows[row.message_id] = row

    def get(self, message_id: int) -> DueRow | None:
        """A loaded message's row as it stands in this transaction."""
        return self._rows.get(message_id)

    def begin(
        self,
        message_id: int,
        account_id: int,
        priority: int,
        at_us: int,
        expire_at_us: int,
        candidates: tuple[str, ...],
        units: int,
        now_us: int,
        ways_ahead: int = 0,
        broadcast_id: int | None = None,
    ) -> None:
        """A new message, which waits for its time or for dispatch. Its row is written as it is: the verb cannot change it again."""
        names = SEPARATOR.join(candidates)
        # fmt: off
        self._begun.append((
            message_id, account_id, _DISPATCH if at_us <= now_us else _WAITING, priority, at_us, expire_at_us, 0,
            candidates[0], 0, 0, 0, 0, False, names, units, 0, 0, 0, 0, ways_ahead,
            broadcast_id,
        ))
        # fmt: on

    def put(self, row: DueRow) -> None:
        """What is due for a loaded message has changed."""
        self._rows[row.message_id] = row
        self._changed.add(row.message_id)

    def done(self, message_id: int) -> None:
        """The message has ended."""
        if self._rows.pop(message_id, None) is not None:
            self._done.add(message_id)

    def flush(self) -> None:
        """Write what changed."""
        self._tx.bulk("insert_due", self._begun)
        self._tx.bulk("delete_due", [(message_id,) for message_id in self._done])
        changed = [self._rows[each] for each in self._changed - self._done]
        self._tx.bulk("update_due", [_columns(each) for each in changed])
        if self._begun or any(each.work in UNSENT for each in changed):
            self._tx.work_is_due = True
        self._begun.clear()
        self._done.clear()
        self._changed.clear()


# Looked up for every message, which costs as much as a call.
_DISPATCH, _WAITING = Work.DISPATCH, Work.WAITING
_WORKS = {int(work): work for work in Work}


def due_row(row: Row) -> DueRow:
    """The row as the named statements select it."""
    return DueRow(
        message_id=row[0],
        account_id=row[1],
        work=_WORKS[row[2]],
        priority=row[3],
        at_us=row[4],
        expire_at_us=row[5],
        attempt=row[6],
        provider=row[7],
        fence=row[8],
        submitted_at_us=row[9],
        asked=row[10],
        pending_parts=row[11],
        doubtful=bool(row[12]),
        candidates=tuple(row[13].split(SEPARATOR)) if row[13] else (),
        units=row[14],
        crashes=row[15],
        hops=row[16],
        rounds=row[17],
        way=row[18],
        ways_ahead=row[19],
    )


def _columns(row: DueRow) -> tuple[object, ...]:
    return (
        row.message_id,
        row.account_id,
        row.work,
        row.priority,
        row.at_us,
        row.expire_at_us,
        row.attempt,
        row.provider,
        row.fence,
        row.submitted_at_us,
        row.asked,
        row.pending_parts,
        row.doubtful,
        SEPARATOR.join(row.candidates),
        row.units,
        row.crashes,
        row.hops,
        row.rounds,
        row.way,
        row.ways_ahead,
    )
