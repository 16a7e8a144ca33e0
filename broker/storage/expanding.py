"""Verbs of a broadcast's background work: gather its audience, sift it, and make messages of it.

Each writes what a batch came to together with the new place, where the broadcast still runs and is at the place
that the batch began at. So a batch counts once, however often its process dies and whoever repeats it.
"""

from collections.abc import Sequence

from broker.domain.audience import AudienceRow
from broker.domain.broadcast import AddressKind, Pace, Place, Stage
from broker.domain.plan import Plan
from broker.domain.price import shortfall
from broker.domain.value import value
from broker.storage.acceptance import Acceptor, consented, hold_credit
from broker.storage.audience_rows import audience_columns, load_more
from broker.storage.broadcast_rows import running_at, save
from broker.storage.broadcasts import hold_back
from broker.storage.capping import CapCounts
from broker.storage.transaction import Transaction


@value
class Gathered:
    """Rows of a broadcast's own audience, and the place after them."""

    broadcast_id: int
    at: Place
    then: Place
    rows: tuple[AudienceRow, ...]


@value
class Duplicates:
    """Rows of a broadcast's audiences that an earlier row makes needless: audience and number of each."""

    broadcast_id: int
    rows: tuple[tuple[int, int], ...]


@value
class Sifted:
    """A broadcast's audience is whole. `plan` is its submission without a message, which the messages share."""

    broadcast_id: int
    at: Place
    plan: Plan
    recipients: int


@value
class Expanded:
    """Messages for a batch of rows, and the place after them. `pace` is what it is after them."""

    broadcast_id: int
    at: Place
    then: Place
    plan: Plan | None
    pace: Pace | None


def gather(tx: Transaction, items: list[Gathered]) -> list[bool]:
    """Store rows of audiences; False where the broadcast is elsewhere by now."""
    return [_gather(tx, item) for item in items]


def _gather(tx: Transaction, item: Gathered) -> bool:
    row = running_at(tx, item.broadcast_id, item.at)
    if row is None:
        return False
    tx.bulk("insert_audience_rows", audience_columns(item.broadcast_id, item.rows))
    row.place = item.then
    save(tx, row)
    return True


def mark_duplicates(tx: Transaction, items: list[Duplicates]) -> list[None]:
    """Remember which rows are left out; those that are known already stay so."""
    for item in items:
        tx.bulk("insert_duplicates", [(item.broadcast_id, *each) for each in item.rows])
    return [None] * len(items)


def sift(tx: Transaction, items: list[Sifted]) -> list[bool]:
    """Store what the messages share, and how many there will be."""
    return [_sift(tx, item) for item in items]


def _sift(tx: Transaction, item: Sifted) -> bool:
    row = running_at(tx, item.broadcast_id, item.at)
    if row is None:
        return False
    duplicates = tx.one("count_duplicates", broadcast_id=item.broadcast_id)
    count = int(duplicates[0]) if duplicates else 0
    acceptor = Acceptor(tx, item.plan.accepted_at_us)
    acceptor.add_submission(item.plan)
    acceptor.flush()
    tx.bulk("expect_broadcasts", [(item.broadcast_id, item.recipients - count, count)])
    row.place = Place(Stage.EXPANDING)
    save(tx, row)
    return True


def expand(tx: Transaction, items: list[Expanded]) -> list[bool]:
    """Store messages of broadcasts: their rows, first events, what is due, counters and the new place."""
    return [_expand(tx, item) for item in items]


def _expand(tx: Transaction, item: Expanded) -> bool:
    row = running_at(tx, item.broadcast_id, item.at)
    if row is None:
        return False
    if item.plan is not None:
        acceptor = Acceptor(tx, item.plan.accepted_at_us)
        (plan,) = consented(tx, [item.plan])
        caps = CapCounts(tx, [plan])
        plan, dues = caps.held(plan)
        if (short := hold_credit(tx, plan)) is not None:
            # Where it is now, until there is credit and it is resumed.
            why = f"credit: {shortfall(short.needed, short.available, short.currency)}"
            hold_back(tx, row, why, plan.accepted_at_us)
            return True
        caps.count(plan, dues)
        acceptor.add_messages(plan)
        acceptor.flush()
        caps.flush()
    if item.pace is not None:
        row.pace_since_us, row.pace_done = item.pace.since_us, item.pace.done
    row.place = item.then
    save(tx, row)
    return True


def read_rows(
    tx: Transaction, broadcast_id: int, audience_id: int, after: int, rows_max: int
) -> list[AudienceRow]:
    """The next rows of an audience, without duplicates."""
    rows = tx.all(
        "audience_rows_after",
        broadcast_id=broadcast_id,
        audience_id=audience_id,
        after=after,
        rows_max=rows_max,
    )
    return [AudienceRow(row[0], row[1], row[2], row[3], load_more(row[4])) for row in rows]


def read_audience_size(tx: Transaction, audience_id: int) -> int:
    """The number of an audience's last row."""
    row = tx.one("audience_size", audience_id=audience_id)
    return int(row[0]) if row else 0


def read_duplicates(
    tx: Transaction, audience_ids: Sequence[int], kinds: Sequence[AddressKind]
) -> list[tuple[int, int]]:
    """Rows with the address of an earlier one: audience and number. `kinds`: by which address a row is known."""
    first, second, third = kinds
    rows = tx.all(
        "find_duplicates",
        audience_ids=sorted(audience_ids),
        first=int(first),
        second=int(second),
        third=int(third),
    )
    return [(row[0], row[1]) for row in rows]


def read_ahead(tx: Transaction, broadcast_id: int, rows_max: int) -> int:
    """How many of a broadcast's messages wait for a provider, counted up to `rows_max`."""
    row = tx.one("broadcast_ahead", broadcast_id=broadcast_id, rows_max=rows_max)
    return int(row[0]) if row else 0
