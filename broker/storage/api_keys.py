"""Verbs of API keys: add one, revoke one; and reading those of an account. Secrets are hashes here."""

from broker.domain.access import Role
from broker.domain.api_key import KEYS_MAX, REVOKED_KEPT_MAX, ApiKey
from broker.domain.value import value
from broker.storage.keeping import NewKey, create_keys
from broker.storage.transaction import Row, Transaction


@value
class Revocation:
    """A key to end; with `spare_role` not one that has this role."""

    account_id: int
    key_id: int
    now_us: int
    spare_role: Role | None = None


@value
class KeyQuery:
    """An account's keys in the order of their making, after one of them."""

    account_id: int
    after: int
    page_size: int
    with_revoked: bool


@value
class TooManyKeys:
    """The account has as many keys as it may."""

    allowed: int


@value
class NoSuchKey:
    """The account has no such key."""


@value
class KeySpared:
    """It has the role that was not to be revoked."""


def add_keys(tx: Transaction, items: list[NewKey]) -> list[ApiKey | TooManyKeys]:
    """Add keys, in order."""
    return [_add(tx, item) for item in items]


def _add(tx: Transaction, item: NewKey) -> ApiKey | TooManyKeys:
    tx.lock_accounts([item.account_id])
    count = tx.one("count_keys", account_id=item.account_id)
    assert count is not None
    if count[0] >= KEYS_MAX:
        return TooManyKeys(KEYS_MAX)
    create_keys(tx, [item])
    return ApiKey(
        item.key_id,
        item.account_id,
        item.role,
        item.now_us,
        item.description,
        item.calls_per_second,
        item.expire_at_us,
    )


def revoke_keys(tx: Transaction, items: list[Revocation]) -> list[ApiKey | NoSuchKey | KeySpared]:
    """Revoke keys, in order; one that was revoked before stays so since then."""
    return [_revoke(tx, item) for item in items]


def _revoke(tx: Transaction, item: Revocation) -> ApiKey | NoSuchKey | KeySpared:
    row = tx.one("key_of_account", account_id=item.account_id, key_id=item.key_id)
    if row is None:
        return NoSuchKey()
    if _key(row).role is item.spare_role:
        return KeySpared()
    if row[7] is None:
        tx.all("revoke_key", key_id=item.key_id, revoked_at=item.now_us)
        tx.all("forget_revoked_keys", account_id=item.account_id, kept=REVOKED_KEPT_MAX)
        row = (*row[:7], item.now_us)
    return _key(row)


def read_keys(tx: Transaction, query: KeyQuery) -> list[ApiKey]:
    """A page of an account's keys."""
    rows = tx.all(
        "keys_page",
        account_id=query.account_id,
        after=query.after,
        with_revoked=int(query.with_revoked),
        rows_max=query.page_size,
    )
    return [_key(row) for row in rows]


def _key(row: Row) -> ApiKey:
    key_id, account_id, role, created_at_us, description, calls_per_second, expire_at_us, revoked_at_us = row
    return ApiKey(
        key_id,
        account_id,
        Role(role),
        created_at_us,
        description,
        calls_per_second,
        expire_at_us,
        revoked_at_us,
    )
