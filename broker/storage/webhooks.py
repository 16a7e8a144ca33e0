"""Verbs of webhooks: made, listed, signed for with secrets that change, and deleted."""

from collections import Counter
from collections.abc import Iterable, Sequence

import orjson

from broker.domain.callback import DisabledFor, Webhook
from broker.domain.lifecycle import Fact
from broker.domain.value import value
from broker.domain.vocabulary import EventKind
from broker.storage.transaction import Row, Transaction

WEBHOOKS_MAX = 20
"""Of one account."""

SECRETS_KEPT_MAX = 5
"""The newest and those before it that are still good. One rotation more, and the oldest is no longer signed with."""

MESSAGE_CALLBACKS = 0
"""The id that stands for an account's message callbacks among its signing secrets."""


@value
class NewWebhook:
    """A webhook to make; its `after_sequence` is read within the transaction."""

    webhook: Webhook
    secret: str


@value
class TooManyWebhooks:
    """The account has as many as it may have."""


@value
class Rotation:
    """A new secret for a webhook, or with webhook_id 0 for the account's message callbacks.

    Those before it stay good until `overlap_until_us`, unless they end sooner anyway.
    """

    account_id: int
    webhook_id: int
    secret: str
    now_us: int
    overlap_until_us: int


@value
class SecretWish:
    """The secrets of an account's message callbacks; `fresh` becomes the first where there is none."""

    account_id: int
    fresh: str


def create_webhooks(tx: Transaction, items: list[NewWebhook]) -> list[Webhook | TooManyWebhooks]:
    """Make webhooks. They get what is committed from now on."""
    account_ids = sorted({item.webhook.account_id for item in items})
    counts = Counter(dict[int, int](tx.all("count_webhooks", account_ids=account_ids)))
    heads = {each: _head(tx, each) for each in account_ids}
    answers: list[Webhook | TooManyWebhooks] = []
    made: list[tuple[NewWebhook, Webhook]] = []
    for item in items:
        webhook = item.webhook
        if counts[webhook.account_id] >= WEBHOOKS_MAX:
            answers.append(TooManyWebhooks())
            continue
        counts[webhook.account_id] += 1
        webhook = _placed(webhook, heads[webhook.account_id])
        made.append((item, webhook))
        answers.append(webhook)
    tx.bulk("insert_webhooks", [_columns(webhook) for _, webhook in made])
    tx.bulk("insert_endpoints", [(each.webhook_id, each.account_id, "", 0, 0, 0, 0) for _, each in made])
    tx.bulk(
        "insert_signing_secrets",
        [(each.account_id, each.webhook_id, 1, item.secret, None) for item, each in made],
    )
    follow_accounts(tx, {each.account_id: each.after_sequence for _, each in made})
    return answers


def follow_accounts(tx: Transaction, after: dict[int, int]) -> None:
    """Follow these accounts' logs for callbacks, each after a sequence; those followed already go on."""
    tx.bulk("insert_followers", sorted(after.items()))


def _head(tx: Transaction, account_id: int) -> int:
    row = tx.one("account_last_sequence", account_id=account_id)
    return int(row[0]) if row else 0


def _placed(webhook: Webhook, head: int) -> Webhook:
    return Webhook(
        webhook_id=webhook.webhook_id,
        account_id=webhook.account_id,
        url=webhook.url,
        description=webhook.description,
        kinds=webhook.kinds,
        facts=webhook.facts,
        created_at_us=webhook.created_at_us,
        after_sequence=head,
    )


def _columns(webhook: Webhook) -> tuple[object, ...]:
    return (
        webhook.webhook_id,
        webhook.account_id,
        webhook.url,
        webhook.description,
        orjson.dumps(webhook.kinds).decode(),
        orjson.dumps(webhook.facts).decode(),
        webhook.created_at_us,
        webhook.after_sequence,
    )


def read_webhooks(tx: Transaction, account_id: int) -> list[Webhook]:
    """An account's webhooks, oldest first."""
    return [_webhook(row) for row in tx.all("webhooks_of_account", account_id=account_id)]


def _webhook(row: Row) -> Webhook:
    return Webhook(
        webhook_id=row[0],
        account_id=row[1],
        url=row[2],
        description=row[3],
        kinds=tuple(map(EventKind, orjson.loads(row[4]))),
        facts=tuple(map(Fact, orjson.loads(row[5]))),
        created_at_us=row[6],
        after_sequence=row[7],
        disabled_at_us=row[8],
        disabled_for=DisabledFor(row[9]) if row[9] else None,
        waiting=row[10],
        failures=row[11],
    )


def rotate_secrets(tx: Transaction, items: list[Rotation]) -> list[bool]:
    """Sign with a new secret, and for a while with the older ones too; False for no webhook of the account."""
    answers = []
    for item in items:
        mine = item.webhook_id == MESSAGE_CALLBACKS or _owned(tx, item.account_id, item.webhook_id)
        if mine:
            _rotate(tx, item)
        answers.append(mine)
    return answers


def _rotate(tx: Transaction, item: Rotation) -> None:
    place = {"account_id": item.account_id, "webhook_id": item.webhook_id}
    rows = tx.all("signing_secrets", **place)
    older = [
        (number, secret, min(item.overlap_until_us, expire_at or item.overlap_until_us))
        for number, secret, expire_at in rows
    ]
    good = [each for each in older if each[2] > item.now_us][1 - SECRETS_KEPT_MAX :]
    number = rows[-1][0] + 1 if rows else 1
    tx.all("delete_signing_secrets", **place)
    tx.bulk(
        "insert_signing_secrets",
        [(*place.values(), *each) for each in [*good, (number, item.secret, None)]],
    )


def first_secrets(tx: Transaction, items: list[SecretWish]) -> list[None]:
    """Give message callbacks their first secret, where they have none."""
    for item in {item.account_id: item for item in reversed(items)}.values():
        place = {"account_id": item.account_id, "webhook_id": MESSAGE_CALLBACKS}
        if not tx.all("signing_secrets", **place):
            tx.bulk("insert_signing_secrets", [(*place.values(), 1, item.fresh, None)])
    return [None] * len(items)


def read_secrets(
    tx: Transaction, places: Iterable[tuple[int, int]], now_us: int
) -> dict[tuple[int, int], Sequence[str]]:
    """What is signed with now for each (account, webhook), newest first."""
    found: dict[tuple[int, int], Sequence[str]] = {}
    for account_id, webhook_id in places:
        rows = tx.all("signing_secrets", account_id=account_id, webhook_id=webhook_id)
        found[account_id, webhook_id] = [
            secret for _, secret, expire_at in reversed(rows) if expire_at is None or expire_at > now_us
        ]
    return found


def delete_webhooks(tx: Transaction, items: list[tuple[int, int]]) -> list[bool]:
    """Delete each (account, webhook): it is called no more. False for no webhook of the account."""
    answers = []
    for account_id, webhook_id in items:
        mine = _owned(tx, account_id, webhook_id)
        if mine:
            tx.all("delete_webhook", webhook_id=webhook_id)
            tx.all("delete_signing_secrets", account_id=account_id, webhook_id=webhook_id)
            rows = tx.all("endpoints_by_id", endpoint_ids=[webhook_id])
            # What waits for it goes in batches of its own: there may be a million rows.
            tx.bulk("update_endpoints", [(webhook_id, 1, waiting, 0, 0) for *_, waiting, _, _ in rows])
        answers.append(mine)
    return answers


def _owned(tx: Transaction, account_id: int, webhook_id: int) -> bool:
    row = tx.one("webhook_owner", webhook_id=webhook_id)
    return row is not None and row[0] == account_id
