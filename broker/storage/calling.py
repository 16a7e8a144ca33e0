"""Verbs of the sender: claim callbacks that are due, read what is to be said, and settle how the calls went."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby

from broker.domain.callback import (
    CallbackPolicy,
    CallOutcome,
    DisabledFor,
    Failed,
    Gone,
    Health,
    Succeeded,
    Unattempted,
    health_after,
    retry_at,
)
from broker.domain.callback_url import CallbackMethod
from broker.domain.records import EventRecord
from broker.domain.value import value
from broker.storage.following import Endpoint, load_endpoints, save_endpoints
from broker.storage.history import read_events
from broker.storage.transaction import Row, Transaction
from broker.storage.webhooks import MESSAGE_CALLBACKS, read_secrets

CLOSED_ROWS_MAX = 2_000
"""What waits for a closed endpoint goes in batches of this size, so that no commit keeps callers waiting."""

IDLE_ENDPOINTS_MAX = 2_000


@value
class ReadyEndpoint:
    """An endpoint that has callbacks due and is not held."""

    endpoint_id: int
    account_id: int
    doubtful: bool


@value
class CallbackClaim:
    """A wish for an endpoint's callbacks, leased to the process `fence` until `lease_until_us`."""

    endpoint_id: int
    rows_max: int
    now_us: int
    fence: int
    lease_until_us: int


@value
class ClaimedCallback:
    """One callback that this process makes now. `attempts` counts those before.

    `webhook_id` is 0 for a message's own URL.
    """

    account_id: int
    sequence: int
    endpoint_id: int
    webhook_id: int
    message_id: int
    attempts: int
    fence: int
    lease_until_us: int


@value
class ClaimedCallbacks:
    """What a claim got, in the order of events, and how many were given up: their time had passed."""

    callbacks: tuple[ClaimedCallback, ...]
    expired: int


@value
class Call:
    """A claimed callback with all that it takes to make it."""

    callback: ClaimedCallback
    url: str
    method: CallbackMethod
    event: EventRecord
    secrets: Sequence[str]


@value
class CallSettlement:
    """How a call went, and what decides what follows."""

    callback: ClaimedCallback
    outcome: CallOutcome
    policy: CallbackPolicy
    now_us: int
    chance: float


@value
class Settled:
    """`mine` is False when the lease was lost and nothing was changed; then how the endpoint stands."""

    mine: bool
    held_until_us: int = 0
    closed: bool = False


def read_ready_endpoints(tx: Transaction, now_us: int) -> list[ReadyEndpoint]:
    """Where there is something to do, the longest left alone first."""
    rows = tx.all("ready_endpoints", now=now_us)
    return [ReadyEndpoint(row[0], row[1], Health(row[2]).doubtful) for row in rows]


def release_callbacks(tx: Transaction, items: list[int]) -> list[None]:
    """At the start of the only process: what an earlier one had claimed is due again, at the time of `items`."""
    for now_us in items:
        tx.all("release_callbacks", now=now_us)
    return [None] * len(items)


def claim_callbacks(tx: Transaction, items: list[CallbackClaim]) -> list[ClaimedCallbacks]:
    """Lease each endpoint's callbacks that are due; give up those whose time has passed."""
    endpoints = load_endpoints(tx, {item.endpoint_id for item in items})
    answers = [_claim_one(tx, item, endpoints.get(item.endpoint_id)) for item in items]
    save_endpoints(tx, endpoints.values())
    return answers


def _claim_one(tx: Transaction, wish: CallbackClaim, endpoint: Endpoint | None) -> ClaimedCallbacks:
    if endpoint is None or endpoint.closed or endpoint.held_until_us > wish.now_us:
        return ClaimedCallbacks((), 0)
    rows = tx.all("due_callbacks", endpoint_id=wish.endpoint_id, now=wish.now_us, rows_max=wish.rows_max)
    live = [row for row in rows if row[5] > wish.now_us]
    late = [row[:3] for row in rows if row[5] <= wish.now_us]
    tx.bulk("delete_callbacks", late)
    endpoint.waiting -= len(late)
    tx.bulk("update_callbacks", [(*row[:3], wish.lease_until_us, row[4], wish.fence) for row in live])
    webhook_id = MESSAGE_CALLBACKS if endpoint.origin else endpoint.endpoint_id
    return ClaimedCallbacks(tuple(_claimed(row, webhook_id, wish) for row in live), len(late))


