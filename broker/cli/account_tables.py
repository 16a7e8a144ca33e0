"""Accounts and keys for people."""

from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import RenderableType
from rich.text import Text

from broker.cli.grid import Column, card, grid
from broker.cli.wording import word_of
from waypost.v1 import account_pb2, api_key_pb2

_ACCOUNTS = (
    Column("account id", whole=True),
    Column("name"),
    Column("email", rare=True),
    Column("above it", rare=True, whole=True),
    Column("switches", rare=True, styles={"no api access": "red"}),
)
_KEYS = (
    Column("key id", whole=True),
    Column("role", whole=True),
    Column("made"),
    Column("ends", rare=True),
    Column("revoked", rare=True, style="red"),
    Column("calls/s", right=True, rare=True),
    Column("description", rare=True),
)


def accounts_table(accounts: Sequence[account_pb2.Account]) -> RenderableType:
    """A row for each."""
    if not accounts:
        return Text("no account: `waypost accounts create` makes one")
    return grid(
        _ACCOUNTS,
        [
            (each.account_id, each.name, each.email, each.parent_account_id, _switches(each))
            for each in accounts
        ],
    )


def account_card(account: account_pb2.Account) -> RenderableType:
    """All of one account."""
    policy = account.policy
    return card(
        [
            ("account id", account.account_id),
            ("above it", account.parent_account_id),
            ("name", account.name),
            ("person", f"{account.first_name} {account.last_name}".strip()),
            ("email", account.email),
            ("contact number", account.contact_number),
            ("company", account.company),
            ("switches", _switches(account)),
            ("default region", policy.default_region),
            ("allowed countries", ", ".join(policy.allowed_countries)),
            ("made", _time(account.create_time)),
        ],
        {"no api access": "red"},
    )


def keys_table(keys: Sequence[api_key_pb2.ApiKey]) -> RenderableType:
    """A row for each."""
    if not keys:
        return Text("no key: `waypost keys create ROLE` makes one")
    return grid(_KEYS, [_key(each) for each in keys])


def _key(key: api_key_pb2.ApiKey) -> Sequence[str]:
    return (
        key.key_id,
        word_of(api_key_pb2.Role.DESCRIPTOR, key.role).lower(),
        _time(key.create_time),
        _time(key.expire_time) if key.HasField("expire_time") else "",
        _time(key.revoke_time) if key.HasField("revoke_time") else "",
        str(key.calls_per_second or ""),
        key.description,
    )


def _switches(account: account_pb2.Account) -> str:
    words = ["" if account.api_access else "no api access", "sandbox only" if account.sandbox_only else ""]
    return ", ".join(word for word in words if word)


def _time(time: Timestamp) -> str:
    return time.ToDatetime().strftime("%Y-%m-%d %H:%M")
