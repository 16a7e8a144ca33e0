"""Verbs of the accounts' policies. A policy is stored as JSON, fields that change nothing left out."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from typing import Any

import orjson

from broker.domain.account_policy import NO_POLICY, AccountPolicy
from broker.domain.frequency import FrequencyCap
from broker.domain.quiet_hours import QuietAction, QuietHours
from broker.domain.value import value
from broker.domain.vocabulary import Channel
from broker.storage.transaction import Transaction


@value
class NewPolicy:
    """A policy that takes the place of an account's."""

    account_id: int
    policy: AccountPolicy


def set_policies(tx: Transaction, items: list[NewPolicy]) -> list[bool]:
    """Whether there was such an account, for each; its decisions follow the new policy within a second."""
    tx.lock_accounts(item.account_id for item in items)
    there = {row[0] for row in tx.all("account_policies", account_ids=[item.account_id for item in items])}
    tx.bulk(
        "set_policies",
        [(account_id, dump_policy(policy)) for account_id, policy in _last(items) if account_id in there],
    )
    return [item.account_id in there for item in items]


def read_policies(tx: Transaction, account_ids: Collection[int]) -> dict[int, AccountPolicy]:
    """The policies of those accounts that there are."""
    rows = tx.all("account_policies", account_ids=list(account_ids))
    return {row[0]: load_policy(row[1]) for row in rows}


def dump_policy(policy: AccountPolicy) -> str:
    """The document of a policy."""
    given = {each.name: getattr(policy, each.name) for each in fields(policy)}
    return orjson.dumps({
        name: given[name] for name in given if given[name] != getattr(NO_POLICY, name)
    }).decode()


def load_policy(document: str) -> AccountPolicy:
    """The policy of a document."""
    if document == "{}":
        return NO_POLICY
    given: dict[str, Any] = orjson.loads(document)
    return AccountPolicy(**{name: _READ.get(name, _plain)(each) for name, each in given.items()})


def _plain(given: Any) -> Any:
    return tuple(given) if isinstance(given, list) else given


def _quiet_hours(given: Mapping[str, Any]) -> QuietHours:
    return QuietHours(
        given["start_minute"],
        given["end_minute"],
        tuple(given["days"]),
        given["time_zone"],
        QuietAction(given["action"]),
    )


_READ: Mapping[str, Callable[[Any], Any]] = {
    "channels": lambda given: tuple(map(Channel, given)),
    "quiet_hours": _quiet_hours,
    "frequency_cap": lambda given: FrequencyCap(given["count"], given["window_us"]),
}
"""What JSON does not give back as it was."""


def _last(items: list[NewPolicy]) -> list[tuple[int, AccountPolicy]]:
    return list({item.account_id: item.policy for item in items}.items())
