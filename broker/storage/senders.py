"""Verbs of senders: register and remove them, and remember whom each recipient of a pool heard from."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import orjson

from broker.domain.sender import Sender, SenderCapability, SenderKind
from broker.domain.value import value
from broker.storage.transaction import Row, Transaction


@value
class NewSender:
    """A sender to register for an account that may have `senders_max`, and `pool_senders_max` in its pool."""

    sender: Sender
    senders_max: int
    pool_senders_max: int


@value
class SenderName:
    """Which sender of which account."""

    account_id: int
    sender_id: int


@value
class SenderTaken:
    """The account has this sender, of the same kind and country."""


@value
class SendersFull:
    """The account, or the pool where it is named, has as many senders as it may."""

    allowed: int
    pool: str = ""


@value
class SenderChoice:
    """The sender that a recipient of a pool gets; `recipient` is a `recipient_key`."""

    account_id: int
    pool: str
    recipient: str
    sender: str
    used_at_us: int


@value
class ChoiceWish:
    """Whose choices to read: the recipients of an account's pool, as `recipient_key`."""

    account_id: int
    pool: str
    recipients: Sequence[str]


@value
class ForgetChoices:
    """Forget at most `rows_max` choices that were not used since."""

    used_before_us: int
    rows_max: int


def add_senders(tx: Transaction, items: list[NewSender]) -> list[Sender | SenderTaken | SendersFull]:
    """Register senders, in order."""
    return [_add(tx, item) for item in items]


def _add(tx: Transaction, item: NewSender) -> Sender | SenderTaken | SendersFull:
    sender = item.sender
    account_id = sender.account_id
    if tx.one(
        "sender_by_value",
        value=sender.value,
        account_id=account_id,
        kind=sender.kind,
        country=sender.country,
    ):
        return SenderTaken()
    counts = tx.one("count_senders", account_id=account_id, pool=sender.pool)
    assert counts is not None
    if counts[0] >= item.senders_max:
        return SendersFull(item.senders_max)
    if sender.pool and counts[1] >= item.pool_senders_max:
        return SendersFull(item.pool_senders_max, sender.pool)
    tx.bulk("insert_senders", [_row(sender)])
    return sender


def remove_senders(tx: Transaction, items: list[SenderName]) -> list[bool]:
    """Remove senders; False for one that the account does not have."""
    return [
        bool(tx.all("delete_sender", sender_id=item.sender_id, account_id=item.account_id)) for item in items
    ]


def read_senders(tx: Transaction, account_id: int) -> list[Sender]:
    """An account's senders, oldest first."""
    return [_sender(row) for row in tx.all("senders_of_account", account_id=account_id)]


def read_accounts_with_senders(tx: Transaction) -> set[int]:
    """The accounts that have any."""
    return {row[0] for row in tx.all("accounts_with_senders")}


def read_owners(tx: Transaction, senders: Collection[str]) -> Mapping[str, set[int]]:
    """The accounts that have registered each of these senders, by its value; those that nobody has are left out."""
    owners: defaultdict[str, set[int]] = defaultdict(set)
    for sender, account_id in tx.all("sender_owners", senders=sorted(senders)):
        owners[sender].add(account_id)
    return owners


def read_choices(tx: Transaction, wishes: list[ChoiceWish]) -> list[dict[str, str]]:
    """For each wish the senders that its recipients got last, by `recipient_key`."""
    return [
        dict(
            tx.all(
                "sender_choices",
                account_id=wish.account_id,
                pool=wish.pool,
                recipients=list(wish.recipients),
            )
        )
        for wish in wishes
    ]


def keep_choices(tx: Transaction, items: list[SenderChoice]) -> list[None]:
    """Remember choices; of several for one recipient the last."""
    latest = {(item.account_id, item.pool, item.recipient): item for item in items}
    rows = [(*key, item.sender, item.used_at_us) for key, item in latest.items()]
    tx.bulk("keep_sender_choices", rows)
    return [None] * len(items)


def forget_choices(tx: Transaction, items: list[ForgetChoices]) -> list[int]:
    """Forget one batch for each item; answers how many went, so that the caller goes on."""
    return [
        len(tx.all("forget_sender_choices", used_before=item.used_before_us, rows_max=item.rows_max))
        for item in items
    ]


def _row(sender: Sender) -> tuple[object, ...]:
    return (
        sender.sender_id,
        sender.account_id,
        sender.value,
        int(sender.kind),
        sender.country,
        orjson.dumps(sorted(map(int, sender.capabilities))).decode(),
        orjson.dumps(sender.providers).decode(),
        sender.pool,
        orjson.dumps(sender.tags).decode(),
        int(sender.default),
        sender.created_at_us,
    )


def _sender(row: Row) -> Sender:
    return Sender(
        sender_id=row[0],
        account_id=row[1],
        value=row[2],
        kind=SenderKind(row[3]),
        country=row[4],
        capabilities=frozenset(map(SenderCapability, orjson.loads(row[5]))),
        providers=tuple(orjson.loads(row[6])),
        pool=row[7],
        tags=tuple(orjson.loads(row[8])),
        default=bool(row[9]),
        created_at_us=row[10],
    )
