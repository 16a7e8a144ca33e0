"""Verbs of errands: what is left to do about messages that came in, and how many answers a person got by itself."""

from collections.abc import Collection, Sequence

import orjson

from broker.domain.consent import Act
from broker.domain.errand import Errand
from broker.domain.value import value
from broker.domain.vocabulary import Channel
from broker.storage.transaction import Transaction

HOUR_US = 3_600_000_000


@value
class DueErrand:
    """An errand that is due, and how often it was tried."""

    errand: Errand
    attempts: int


@value
class Postponement:
    """An errand that has to be tried again."""

    message_id: int
    at_us: int
    attempts: int


@value
class ReplyWish:
    """May the broker answer this message by itself? At most `replies_max` an hour between two addresses."""

    address: str
    person: str
    message_id: int
    now_us: int
    replies_max: int


def errand_row(errand: Errand, at_us: int) -> tuple[object, ...]:
    """A row of `insert_errands`."""
    fields = {name: getattr(errand, name) for name in Errand.__dataclass_fields__}
    document = orjson.dumps({name: given for name, given in fields.items() if _says(given)})
    return errand.message_id, errand.account_id, at_us, 0, document.decode()


def _says(given: object) -> bool:
    """Whether a field is kept: 0 is a time like any other."""
    return given is not None and given is not False and given != ""


def _errand(document: str) -> Errand:
    fields = {"sender": "", "text": "", "address": "", "person": "", **orjson.loads(document)}
    act = fields.get("act")
    return Errand(
        **(fields | {"channel": Channel(fields["channel"]), "act": None if act is None else Act(act)})
    )


def read_due_errands(tx: Transaction, now_us: int, rows_max: int) -> list[DueErrand]:
    """Those that are due, the longest first."""
    rows = tx.all("due_errands", now=now_us, rows_max=rows_max)
    return [DueErrand(_errand(row[3]), row[2]) for row in rows]


def finish_errands(tx: Transaction, items: list[int]) -> list[None]:
    """They are done, by the ids of their messages."""
    tx.bulk("delete_errands", [(each,) for each in items])
    return [None] * len(items)


def postpone_errands(tx: Transaction, items: list[Postponement]) -> list[None]:
    """Try them again later."""
    tx.bulk("postpone_errands", [(item.message_id, item.at_us, item.attempts) for item in items])
    return [None] * len(items)


def allow_replies(tx: Transaction, items: list[ReplyWish]) -> list[bool]:
    """Count each answer where there is room for it; one that was counted before has its room."""
    return [_allow(tx, item) for item in items]


def _allow(tx: Transaction, wish: ReplyWish) -> bool:
    rows = tx.all("auto_replies_of", address=wish.address, person=wish.person)
    if any(row[0] == wish.message_id for row in rows):
        return True
    if sum(row[1] > wish.now_us - HOUR_US for row in rows) >= wish.replies_max:
        return False
    tx.bulk("insert_auto_replies", [(wish.address, wish.person, wish.message_id, wish.now_us)])
    return True


@value
class ForgetReplies:
    """Forget at most `rows_max` answers that were given before a time."""

    before_us: int
    rows_max: int


def forget_replies(tx: Transaction, items: list[ForgetReplies]) -> list[int]:
    """Answers how many went, so that the caller goes on."""
    return [
        len(tx.all("forget_auto_replies", before=item.before_us, rows_max=item.rows_max)) for item in items
    ]


def read_own_addresses(tx: Transaction, addresses: Collection[str]) -> set[str]:
    """Those of these addresses that are ours, with a keyword or registered: what they say may be our own answer."""
    return {row[0] for row in tx.all("own_addresses", addresses=sorted(addresses))}


def write_errands(tx: Transaction, rows: Sequence[tuple[object, ...]]) -> None:
    """Store new errands."""
    tx.bulk("insert_errands", rows)
