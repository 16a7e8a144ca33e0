"""Verbs of the follower that fills the index of messages, in the order of an account's log.

SQL does it all, a batch in one statement: while that runs, the interpreter is free for callers.
"""

from collections.abc import Callable

from broker.domain.value import value
from broker.storage.transaction import Transaction

SPAN_MESSAGES = 32_768
"""Messages of a span. A part of the index has a few hundred pages for each kind of value then, so that a
batch changes each of them often instead of many once; and ten million messages have 305 parts, each of which
a search for a rare value has to look into (4 ms).
"""


def _no_clock() -> float:
    return 0.0


@value
class IndexWish:
    """Index the next events of an account's log, at most so many. `clock_s` times it."""

    account_id: int
    events_max: int
    span_messages: int = SPAN_MESSAGES
    clock_s: Callable[[], float] = _no_clock


@value
class Indexed:
    """Up to which event the log is indexed, how many events are left, and how long the batch took."""

    sequence: int
    behind: int
    seconds: float = 0.0


def index_messages(tx: Transaction, items: list[IndexWish]) -> list[Indexed]:
    """Index a batch of each account's log; the rows and the place in the log commit together."""
    return [_index_one(tx, item) for item in items]


def _index_one(tx: Transaction, wish: IndexWish) -> Indexed:
    began_s = wish.clock_s()
    state = tx.one("index_state", account_id=wish.account_id)
    if state is None:
        return Indexed(0, 0)
    last, after, indexed_at, newest_id, span = state
    upto = min(last, after + wish.events_max)
    if upto <= after:
        return Indexed(after, 0)
    batch = {"account_id": wish.account_id, "after": after, "upto": upto}
    begun, newest_begun = tx.one("begun_between", **batch) or (0, None)
    if begun:
        span = _room(tx, wish, newest_id, span)
        tx.all("grow_span", span=span, messages=begun)
        newest_id = max(newest_id or 0, newest_begun)
    if span is not None:
        tx.all("insert_index_rows", **batch)
    time = tx.one("event_time", account_id=wish.account_id, sequence=upto)
    row = (wish.account_id, upto, time[0] if time else indexed_at or 0, newest_id or 0, span or 0)
    tx.bulk("move_index", [row])
    return Indexed(upto, last - upto, wish.clock_s() - began_s)


def _room(tx: Transaction, wish: IndexWish, newest_id: int | None, span: int | None) -> int:
    """The span of new messages: another one where the last is full."""
    if span:
        size = tx.one("span_size", span=span)
        if size is not None and size[0] < wish.span_messages:
            return span
    newest = tx.one("newest_span")
    number = 1 + (int(newest[0]) if newest else 0)
    # An id below it may still come, of a message that was slower to be stored: it belongs to the span before.
    first_id = 1 + newest_id if newest_id else 0
    tx.bulk("insert_span", [(wish.account_id, first_id, number, 0)])
    return number


def read_indexes_behind(tx: Transaction) -> list[int]:
    """The accounts whose log goes on after what is indexed."""
    return [row[0] for row in tx.all("indexes_behind")]
