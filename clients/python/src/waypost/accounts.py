"""Accounts and keys as they stand."""

from dataclasses import dataclass
from datetime import datetime

from waypost.vocabulary import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPolicy:
    """What an account has decided about its own messages. A default changes nothing."""

    default_region: str = ""
    allowed_countries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who sends. An empty str means that there is none.

    parent_account_id: the account right above it.
    api_access: whether its own keys may call.
    sandbox_only: whether its messages reach nobody.
    """

    account_id: str
    parent_account_id: str
    name: str
    first_name: str
    last_name: str
    email: str
    contact_number: str
    company: str
    api_access: bool
    sandbox_only: bool
    policy: AccountPolicy
    create_time: datetime
    update_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key without its secret. calls_per_second: 0: no limit of its own."""

    key_id: str
    account_id: str
    role: Role
    description: str
    calls_per_second: int
    create_time: datetime
    expire_time: datetime | None
    revoke_time: datetime | None