def _claimed(row: Row, webhook_id: int, wish: CallbackClaim) -> ClaimedCallback:
    return ClaimedCallback(
        account_id=row[0],
        sequence=row[1],
        endpoint_id=row[2],
        webhook_id=webhook_id,
        message_id=row[3],
        attempts=row[4],
        fence=wish.fence,
        lease_until_us=wish.lease_until_us,
    )


def read_calls(tx: Transaction, claimed: Sequence[ClaimedCallback], now_us: int) -> list[Call | None]:
    """What is to be called and said, for each; None where the event or the URL is no longer there."""
    webhook_ids = sorted({each.webhook_id for each in claimed if each.webhook_id})
    message_ids = sorted({each.message_id for each in claimed if not each.webhook_id})
    webhooks = {
        row[0]: (row[1], CallbackMethod.POST) for row in tx.all("webhook_urls", webhook_ids=webhook_ids)
    }
    messages = {
        row[0]: (row[1], CallbackMethod(row[2]))
        for row in tx.all("message_callbacks", message_ids=message_ids)
    }
    events = _read_events(tx, {(each.account_id, each.sequence) for each in claimed})
    secrets = read_secrets(tx, sorted({(each.account_id, each.webhook_id) for each in claimed}), now_us)
    calls: list[Call | None] = []
    for each in claimed:
        place = webhooks.get(each.webhook_id) if each.webhook_id else messages.get(each.message_id)
        event = events.get((each.account_id, each.sequence))
        if place is None or event is None:
            calls.append(None)
        else:
            calls.append(Call(each, *place, event, secrets[each.account_id, each.webhook_id]))
    return calls


def _read_events(tx: Transaction, places: set[tuple[int, int]]) -> dict[tuple[int, int], EventRecord]:
    """Events by (account, sequence). Those of one claim are mostly neighbours, so runs are read as pages."""
    found: dict[tuple[int, int], EventRecord] = {}
    runs = groupby(enumerate(sorted(places)), key=lambda each: (each[1][0], each[1][1] - each[0]))
    for (account_id, _), members in runs:
        run = [sequence for _, (_, sequence) in members]
        for event in read_events(tx, account_id, run[0] - 1, len(run)):
            if event.sequence <= run[-1]:
                found[account_id, event.sequence] = event
    return found


def settle_calls(tx: Transaction, items: list[CallSettlement]) -> list[Settled]:
    """Write down how each call went: what was taken goes, what failed is due again later."""
    rows = _load(tx, [item.callback for item in items])
    endpoints = load_endpoints(tx, {item.callback.endpoint_id for item in items})
    changes = _Changes()
    answers = []
    for item in items:
        key = _key(item.callback)
        row, endpoint = rows.get(key), endpoints.get(item.callback.endpoint_id)
        mine = row is not None and (row[2], row[4]) == (item.callback.lease_until_us, item.callback.fence)
        if row is None or endpoint is None or not mine:
            answers.append(Settled(mine=False))
            continue
        del rows[key]
        health = health_after(
            Health(endpoint.failures, endpoint.held_until_us),
            item.outcome,
            item.policy,
            now_us=item.now_us,
            chance=item.chance,
        )
        endpoint.failures, endpoint.held_until_us = health.failures, health.held_until_us
        changes.add(item, row, endpoint)
        answers.append(Settled(mine=True, held_until_us=endpoint.held_until_us, closed=endpoint.closed))
    changes.write(tx)
    save_endpoints(tx, endpoints.values())
    return answers


_Key = tuple[int, int, int]


def _key(callback: ClaimedCallback) -> _Key:
    return callback.account_id, callback.sequence, callback.endpoint_id


def _load(tx: Transaction, callbacks: list[ClaimedCallback]) -> dict[_Key, Row]:
    sequences: defaultdict[int, list[int]] = defaultdict(list)
    for callback in callbacks:
        sequences[callback.account_id].append(callback.sequence)
    return {
        (account_id, row[0], row[1]): row
        for account_id, wanted in sequences.items()
        for row in tx.all("callbacks_by_key", account_id=account_id, sequences=wanted)
    }


