"""Verbs about what was sent: the follower that counts messages which have ended, and the sums over all of them.

A message is counted once, by the event that ends it: after that its state, provider and charge stay what they
are. So counts are only ever added to, however long the log is kept. Whoever asks gets what was counted, what
ended since, and what has not ended, on one snapshot: the sums are exact, however late the follower is.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from broker.domain.lifecycle import ENDS
from broker.domain.usage import Dimension, Group, Stretch, Usage, UsageQuery, fold, stretches
from broker.storage.indexing import Indexed, IndexWish
from broker.storage.transaction import Row, Transaction

_ENDS = sorted(int(state) for state in ENDS)


def count_usage(tx: Transaction, items: list[IndexWish]) -> list[Indexed]:
    """Count a batch of each account's log; the counts and the place in the log commit together."""
    return [_count_one(tx, item) for item in items]


def _count_one(tx: Transaction, wish: IndexWish) -> Indexed:
    began_s = wish.clock_s()
    state = tx.one("usage_state", account_id=wish.account_id)
    if state is None:
        return Indexed(0, 0)
    last, after = state
    upto = min(last, after + wish.events_max)
    if upto > after:
        batch = {"account_id": wish.account_id, "after": after, "upto": upto, "ends": _ENDS}
        tx.all("count_ended", **batch)
        tx.all("count_ended_by_tag", **batch)
        tx.bulk("move_usage", [(wish.account_id, upto)])
    return Indexed(upto, last - upto, wish.clock_s() - began_s)


def read_usage_behind(tx: Transaction) -> list[int]:
    """The accounts whose log goes on after what is counted."""
    return [row[0] for row in tx.all("usage_behind")]


def read_usage(tx: Transaction, query: UsageQuery) -> Usage:
    """The counts of the query's accounts and days."""
    by_tag = Dimension.TAG in query.group_by
    counts: list[tuple[Group, int]] = []
    total = 0
    for stretch in stretches(query.first, query.last, query.time_zone):
        for account_id in dict.fromkeys(query.account_ids):
            rows = _rows(tx, "usage_groups_by_tag" if by_tag else "usage_groups", query, account_id, stretch)
            counts += [(_group(row, query, account_id, stretch), _amount(row, query)) for row in rows]
            once = _rows(tx, "usage_groups", query, account_id, stretch) if by_tag else rows
            total += sum(_amount(row, query) for row in once)
    return Usage(fold(counts), total)


def _rows(tx: Transaction, statement: str, query: UsageQuery, account_id: int, stretch: Stretch) -> list[Row]:
    state = tx.one("usage_state", account_id=account_id)
    return tx.all(
        statement,
        account_id=account_id,
        counted=state[1] if state else 0,
        ends=_ENDS,
        start=stretch.start,
        stop=stretch.stop,
        width=stretch.width,
        include_refunded=query.include_refunded,
        include_opted_out=query.include_opted_out,
        **{f"by_{each.name.lower()}": each in query.group_by for each in _COLUMNS},
    )


def _amount(row: Row, query: UsageQuery) -> int:
    return int(row[6 + query.unit])


def _group(row: Row, query: UsageQuery, account_id: int, stretch: Stretch) -> Group:
    return tuple(_VALUES[each](row, account_id, stretch) for each in query.group_by)


_COLUMNS = (
    Dimension.DAY,
    Dimension.CHANNEL,
    Dimension.PROVIDER,
    Dimension.CAMPAIGN,
    Dimension.COUNTRY,
    Dimension.STATUS,
)
_VALUES: dict[Dimension, Callable[[Row, int, Stretch], Any]] = {
    Dimension.DAY: lambda row, _account, stretch: stretch.day + timedelta(days=row[0]),
    Dimension.ACCOUNT: lambda _row, account, _stretch: account,
    Dimension.CHANNEL: lambda row, _account, _stretch: row[1],
    Dimension.PROVIDER: lambda row, _account, _stretch: row[2],
    Dimension.CAMPAIGN: lambda row, _account, _stretch: row[3],
    Dimension.COUNTRY: lambda row, _account, _stretch: row[4],
    Dimension.STATUS: lambda row, _account, _stretch: row[5],
    Dimension.TAG: lambda row, _account, _stretch: row[6],
}
