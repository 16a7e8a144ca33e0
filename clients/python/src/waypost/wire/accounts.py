"""Accounts and keys, to and from protobuf."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from waypost.accounts import Account, AccountPolicy, ApiKey, FrequencyCap, QuietHours
from waypost.v1 import account_pb2, api_key_pb2
from waypost.v1 import account_service_pb2 as pb
from waypost.vocabulary import Role
from waypost.wire.times import duration, span_of, time_of, timestamp
from waypost.wire.words import CHANNELS, QUIET_ACTIONS, ROLES

CHANGEABLE = frozenset({
    "api_access",
    "company",
    "contact_number",
    "first_name",
    "last_name",
    "name",
    "policy",
    "sandbox_only",
})


def new_account(policy: AccountPolicy | None, **given: Any) -> pb.CreateAccountRequest:
    """The account to make; what is None is left to the broker."""
    given = {name: value for name, value in given.items() if value is not None}
    account = account_pb2.Account(**given)
    if policy is not None:
        account.policy.CopyFrom(_policy_message(policy))
    return pb.CreateAccountRequest(account=account)


def update_of(account_id: str, changes: Mapping[str, Any]) -> pb.UpdateAccountRequest:
    """The changes. Raises TypeError for what cannot be changed."""
    if unknown := changes.keys() - CHANGEABLE:
        raise TypeError(f"{min(unknown)} cannot be changed; {', '.join(sorted(CHANGEABLE))} can")
    given = {name: value for name, value in changes.items() if name != "policy"}
    request = pb.UpdateAccountRequest(account=account_pb2.Account(account_id=account_id, **given))
    if "policy" in changes:
        request.account.policy.CopyFrom(_policy_message(changes["policy"]))
    request.update_mask.paths.extend(sorted(given))
    if "policy" in changes:  # field by field, so that what only a newer broker knows stays as it is
        request.update_mask.paths.extend(f"policy.{name}" for name in _DEFAULTS)
    return request


_DEFAULTS = {each.name: getattr(AccountPolicy(), each.name) for each in fields(AccountPolicy)}
_TRANSLATED = {"channels", "quiet_hours", "frequency_cap"}


def _policy_message(policy: AccountPolicy) -> account_pb2.AccountPolicy:
    plain: Any = {name: getattr(policy, name) for name in _DEFAULTS if name not in _TRANSLATED}
    message = account_pb2.AccountPolicy(channels=map(CHANNELS.number, policy.channels), **plain)
    if policy.quiet_hours is not None:
        quiet = policy.quiet_hours
        message.quiet_hours.CopyFrom(
            account_pb2.QuietHours(
                start_minute=quiet.start_minute,
                end_minute=quiet.end_minute,
                days=quiet.days,
                time_zone=quiet.time_zone,
                action=QUIET_ACTIONS.number(quiet.action),
            )
        )
    if policy.frequency_cap is not None:
        message.frequency_cap.count = policy.frequency_cap.count
        message.frequency_cap.window.CopyFrom(duration(policy.frequency_cap.window))
    return message


def _policy_of(message: account_pb2.AccountPolicy) -> AccountPolicy:
    plain: dict[str, Any] = {
        name: tuple(given) if isinstance(default, tuple) else given
        for name, default in _DEFAULTS.items()
        if name not in _TRANSLATED
        for given in (getattr(message, name),)
    }
    quiet = message.quiet_hours
    return AccountPolicy(
        channels=tuple(map(CHANNELS.word, message.channels)),
        quiet_hours=QuietHours(
            start_minute=quiet.start_minute,
            end_minute=quiet.end_minute,
            days=tuple(quiet.days),
            time_zone=quiet.time_zone,
            action=QUIET_ACTIONS.word(quiet.action),
        )
        if message.HasField("quiet_hours")
        else None,
        frequency_cap=FrequencyCap(
            count=message.frequency_cap.count, window=span_of(message.frequency_cap.window)
        )
        if message.HasField("frequency_cap")
        else None,
        **plain,
    )


def account_of(account: account_pb2.Account) -> Account:
    """An account."""
    return Account(
        account_id=account.account_id,
        parent_account_id=account.parent_account_id,
        name=account.name,
        first_name=account.first_name,
        last_name=account.last_name,
        email=account.email,
        contact_number=account.contact_number,
        company=account.company,
        api_access=account.api_access,
        sandbox_only=account.sandbox_only,
        policy=_policy_of(account.policy),
        create_time=time_of(account.create_time),
        update_time=time_of(account.update_time),
    )


def key_request(
    role: Role, account_id: str, description: str, expire_time: datetime | None, calls_per_second: int
) -> pb.CreateApiKeyRequest:
    """The key to make."""
    return pb.CreateApiKeyRequest(
        account_id=account_id,
        role=ROLES.number(role),
        description=description,
        expire_time=None if expire_time is None else timestamp(expire_time),
        calls_per_second=calls_per_second,
    )


def key_of(key: api_key_pb2.ApiKey) -> ApiKey:
    """A key."""
    return ApiKey(
        key_id=key.key_id,
        account_id=key.account_id,
        role=ROLES.word(key.role),
        description=key.description,
        calls_per_second=key.calls_per_second,
        create_time=time_of(key.create_time),
        expire_time=time_of(key.expire_time) if key.HasField("expire_time") else None,
        revoke_time=time_of(key.revoke_time) if key.HasField("revoke_time") else None,
    )
