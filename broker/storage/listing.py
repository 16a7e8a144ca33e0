"""Lists of messages, newest first, by any of what messages are found by.

A page is made in two steps. First come the ids that may fit: from the index, by the wish that fits the
fewest messages, together with those that the index does not have yet; or from the table of all messages
where no index helps. Then those are read that fit every wish. A page looks at a bounded number of messages and
may be short.
"""

from collections.abc import Iterator, Sequence

import orjson

from broker.domain.correlation import IndexKind, MessageFilter
from broker.domain.ids import first_id_at
from broker.domain.records import MessageRecord
from broker.domain.value import value
from broker.storage.documents import load_labels
from broker.storage.history import message_of
from broker.storage.transaction import Row, Transaction

SPAN_ROWS = 5
"""What a look into one part of the index for one value counts for: it takes as long as so many messages."""

STEP_MIN, STEP_MAX = 128, 1_024
COUNT_MAX = 1_000

FOREVER = (1 << 63) - 1
ID_LEAD_MS_MAX = 60_000
"""How far an id may be ahead of its message's acceptance. Only a restart with a clock that was set back by
more makes it further; `end_us` then misses messages until the clock has caught up.
"""


@value
class ListLimits:
    """How much one page looks at. After `rows_max` messages it ends, short as it may be.

    Where the index is more than `unindexed_events_max` behind its log, what it lacks is not looked through.
    """

    rows_max: int = 10_000
    unindexed_events_max: int = 10_000


LIMITS = ListLimits()


@value
class MessageQuery:
    """Which messages of an account, newest first, and which page of them: those below `before_id`."""

    account_id: int
    filter: MessageFilter
    before_id: int | None
    page_size: int


@value
class IndexProgress:
    """How far the index is: up to which event of the log, of which time, and how many come after it.

    `whole` says that nothing which fits is missing from lists.
    """

    sequence: int
    time_us: int | None
    behind: int
    whole: bool


_NO_INDEX = IndexProgress(0, None, 0, whole=True)


@value
class MessagePage:
    """One page; `next_before_id` is None on the last one."""

    messages: Sequence[MessageRecord]
    next_before_id: int | None
    index: IndexProgress


@value
class _Range:
    account_id: int
    before_id: int
    floor_id: int


@value
class _Chunk:
    """Ids that may fit, the newest first, and that none was left out from `down_to` on."""

    ids: list[int]
    down_to: int
    looked_at: int


def read_page(tx: Transaction, query: MessageQuery, limits: ListLimits = LIMITS) -> MessagePage:
    """A page of an account's messages, newest first."""
    wanted, where = query.filter, _range(query)
    progress, chunks = _candidates(tx, wanted, where, limits)
    arguments = _arguments(wanted)
    found: list[MessageRecord] = []
    looked_at = 0
    for chunk in _together(chunks, query.page_size, limits.rows_max):
        rows = (
            tx.all("fitting_messages", account_id=where.account_id, message_ids=chunk.ids, **arguments)
            if chunk.ids
            else ()
        )
        for row in rows:
            if wanted.fits_labels(load_labels(row[19])):
                found.append(message_of(row))
                if len(found) == query.page_size:
                    return MessagePage(found, row[0], progress)
        looked_at += chunk.looked_at
        if looked_at >= limits.rows_max and chunk.down_to > where.floor_id:
            return MessagePage(found, chunk.down_to, progress)
    return MessagePage(found, None, progress)


def _together(chunks: Iterator[_Chunk], ids_min: int, looked_at_max: int) -> Iterator[_Chunk]:
    """The chunks, those of few ids as one: their messages are read at once. None goes on past what a page looks at.

    A value that few messages have is found in many spans, a message or two in each.
    """
    ids: list[int] = []
    looked_at = total = 0
    down_to: int | None = None
    for chunk in chunks:
        ids += chunk.ids
        down_to = chunk.down_to
        looked_at += chunk.looked_at
        total += chunk.looked_at
        if len(ids) >= ids_min or total >= looked_at_max:
            yield _Chunk(ids, down_to, looked_at)
            ids, looked_at, down_to = [], 0, None
    if down_to is not None:
        yield _Chunk(ids, down_to, looked_at)


