"""Verbs of the follower: read what an account's log has new, and keep a callback for each endpoint it is for."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from broker.domain.callback import FollowedEvent, Webhook
from broker.domain.callback_url import CallbackMethod
from broker.domain.lifecycle import Fact
from broker.domain.value import value
from broker.domain.vocabulary import EventKind
from broker.storage.transaction import Row, Transaction
from broker.storage.webhooks import read_webhooks


@dataclass(slots=True)
class Endpoint:
    """A row of callback_endpoints."""

    endpoint_id: int
    account_id: int
    origin: str
    closed: bool
    waiting: int
    failures: int
    held_until_us: int


@value
class LogPage:
    """Consecutive events of an account, with what decides who is called for them."""

    events: Sequence[FollowedEvent]
    webhooks: Sequence[Webhook]


@value
class NewCallback:
    """An event for an endpoint."""

    sequence: int
    endpoint_id: int
    message_id: int


@value
class Followed:
    """What a page came to: an account's log from `after` to `upto`.

    `origins` are the endpoints of message URLs that are used, by id; those that are not there yet are made.
    """

    account_id: int
    after: int
    upto: int
    callbacks: tuple[NewCallback, ...]
    origins: tuple[tuple[int, str], ...]
    now_us: int
    expire_at_us: int
    waiting_max: int


@value
class Recorded:
    """`moved` is False when another had followed the log in between, and then nothing was written.

    `dropped` counts the callbacks for which an endpoint has no room.
    """

    moved: bool
    kept: int = 0
    dropped: int = 0


def read_followers(tx: Transaction, account_ids: Collection[int] | None = None) -> list[tuple[int, int]]:
    """Of these accounts, or of all, those whose log goes on, and up to which sequence each was followed."""
    if account_ids is None:
        rows = tx.all("followers_behind")
    else:
        rows = tx.all("followers_behind_of", account_ids=sorted(account_ids))
    return [(row[0], row[1]) for row in rows]


def read_log_page(tx: Transaction, account_id: int, after: int, events_max: int) -> LogPage:
    """The events after a sequence, in order, and the account's webhooks."""
    rows = tx.all("followed_events", account_id=account_id, after=after, events_max=events_max)
    return LogPage([_event(row) for row in rows], read_webhooks(tx, account_id))


def read_origins(tx: Transaction, account_id: int, origins: list[str]) -> dict[str, int]:
    """The endpoints that there are of these origins."""
    return dict(tx.all("endpoints_by_origin", account_id=account_id, origins=origins))


# A dictionary is several times faster than calling the enumeration, and this runs for every event.
_FACTS = {int(fact): fact for fact in Fact}
_KINDS = {int(kind): kind for kind in EventKind}
_METHODS = {int(method): method for method in CallbackMethod}


def _event(row: Row) -> FollowedEvent:
    return FollowedEvent(
        sequence=row[0],
        message_id=row[1],
        kind=_KINDS[row[5]],
        fact=_FACTS.get(row[2]),
        url=row[3] or "",
        method=_METHODS[row[4]] if row[4] else None,
        exclusive=bool(row[6]),
    )


def record_callbacks(tx: Transaction, items: list[Followed]) -> list[Recorded]:
    """Keep what each page came to, and that the log was followed so far: both or neither."""
    account_ids = sorted({item.account_id for item in items})
    places: dict[int, int] = dict(tx.all("follower_sequences", account_ids=account_ids))
    turns = []
    for item in items:
        turns.append(places.get(item.account_id) == item.after)
        if turns[-1]:
            places[item.account_id] = item.upto
    mine = [item for item, turn in zip(items, turns, strict=True) if turn]
    made = [(each, item.account_id, origin, 0, 0, 0, 0) for item in mine for each, origin in item.origins]
    tx.bulk("insert_endpoints", made)
    endpoints = load_endpoints(tx, {each.endpoint_id for item in mine for each in item.callbacks})
    rows: list[tuple[object, ...]] = []
    answers = [
        _record(item, endpoints, rows) if turn else Recorded(moved=False)
        for item, turn in zip(items, turns, strict=True)
    ]
    tx.bulk("insert_callbacks", rows)
    tx.bulk("move_followers", [(each, places[each]) for each in {item.account_id for item in mine}])
    save_endpoints(tx, endpoints.values())
    return answers


def _record(item: Followed, endpoints: dict[int, Endpoint], rows: list[tuple[object, ...]]) -> Recorded:
    seen: Counter[bool] = Counter()
    for each in item.callbacks:
        endpoint = endpoints.get(each.endpoint_id)
        if endpoint is None or endpoint.closed:  # deleted since the page was read
            continue
        room = endpoint.waiting < item.waiting_max
        seen[room] += 1
        if room:
            endpoint.waiting += 1
            place = (item.account_id, each.sequence, each.endpoint_id, each.message_id)
            rows.append((*place, item.now_us, 0, 0, item.expire_at_us))
    return Recorded(moved=True, kept=seen[True], dropped=seen[False])


def load_endpoints(tx: Transaction, endpoint_ids: set[int]) -> dict[int, Endpoint]:
    """The endpoints of these ids."""
    if not endpoint_ids:
        return {}
    rows = tx.all("endpoints_by_id", endpoint_ids=sorted(endpoint_ids))
    return {row[0]: Endpoint(row[0], row[1], row[2], bool(row[3]), *row[4:]) for row in rows}


def save_endpoints(tx: Transaction, endpoints: Iterable[Endpoint]) -> None:
    """Write their changed columns."""
    tx.bulk(
        "update_endpoints",
        [
            (each.endpoint_id, int(each.closed), each.waiting, each.failures, each.held_until_us)
            for each in endpoints
        ],
    )
