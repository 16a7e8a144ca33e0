"""Verbs of retention: remove what is older than the operator keeps, a batch at a time.

The log goes first, from its oldest event on. A message goes once it has ended long enough ago and none of its
events is left, so a reader of the log never meets an event of a message that is gone. With a message goes all
that points to it: its providers' ids, its places in the index, and its submission with the last of its messages.
What the messages of a broadcast share goes once it has ended and all of them are gone: they are counted as they go,
since nothing says where they are.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from broker.domain.correlation import address_keys, index_keys
from broker.domain.ids import ID_MAX, first_id_at
from broker.domain.value import value
from broker.storage.documents import load_labels
from broker.storage.history import read_log_bounds
from broker.storage.links import erase_links
from broker.storage.matching import forget_spellings
from broker.storage.transaction import Row, Transaction
from broker.storage.ways import read_addresses_of_ways


@value
class LogTrim:
    """Remove an account's oldest events from before a time, at most so many."""

    account_id: int
    before_us: int
    rows_max: int


def trim_logs(tx: Transaction, items: list[LogTrim]) -> list[int]:
    """Remove a batch from the beginning of each log; answers how many events went.

    What a follower of the log still needs stays, and all that comes after it.
    """
    return [_trim_one(tx, item) for item in items]


def _trim_one(tx: Transaction, wish: LogTrim) -> int:
    needed = tx.one("log_needed_from", account_id=wish.account_id)
    rows = tx.all(
        "oldest_events",
        account_id=wish.account_id,
        before=needed[0] if needed else 0,
        rows_max=wish.rows_max,
    )
    gone = next((at for at, row in enumerate(rows) if row[1] >= wish.before_us), len(rows))
    if gone:
        tx.all("delete_events", account_id=wish.account_id, upto=rows[gone - 1][0])
    return gone


@value
class Retirement:
    """Remove messages that ended before a time, of the next `rows_max` messages after an id."""

    after_id: int
    ended_before_us: int
    rows_max: int


@value
class Retired:
    """How many messages went, and after which id to go on; None when there are no older ones."""

    messages: int
    next_after_id: int | None


def retire_messages(tx: Transaction, items: list[Retirement]) -> list[Retired]:
    """Remove messages that have ended and whose events are gone, with all that points to them."""
    return [_retire_one(tx, item) for item in items]


