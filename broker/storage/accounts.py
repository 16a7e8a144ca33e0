"""Verbs of accounts: add one to its tree, change one; and reading them."""

from dataclasses import replace
from typing import Any, TypeVar

import orjson

from broker.domain.account import DEPTH_MAX, Account, Profile, depth_of, email_key, place_of
from broker.domain.account_policy import NO_POLICY, AccountPolicy
from broker.domain.value import value
from broker.storage.policies import dump_policy, load_policy
from broker.storage.transaction import Row, Transaction

T = TypeVar("T")

LOWEST = "g"
"""After every path below an account, since paths are hexadecimal."""


@value
class AccountWish:
    """An account to add below another one, or at the top of a tree of its own.

    `sandbox_only` None: as the account above it, and at the top not; what `policy` says of it does not count.
    The broker may have `accounts_max`.
    """

    account_id: int
    parent_account_id: int | None
    name: str
    profile: Profile
    api_access: bool
    sandbox_only: bool | None
    now_us: int
    accounts_max: int
    policy: AccountPolicy = NO_POLICY


@value
class AccountChange:
    """What is to be another; None: as it is. Of `policy` the fields that `policy_fields` names are taken."""

    account_id: int
    now_us: int
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    contact_number: str | None = None
    company: str | None = None
    api_access: bool | None = None
    sandbox_only: bool | None = None
    policy: AccountPolicy = NO_POLICY
    policy_fields: frozenset[str] = frozenset()


@value
class AccountQuery:
    """Accounts in the order of their paths: `within` a path, or all with ""; after a path, so many.

    The account of the path itself is left out, with `children_only` also those that are not right below it.
    """

    within: str
    after: str
    page_size: int
    children_only: bool = False


@value
class EmailTaken:
    """Another account has the email."""


@value
class NoSuchAccount:
    """There is no such account, or none to stand below."""


@value
class TreeTooDeep:
    """The account above is as far down as one may be."""

    allowed: int


@value
class AccountsFull:
    """The broker has as many accounts as it may."""

    allowed: int


def add_accounts(
    tx: Transaction, items: list[AccountWish]
) -> list[Account | EmailTaken | NoSuchAccount | TreeTooDeep | AccountsFull]:
    """Add accounts, in order: one of the list may stand below one before it."""
    return [_add(tx, item) for item in items]


def _add(
    tx: Transaction, item: AccountWish
) -> Account | EmailTaken | NoSuchAccount | TreeTooDeep | AccountsFull:
    parent = None if item.parent_account_id is None else read_account(tx, item.parent_account_id)
    if item.parent_account_id is not None and parent is None:
        return NoSuchAccount()
    path = place_of(item.account_id, parent.path if parent else "")
    if depth_of(path) > DEPTH_MAX:
        return TreeTooDeep(DEPTH_MAX)
    if tx.one("account_by_email", email_key=email_key(item.profile.email)):
        return EmailTaken()
    count = tx.one("count_accounts")
    assert count is not None
    if count[0] >= item.accounts_max:
        return AccountsFull(item.accounts_max)
    sandboxed = parent is not None and parent.policy.sandbox_only
    account = Account(
        account_id=item.account_id,
        path=path,
        name=item.name,
        profile=item.profile,
        api_access=item.api_access,
        policy=replace(
            item.policy,
            sandbox_only=_or(item.sandbox_only, sandboxed),
            enforce_credit=item.policy.enforce_credit
            or (parent is not None and parent.policy.enforce_credit),
        ),
        created_at_us=item.now_us,
        updated_at_us=item.now_us,
    )
    tx.bulk("add_accounts", [(*_row(account), 0)])
    return account


def change_accounts(tx: Transaction, items: list[AccountChange]) -> list[Account | NoSuchAccount]:
    """Change accounts, in order."""
    return [_change(tx, item) for item in items]


def _change(tx: Transaction, item: AccountChange) -> Account | NoSuchAccount:
    found = read_account(tx, item.account_id)
    if found is None:
        return NoSuchAccount()
    profile = found.profile
    changed = Account(
        account_id=found.account_id,
        path=found.path,
        name=_or(item.name, found.name),
        profile=Profile(
            first_name=_or(item.first_name, profile.first_name),
            last_name=_or(item.last_name, profile.last_name),
            email=profile.email,
            contact_number=_or(item.contact_number, profile.contact_number),
            company=_or(item.company, profile.company),
        ),
        api_access=_or(item.api_access, found.api_access),
        policy=_changed_policy(found.policy, item),
        created_at_us=found.created_at_us,
        updated_at_us=item.now_us,
    )
    tx.all(
        "change_account",
        account_id=changed.account_id,
        name=changed.name,
        profile=_dump_profile(changed.profile),
        api_access=int(changed.api_access),
        policy=dump_policy(changed.policy),
        updated_at=changed.updated_at_us,
    )
    return changed


def _changed_policy(before: AccountPolicy, item: AccountChange) -> AccountPolicy:
    changes: dict[str, Any] = {name: getattr(item.policy, name) for name in item.policy_fields}
    if item.sandbox_only is not None:
        changes["sandbox_only"] = item.sandbox_only
    return replace(before, **changes)


def _or(wish: T | None, before: T) -> T:
    return before if wish is None else wish


def read_account(tx: Transaction, account_id: int) -> Account | None:
    """An account by its id."""
    row = tx.one("account_by_id", account_id=account_id)
    return None if row is None else _account(row)


def read_account_by_email(tx: Transaction, email: str) -> Account | None:
    """The account with an email, whatever its case."""
    row = tx.one("account_by_email", email_key=email_key(email))
    return None if row is None else _account(row)


def read_accounts(tx: Transaction, query: AccountQuery) -> list[Account]:
    """A page of accounts, each below the one that it belongs to."""
    first = max(query.within, query.after)
    rows = tx.all(
        "accounts_page",
        after=first,
        before=query.within + LOWEST,
        path_characters=len(place_of(0, query.within)) if query.children_only else 0,
        rows_max=query.page_size,
    )
    return [_account(row) for row in rows]


def _row(account: Account) -> Row:
    return (
        account.account_id,
        account.path,
        account.name,
        _dump_profile(account.profile),
        email_key(account.profile.email) or None,
        int(account.api_access),
        dump_policy(account.policy),
        account.created_at_us,
        account.updated_at_us,
    )


def _account(row: Row) -> Account:
    account_id, path, name, profile, api_access, policy, created_at_us, updated_at_us = row
    return Account(
        account_id,
        path,
        name,
        Profile(**orjson.loads(profile)),
        bool(api_access),
        load_policy(policy),
        created_at_us,
        updated_at_us or created_at_us,
    )


def _dump_profile(profile: Profile) -> str:
    given = ((name, getattr(profile, name)) for name in Profile.__dataclass_fields__)
    return orjson.dumps({name: each for name, each in given if each}).decode()
