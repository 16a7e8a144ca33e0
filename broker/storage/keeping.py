"""Verbs of start and housekeeping: the store's identity, ids, accounts, keys, and what is forgotten."""

from dataclasses import dataclass

from broker.domain.access import Principal, Role
from broker.domain.account import place_of
from broker.domain.ids import first_id_at
from broker.storage.agenda import UNSENT
from broker.storage.matching import forget_provider_ids
from broker.storage.parking import forget_parked_receipts
from broker.storage.transaction import Transaction

FORGET_ROWS_MAX = 2_000
"""Old rows go in batches of this size, so that no commit keeps callers waiting."""


@dataclass(frozen=True, slots=True)
class Boot:
    """What a start found. `boot` counts the starts; no id above `id_ceiling` was ever given.

    `newest_id` is the highest that is stored. Ids above it may have been given, and nobody saw them.
    """

    store_id: bytes
    boot: int
    id_ceiling: int
    newest_id: int


def boot(tx: Transaction, items: list[bytes]) -> list[Boot]:
    """Count this start; `items` holds the name that a new store gets."""
    if tx.one("read_store") is None:
        tx.all("create_store", store_id=items[0])
    tx.all("count_boot")
    row = tx.one("read_store")
    assert row is not None
    newest = tx.one("newest_id")
    return [Boot(row[0], row[1], row[2], (newest and newest[0]) or 0)] * len(items)


def raise_id_ceiling(tx: Transaction, items: list[int]) -> list[int]:
    """Record that ids up to the highest of `items` may be given."""
    ceiling = max(items)
    tx.all("raise_id_ceiling", ceiling=ceiling)
    return [ceiling] * len(items)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to create."""

    account_id: int
    name: str
    now_us: int


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to create; only its hash is stored."""

    key_id: int
    account_id: int
    role: Role
    secret_hash: str
    now_us: int
    expire_at_us: int | None = None
    description: str = ""
    calls_per_second: int = 0


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is stored."""

    principal: Principal
    secret_hash: str
    expire_at_us: int | None
    revoked_at_us: int | None


def create_accounts(tx: Transaction, items: list[NewAccount]) -> list[None]:
    """Create accounts at the top of trees, that nobody answers for yet."""
    rows = [(item.account_id, item.name, item.now_us, 0, place_of(item.account_id)) for item in items]
    tx.bulk("insert_accounts", rows)
    return [None] * len(items)


def create_keys(tx: Transaction, items: list[NewKey]) -> list[None]:
    """Create the keys."""
    tx.bulk(
        "insert_keys",
        [
            (
                item.key_id,
                item.account_id,
                item.role,
                item.secret_hash,
                item.now_us,
                item.expire_at_us,
                item.description,
                item.calls_per_second,
            )
            for item in items
        ],
    )
    return [None] * len(items)


def create_first_account(tx: Transaction, items: list[tuple[NewAccount, NewKey]]) -> list[None]:
    """An account and the key to it, together: either alone would lock everybody out."""
    create_accounts(tx, [account for account, _ in items])
    create_keys(tx, [key for _, key in items])
    return [None] * len(items)


def read_key(tx: Transaction, key_id: int) -> StoredKey | None:
    """A key by its id."""
    row = tx.one("key_by_id", key_id=key_id)
    if row is None:
        return None
    principal = Principal(row[0], row[1], Role(row[2]), api_access=bool(row[6]), calls_per_second=row[7])
    return StoredKey(principal, row[3], row[4], row[5])


def read_account_exists(tx: Transaction, account_id: int) -> bool:
    """Whether there is such an account."""
    return tx.one("account_last_sequence", account_id=account_id) is not None


def read_account_path(tx: Transaction, account_id: int) -> str | None:
    """Where an account stands in its tree, as `domain.account` writes it; None when there is no such account."""
    row = tx.one("account_path", account_id=account_id)
    return None if row is None else str(row[0])


def read_has_accounts(tx: Transaction) -> bool:
    """Whether there is any account: a new store has none."""
    return tx.one("any_account") is not None


@dataclass(frozen=True, slots=True)
class PepperMark:
    """What tells one pepper from another; `replaces`: it takes the place of the one before."""

    mark: str
    replaces: bool


def keep_pepper_mark(tx: Transaction, items: list[PepperMark]) -> list[str]:
    """The mark that the store had before each, "" for none; where it had none or `replaces`, it has this one now."""
    answers = []
    for item in items:
        row = tx.one("pepper_mark")
        before = str(row[0]) if row else ""
        if not before or item.replaces:
            tx.all("set_pepper_mark", mark=item.mark)
        answers.append(before)
    return answers


def read_first_account(tx: Transaction) -> int | None:
    """The oldest account, which the first start made."""
    row = tx.one("first_account")
    return None if row is None else row[0]


def read_due_counts(tx: Transaction) -> tuple[dict[int, int], int | None]:
    """How many messages wait for each kind of work, and when the first dispatch was or is due."""
    rows = tx.all("due_counts")
    return {row[0]: row[1] for row in rows}, min((row[2] for row in rows if row[0] in UNSENT), default=None)


@dataclass(frozen=True, slots=True)
class Forget:
    """Forget what is older: parked receipts, and provider ids of messages that ended before."""

    before_us: int


def forget_receipts(tx: Transaction, items: list[Forget]) -> list[int]:
    """Delete one batch for each item; answers how many rows went, so that the caller goes on."""
    gone = []
    for item in items:
        parked = forget_parked_receipts(tx, item.before_us, FORGET_ROWS_MAX)
        ended = forget_provider_ids(tx, first_id_at(item.before_us // 1_000), item.before_us, FORGET_ROWS_MAX)
        gone.append(parked + ended)
    return gone