def _retire_one(tx: Transaction, wish: Retirement) -> Retired:
    # Accepted later than this, it cannot have ended before.
    before_id = first_id_at(wish.ended_before_us // 1_000)
    rows = [
        _Old(*row)
        for row in tx.all(
            "oldest_messages", after_id=wish.after_id, before_id=before_id, rows_max=wish.rows_max
        )
    ]
    tx.lock_accounts(row.account_id for row in rows)
    bounds = {each: read_log_bounds(tx, each)[0] for each in {row.account_id for row in rows}}
    gone = [
        row
        for row in rows
        if row.ended_at_us is not None
        and row.ended_at_us < wish.ended_before_us
        and row.last_sequence < bounds[row.account_id]
    ]
    if gone:
        _remove(tx, gone)
    return Retired(len(gone), rows[-1].message_id if len(rows) == wish.rows_max else None)


@dataclass(frozen=True, slots=True)
class _Old:
    """A row of `oldest_messages`."""

    message_id: int
    account_id: int
    submission_id: int
    ended_at_us: int | None
    last_sequence: int
    recipient: str
    client_reference: str
    data: str
    provider: str
    sender: str
    labels: str


def _remove(tx: Transaction, gone: Sequence[_Old]) -> None:
    message_ids = [row.message_id for row in gone]
    forget_spellings(tx, tx.all("delete_provider_messages", message_ids=message_ids))
    tx.bulk("delete_index_rows", _index_rows(tx, gone))
    tx.all("delete_message_tokens", message_ids=message_ids)
    tx.all("delete_inbound", message_ids=message_ids)
    tx.all("delete_ways", message_ids=message_ids)
    erase_links(tx, message_ids)
    tx.all("delete_messages", message_ids=message_ids)
    of_broadcasts = Counter(
        row.submission_id for row in gone if load_labels(row.labels).broadcast_id == row.submission_id
    )
    tx.bulk("count_retired_of_broadcasts", sorted(of_broadcasts.items()))
    _remove_submissions(
        tx,
        [
            each
            for each in {row.submission_id for row in gone} - of_broadcasts.keys()
            if tx.one("any_message_of", submission_id=each, highest_id=ID_MAX) is None
        ],
    )


def _remove_submissions(tx: Transaction, submission_ids: Sequence[int]) -> None:
    if submission_ids:
        tx.all("delete_submission_callbacks", submission_ids=submission_ids)
        tx.all("delete_submissions", submission_ids=submission_ids)


def _index_rows(tx: Transaction, gone: Sequence[_Old]) -> list[tuple[object, ...]]:
    """Where the index has these messages, but for providers of earlier attempts: those go with the whole span."""
    spans: dict[int, list[Row]] = {}
    other_addresses = read_addresses_of_ways(tx, [row.message_id for row in gone])
    rows: list[tuple[object, ...]] = []
    for row in gone:
        known = spans.get(row.account_id)
        if known is None:
            known = tx.all("spans_between", account_id=row.account_id, before_id=ID_MAX)
            spans[row.account_id] = known
        span = next((each[0] for each in known if each[1] <= row.message_id), None)
        if span is not None:
            keys = index_keys(
                recipient=row.recipient,
                client_reference=row.client_reference,
                data=row.data,
                sender=row.sender,
                labels=load_labels(row.labels),
                provider=row.provider,
            )
            keys = [*keys, *address_keys(other_addresses.get(row.message_id, ()))]
            rows += [(span, kind, text, row.message_id) for kind, text in dict.fromkeys(keys)]
    return rows


@value
class BroadcastSweep:
    """Remove what messages shared of broadcasts that ended before a time, of the next `rows_max` after an id."""

    after_id: int
    ended_before_us: int
    rows_max: int


@value
class BroadcastsSwept:
    """Of how many broadcasts it went, and after which id to go on; None when there are no older ones."""

    broadcasts: int
    next_after_id: int | None


def sweep_broadcasts(tx: Transaction, items: list[BroadcastSweep]) -> list[BroadcastsSwept]:
    """Remove the submissions of broadcasts that have ended and whose messages are gone."""
    return [_sweep_broadcasts(tx, item) for item in items]


def _sweep_broadcasts(tx: Transaction, wish: BroadcastSweep) -> BroadcastsSwept:
    rows = tx.all(
        "oldest_broadcasts",
        after_id=wish.after_id,
        before_id=first_id_at(wish.ended_before_us // 1_000),  # made later, it cannot have ended before
        ended_before=wish.ended_before_us,
        rows_max=wish.rows_max,
    )
    gone = [broadcast_id for broadcast_id, is_empty in rows if is_empty]
    _remove_submissions(tx, gone)
    return BroadcastsSwept(len(gone), rows[-1][0] if len(rows) == wish.rows_max else None)


def read_retired(tx: Transaction, broadcast_id: int) -> int:
    """How many of a broadcast's messages are gone."""
    row = tx.one("retired_of_broadcast", broadcast_id=broadcast_id)
    return int(row[0]) if row else 0


@value
class SpanSweep:
    """Remove the oldest part of an account's index where no message of it is left, at most so many rows."""

    account_id: int
    rows_max: int


def sweep_spans(tx: Transaction, items: list[SpanSweep]) -> list[bool]:
    """Whether there was something to remove, so that the caller goes on."""
    return [_sweep_one(tx, item) for item in items]


def _sweep_one(tx: Transaction, wish: SpanSweep) -> bool:
    oldest = tx.one("oldest_span", account_id=wish.account_id)
    if oldest is None or oldest[2]:
        return False
    rows = tx.all("clear_span", span=oldest[0], rows_max=wish.rows_max)
    if len(rows) < wish.rows_max:
        tx.all("delete_span", account_id=wish.account_id, first_id=oldest[1])
    return True


def read_account_ids(tx: Transaction) -> list[int]:
    """Every account."""
    return [row[0] for row in tx.all("account_ids")]
