"""Accounts: what callers write down about them, and how they are shown."""

from collections.abc import Mapping
from typing import Any

from broker.api.convert.account_policies import FIELDS as POLICY_FIELDS
from broker.api.convert.account_policies import policy_message, policy_of
from broker.api.convert.directory import MAILBOX_RULE, masked_fields
from broker.api.convert.findings import Findings
from broker.api.convert.ids import account_text
from broker.api.convert.times import timestamp
from broker.domain.account import (
    NAME_CHARACTERS_MAX,
    PERSON_NAME_CHARACTERS_MAX,
    Account,
    Profile,
    default_name,
    is_contact_number,
)
from broker.domain.address import normal_mailbox
from waypost.v1 import account_pb2 as pb
from waypost.v1 import account_service_pb2 as service_pb

CHANGEABLE = (
    "name",
    "first_name",
    "last_name",
    "contact_number",
    "company",
    "api_access",
    "sandbox_only",
    "policy",
    *(f"policy.{name}" for name in POLICY_FIELDS),
)
CONTACT_NUMBER_RULE = "must be 4 to 20 digits, with at most ' + - ( ) . /' between them"

_LINES: Mapping[str, int] = {
    "name": NAME_CHARACTERS_MAX,
    "first_name": PERSON_NAME_CHARACTERS_MAX,
    "last_name": PERSON_NAME_CHARACTERS_MAX,
    "company": NAME_CHARACTERS_MAX,
}
_REQUIRED = frozenset({"first_name", "last_name"})


def profile_of(account: pb.Account, findings: Findings) -> Profile:
    """Who answers for a new account."""
    _check(account, frozenset(CHANGEABLE) - {"name"}, findings)
    email = normal_mailbox(account.email)
    if email is None:
        findings.broke("account.email", MAILBOX_RULE)
    return Profile(
        first_name=account.first_name.strip(),
        last_name=account.last_name.strip(),
        email=email or "",
        contact_number=account.contact_number.strip(),
        company=account.company.strip(),
    )


def name_of(account: pb.Account, profile: Profile, findings: Findings) -> str:
    """What people call a new account."""
    findings.line("account.name", account.name, NAME_CHARACTERS_MAX)
    return account.name.strip() or default_name(profile)


def changes_of(request: service_pb.UpdateAccountRequest, findings: Findings) -> dict[str, Any]:
    """The new values, by the fields of AccountChange that they are for."""
    account = request.account
    fields = masked_fields(request.update_mask, CHANGEABLE, account, findings) & set(CHANGEABLE)
    _check(account, fields, findings)
    if "name" in fields and not account.name.strip():
        findings.broke("account.name", "must not be empty")
    for name in fields & {"api_access", "sandbox_only"}:
        if not account.HasField(name):  # type: ignore[arg-type]
            findings.broke(f"account.{name}", "must be set, since update_mask names it")
    changes: dict[str, Any] = {}
    for name in fields & (_LINES.keys() | {"contact_number"}):
        changes[name] = getattr(account, name).strip()
    for name in fields & {"api_access", "sandbox_only"}:
        changes[name] = getattr(account, name)
    if policy_fields := _policy_fields(fields):
        changes["policy"] = policy_of("account.policy", account.policy, findings)
        changes["policy_fields"] = policy_fields
    return changes


def _policy_fields(fields: frozenset[str]) -> frozenset[str]:
    if "policy" in fields:
        return frozenset(POLICY_FIELDS)
    return frozenset(each.removeprefix("policy.") for each in fields if each.startswith("policy."))


def account_message(account: Account) -> pb.Account:
    """An account as it is."""
    profile, parent = account.profile, account.parent_account_id
    return pb.Account(
        account_id=account_text(account.account_id),
        parent_account_id="" if parent is None else account_text(parent),
        name=account.name,
        first_name=profile.first_name,
        last_name=profile.last_name,
        email=profile.email,
        contact_number=profile.contact_number,
        company=profile.company,
        api_access=account.api_access,
        sandbox_only=account.policy.sandbox_only,
        policy=policy_message(account.policy),
        create_time=timestamp(account.created_at_us),
        update_time=timestamp(account.updated_at_us),
    )


def _check(account: pb.Account, fields: frozenset[str], findings: Findings) -> None:
    for name in sorted(fields & _LINES.keys()):
        written = getattr(account, name)
        findings.line(f"account.{name}", written, _LINES[name])
        if name in _REQUIRED and not written.strip():
            findings.broke(f"account.{name}", "must not be empty")
    if "contact_number" in fields and not is_contact_number(account.contact_number.strip()):
        findings.broke("account.contact_number", CONTACT_NUMBER_RULE)
