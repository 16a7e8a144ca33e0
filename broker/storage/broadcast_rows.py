"""The rows of broadcasts: read for callers and for those who look after them, and written."""

from collections.abc import Iterable
from dataclasses import dataclass

from broker.domain.broadcast import (
    Broadcast,
    BroadcastState,
    Pace,
    Place,
    Progress,
    Stage,
)
from broker.domain.ids import ID_MAX
from broker.domain.value import value
from broker.domain.vocabulary import Reason
from broker.storage.transaction import Row, Transaction

ACTIVE_PAGE = 500


@dataclass(slots=True)
class BroadcastRow:
    """A broadcast with what its keepers need; `told` is the mark that was last told of."""

    broadcast: Broadcast
    told: int
    active: bool
    place: Place
    pace_since_us: int
    pace_done: int
    released_to: int | None

    @property
    def pace(self) -> Pace | None:
        """Its pace, None where it has none."""
        per_minute = self.broadcast.messages_per_minute
        return Pace(per_minute, self.pace_since_us, self.pace_done) if per_minute else None


def read_broadcast(tx: Transaction, account_id: int, broadcast_id: int) -> Broadcast | None:
    """A broadcast of the account."""
    row = find_broadcast(tx, account_id, broadcast_id)
    return None if row is None else row.broadcast


def read_refusals(tx: Transaction, broadcast_id: int) -> list[tuple[Reason, int]]:
    """How many recipients were refused, by reason."""
    return [(Reason[name], count) for name, count in tx.all("broadcast_refusals", broadcast_id=broadcast_id)]


@value
class BroadcastQuery:
    """Which broadcasts of an account, newest first: those in `states`, or all that are not deleted."""

    account_id: int
    states: frozenset[BroadcastState]
    before_id: int | None
    page_size: int


def read_broadcasts(tx: Transaction, query: BroadcastQuery) -> list[Broadcast]:
    """A page."""
    rows = tx.all(
        "broadcasts_of_account",
        account_id=query.account_id,
        before_id=ID_MAX if query.before_id is None else query.before_id,
        any_state=not query.states,
        states=sorted(query.states),
        rows_max=query.page_size,
    )
    return [row_of(row).broadcast for row in rows]


def read_active(tx: Transaction) -> list[BroadcastRow]:
    """All that is to be looked after."""
    found: list[BroadcastRow] = []
    while True:
        after = found[-1].broadcast.broadcast_id if found else -1
        rows = tx.all("active_broadcasts", after=after, rows_max=ACTIVE_PAGE)
        found += map(row_of, rows)
        if len(rows) < ACTIVE_PAGE:
            return found


def read_active_count(tx: Transaction, count_max: int) -> int:
    """How many there are to be looked after, counted up to `count_max`."""
    row = tx.one("active_broadcast_count", rows_max=count_max)
    return int(row[0]) if row else 0


def read_request(tx: Transaction, broadcast_id: int) -> bytes | None:
    """What was asked for; None once the broadcast is deleted."""
    row = tx.one("broadcast_request", broadcast_id=broadcast_id)
    return None if row is None else bytes(row[0])


def running_at(tx: Transaction, broadcast_id: int, place: Place) -> BroadcastRow | None:
    """A broadcast that runs and is at this place; None where it moved meanwhile."""
    row = read_rows(tx, [broadcast_id]).get(broadcast_id)
    if row is None or row.broadcast.state is not BroadcastState.RUNNING or row.place != place:
        return None
    return row


def save(tx: Transaction, row: BroadcastRow) -> None:
    """Write its place, and all that may change beside its counters."""
    tx.bulk("update_broadcasts", [_columns(row)])


def find_broadcast(tx: Transaction, account_id: int, broadcast_id: int) -> BroadcastRow | None:
    """A broadcast of the account, with what its keepers need."""
    row = read_rows(tx, [broadcast_id]).get(broadcast_id)
    return row if row is not None and row.broadcast.account_id == account_id else None


def read_rows(tx: Transaction, broadcast_ids: Iterable[int]) -> dict[int, BroadcastRow]:
    """Broadcasts by id, of whichever account."""
    wanted = sorted(set(broadcast_ids))
    rows = tx.all("broadcasts_by_id", broadcast_ids=wanted) if wanted else []
    return {row[0]: row_of(row) for row in rows}


def row_of(row: Row) -> BroadcastRow:
    """A broadcast as the statements read it."""
    broadcast = Broadcast(
        broadcast_id=row[0],
        account_id=row[1],
        name=row[2],
        state=BroadcastState(row[3]),
        schedule_at_us=row[4],
        messages_per_minute=row[5],
        upload_id=row[6],
        created_at_us=row[7],
        started_at_us=row[8],
        ended_at_us=row[9],
        detail=row[10],
        progress=Progress(*row[11:19]),
        upstream_provider=row[27],
    )
    place = Place(Stage(row[21]), row[22], row[23])
    return BroadcastRow(broadcast, row[19], bool(row[20]), place, row[24], row[25], row[26])


def new_columns(made: Broadcast) -> tuple[object, ...]:
    """A broadcast as it is stored first."""
    return (
        made.broadcast_id,
        made.account_id,
        made.name,
        made.state,
        made.state is not BroadcastState.DRAFT,
        Stage.GATHERING,
        0,
        0,
        made.schedule_at_us,
        made.messages_per_minute,
        made.upload_id,
        made.created_at_us,
        made.started_at_us,
        None,
        made.started_at_us or 0,
        0,
        None,
        "",
        made.upstream_provider,
    )


def _columns(row: BroadcastRow) -> tuple[object, ...]:
    now, place = row.broadcast, row.place
    return (
        now.broadcast_id,
        now.name,
        now.state,
        row.active,
        place.stage,
        place.source,
        place.position,
        now.schedule_at_us,
        now.messages_per_minute,
        now.upload_id,
        now.started_at_us,
        now.ended_at_us,
        row.pace_since_us,
        row.pace_done,
        row.released_to,
        now.detail,
    )