def _range(query: MessageQuery) -> _Range:
    start_us, end_us = query.filter.start_us, query.filter.end_us
    end_id = FOREVER if end_us is None else first_id_at(-(-end_us // 1_000) + ID_LEAD_MS_MAX)
    before_id = end_id if query.before_id is None else min(end_id, query.before_id)
    floor_id = 0 if start_us is None else first_id_at(start_us // 1_000)
    return _Range(query.account_id, before_id, floor_id)


def _candidates(
    tx: Transaction, wanted: MessageFilter, where: _Range, limits: ListLimits
) -> tuple[IndexProgress, Iterator[_Chunk]]:
    if (
        wanted.contact_id is not None
    ):  # messages to contacts have an index of their own, which is never behind
        return _NO_INDEX, _of_contact(tx, wanted.contact_id, where)
    state = tx.one("index_state", account_id=where.account_id) or (0, 0, None, None, None)
    behind = state[0] - state[1]
    within_reach = behind <= limits.unindexed_events_max
    progress = IndexProgress(state[1], state[2], behind, within_reach or not wanted.indexed)
    if not within_reach and not wanted.indexed:
        return progress, _scan(tx, where)
    late = _unindexed(tx, where, state[1]) if behind and within_reach else []
    return progress, _with_late(_search(tx, wanted, where), late, where.floor_id)


def _of_contact(tx: Transaction, contact_id: int, where: _Range) -> Iterator[_Chunk]:
    """The messages to a contact of the directory."""
    before_id, step = where.before_id, STEP_MIN
    while True:
        row = tx.one(
            "contact_message_ids",
            contact_id=contact_id,
            before_id=before_id,
            floor_id=where.floor_id,
            rows_max=step,
        )
        ids = _in_order(row)
        if len(ids) < step:
            yield _Chunk(ids, where.floor_id, len(ids))
            return
        before_id = ids[-1]
        yield _Chunk(ids, before_id, step)
        step = min(STEP_MAX, 2 * step)


def _scan(tx: Transaction, where: _Range) -> Iterator[_Chunk]:
    """All messages, a stretch at a time."""
    before_id, step = where.before_id, STEP_MAX
    while True:
        row = tx.one(
            "scanned_ids",
            account_id=where.account_id,
            before_id=before_id,
            floor_id=where.floor_id,
            rows_max=step,
        )
        ids, lowest, count = row or ("[]", None, 0)
        down_to = where.floor_id if count < step else lowest
        yield _Chunk(sorted(filter(None, orjson.loads(ids)), reverse=True), down_to, count)
        if count < step:
            return
        before_id = down_to


def _search(tx: Transaction, wanted: MessageFilter, where: _Range) -> Iterator[_Chunk]:
    """What the index has, by the wish that fits the fewest."""
    spans = tx.all("spans_between", account_id=where.account_id, before_id=where.before_id)
    if not spans:
        return
    kind, values = _narrowest(tx, wanted, spans[0][0])
    cost = SPAN_ROWS * len(values)
    before_id, step = where.before_id, STEP_MIN
    for span, first_id in spans:
        down_to = before_id
        while down_to > max(first_id, where.floor_id):
            ids = _ids(tx, span, kind, values, where, down_to, step)
            down_to = ids[-1] if len(ids) == step else max(first_id, where.floor_id)
            yield _Chunk(ids, down_to, len(ids) + cost)
            step = min(STEP_MAX, 2 * step) if ids else step
        before_id = down_to
        if first_id <= where.floor_id:
            return


def _ids(
    tx: Transaction, span: int, kind: IndexKind, values: list[str], where: _Range, before_id: int, step: int
) -> list[int]:
    place = {"span": span, "kind": kind, "before_id": before_id, "floor_id": where.floor_id, "rows_max": step}
    if len(values) == 1:
        row = tx.one("index_ids", value=values[0], **place)
    else:
        row = tx.one("index_ids_of_any", values=values, **place)
    return _in_order(row)


def _narrowest(tx: Transaction, wanted: MessageFilter, span: int) -> tuple[IndexKind, list[str]]:
    """The indexed wish that fits the fewest of the newest messages; the whole account where there is none."""
    wishes = wanted.indexed
    if len(wishes) < 2:
        return wishes[0] if wishes else (IndexKind.ACCOUNT, [""])

    def count(wish: tuple[IndexKind, list[str]]) -> int:
        row = tx.one("index_count", span=span, kind=wish[0], values=wish[1], rows_max=COUNT_MAX)
        return int(row[0]) if row else 0

    return min(wishes, key=count)


def _unindexed(tx: Transaction, where: _Range, after: int) -> list[int]:
    """The messages that events are about which the index has not seen."""
    row = tx.one(
        "unindexed_ids",
        account_id=where.account_id,
        after=after,
        before_id=where.before_id,
        floor_id=where.floor_id,
    )
    return _in_order(row)


def _in_order(row: Row | None) -> list[int]:
    """The ids of an answer, the newest first, which an aggregate does not promise."""
    return sorted(orjson.loads(row[0]), reverse=True) if row else []


def _with_late(chunks: Iterator[_Chunk], late: list[int], floor_id: int) -> Iterator[_Chunk]:
    """Put what the index does not have yet between what it has, in order."""
    at = 0
    for chunk in chunks:
        start = at
        while at < len(late) and late[at] >= chunk.down_to:
            at += 1
        own = late[start:at]
        ids = sorted({*chunk.ids, *own}, reverse=True) if own else chunk.ids
        yield _Chunk(ids, chunk.down_to, chunk.looked_at + len(own))
    yield _Chunk(late[at:], floor_id, len(late) - at)


def _arguments(wanted: MessageFilter) -> dict[str, object]:
    return {
        "start": wanted.start_us or 0,
        "end": FOREVER if wanted.end_us is None else wanted.end_us,
        "any_state": not wanted.states and not wanted.deleted,
        "states": [int(each) for each in wanted.states],
        "deleted": wanted.deleted,
        **_set("channel", [int(each) for each in wanted.channels]),
        **_set("traffic", [int(each) for each in wanted.traffics]),
        **_set("direction", [int(each) for each in wanted.directions]),
        **_set("recipient", list(wanted.recipients)),
        **_set("client_reference", list(wanted.client_references)),
        "any_data": not wanted.data,
        "data": list(wanted.data),
        **_set("sender", list(wanted.senders)),
        **_set("provider", list(wanted.providers)),
        "any_contact": wanted.contact_id is None,
        "contact_id": wanted.contact_id,
    }


def _set(name: str, values: list[int] | list[str]) -> dict[str, object]:
    return {f"any_{name}": not values, f"{name}s": values}
