"""Receipts that match nothing yet: parked by provider and folded id, counted, and bounded."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from broker.domain.outcome import Receipt
from broker.storage.documents import dump_receipt, load_receipt
from broker.storage.transaction import Transaction

SHED_ROWS_MAX = 10_000
"""Parked receipts past their limit go in batches of this size, so that no commit keeps callers waiting."""


def park(tx: Transaction, receipts: Sequence[tuple[str, str, Receipt]], now_us: int) -> int:
    """Park receipts by (provider, folded id); answers how many are parked now, 0 when none came."""
    if not receipts:
        return 0
    rows = [(provider, place, dump_receipt(receipt), now_us) for provider, place, receipt in receipts]
    tx.bulk("park_receipts", rows)
    return _count(tx, len(rows))


def any_parked(tx: Transaction) -> bool:
    """Whether there is any: usually there is none, and nothing has to be looked for."""
    return tx.one("any_parked_receipt") is not None


def parked_at(tx: Transaction, places: Iterable[tuple[str, str]]) -> list[tuple[int, str, Receipt]]:
    """What is parked by these (provider, folded id), as (number, provider, receipt), in the order of its coming."""
    grouped: defaultdict[str, set[str]] = defaultdict(set)
    for provider, place in places:
        grouped[provider].add(place)
    waiting = [
        (row[0], provider, load_receipt(row[1]))
        for provider, wanted in grouped.items()
        for row in tx.all("find_parked_receipts", provider=provider, provider_message_ids=list(wanted))
    ]
    return sorted(waiting, key=lambda each: each[0])


def unpark(tx: Transaction, parked_ids: Sequence[int]) -> None:
    """These have found their messages."""
    if parked_ids:
        _count(tx, -len(tx.all("unpark_receipts", parked_ids=list(parked_ids))))


def read_parked_count(tx: Transaction) -> int:
    """How many receipts are parked."""
    row = tx.one("parked_receipts_total")
    assert row is not None
    return int(row[0])


def shed_parked_receipts(tx: Transaction, items: list[int]) -> list[int]:
    """Drop the oldest parked receipts past each limit, at most SHED_ROWS_MAX; answers how many went."""
    gone = []
    for receipts_max in items:
        excess = min(read_parked_count(tx) - receipts_max, SHED_ROWS_MAX)
        dropped = tx.all("shed_parked_receipts", rows_max=excess) if excess > 0 else ()
        _count(tx, -len(dropped))
        gone.append(len(dropped))
    return gone


def forget_parked_receipts(tx: Transaction, before_us: int, rows_max: int) -> int:
    """Drop parked receipts from before; answers how many of at most `rows_max` went."""
    gone = len(tx.all("forget_parked_receipts", parked_before=before_us, rows_max=rows_max))
    _count(tx, -gone)
    return gone


def _count(tx: Transaction, change: int) -> int:
    """Keep count: counting a million rows whenever a receipt is parked would take too long."""
    if not change:
        return 0
    row = tx.one("count_parked_receipts", change=change)
    assert row is not None
    return int(row[0])