class _Changes:
    """The rows that a settlement touches."""

    def __init__(self) -> None:
        self._done: list[_Key] = []
        self._later: list[tuple[object, ...]] = []
        self._disabled: list[tuple[object, ...]] = []

    def add(self, item: CallSettlement, row: Row, endpoint: Endpoint) -> None:
        """One call's."""
        key, attempts, expire_at_us = _key(item.callback), row[3], row[5]
        match item.outcome:
            case Succeeded() | Gone():
                self._done.append(key)
                endpoint.waiting -= 1
                if isinstance(item.outcome, Gone) and not endpoint.origin and not endpoint.closed:
                    endpoint.closed = True
                    self._disabled.append((endpoint.endpoint_id, item.now_us, DisabledFor.GONE))
            case Failed() as failure:
                at_us = retry_at(
                    item.policy,
                    failure,
                    attempts=attempts + 1,
                    expire_at_us=expire_at_us,
                    now_us=item.now_us,
                    chance=item.chance,
                )
                self._later.append((*key, at_us, attempts + 1, 0))
            case Unattempted():
                self._later.append((*key, item.now_us, attempts, 0))

    def write(self, tx: Transaction) -> None:
        """All of them."""
        tx.bulk("delete_callbacks", self._done)
        tx.bulk("update_callbacks", self._later)
        tx.bulk("disable_webhooks", self._disabled)


def drop_callbacks(tx: Transaction, items: list[ClaimedCallback]) -> list[None]:
    """Give up what can no longer be said: its event or its URL is gone."""
    there = _load(tx, items).keys() & {_key(item) for item in items}
    endpoints = load_endpoints(tx, {endpoint_id for _, _, endpoint_id in there})
    for _, _, endpoint_id in there:
        endpoints[endpoint_id].waiting -= 1
    tx.bulk("delete_callbacks", sorted(there))
    save_endpoints(tx, endpoints.values())
    return [None] * len(items)


def empty_closed_endpoints(tx: Transaction, items: list[int]) -> list[int]:
    """Delete a batch of what waits for closed endpoints (`items` is its size); answers how many rows went.

    The endpoint of a deleted webhook goes with its last row; a disabled one stays, to be listed.
    """
    answers = []
    for rows_max in items:
        gone = 0
        closed = tx.all("closed_endpoints", rows_max=IDLE_ENDPOINTS_MAX)
        tx.lock_accounts(account_id for _, account_id in closed)
        for endpoint_id, _ in closed:
            rows = tx.all("callbacks_of_endpoint", endpoint_id=endpoint_id, rows_max=rows_max - gone)
            tx.bulk("delete_callbacks", rows)
            gone += len(rows)
            endpoints = load_endpoints(tx, {endpoint_id})
            endpoints[endpoint_id].waiting -= len(rows)
            save_endpoints(tx, endpoints.values())
            empty = not endpoints[endpoint_id].waiting
            if empty and tx.one("webhook_owner", webhook_id=endpoint_id) is None:
                tx.bulk("delete_endpoints", [(endpoint_id,)])
            if gone >= rows_max:
                break
        answers.append(gone)
    return answers


def forget_idle_endpoints(tx: Transaction, items: list[int]) -> list[int]:
    """Delete at most so many origins for which nothing waits; answers how many went."""
    answers = []
    for rows_max in items:
        rows = tx.all("idle_endpoints", rows_max=rows_max)
        tx.bulk("delete_endpoints", rows)
        answers.append(len(rows))
    return answers


def read_callback_counts(tx: Transaction) -> tuple[int, int, int | None]:
    """How many callbacks wait, at how many endpoints, and when the oldest is given up."""
    counts, oldest = tx.one("callback_counts"), tx.one("oldest_callbacks")
    assert counts is not None
    return int(counts[0]), int(counts[1]), None if oldest is None else oldest[0]


def read_misfits(tx: Transaction) -> list[Row]:
    """Endpoints that count what waits for them wrongly, and callbacks of no endpoint: there are none."""
    return [*tx.all("miscounted_endpoints"), *tx.all("stray_callbacks")]
