"""Account policies: what callers decide about their own messages, and how it is shown.

A field of the proto has the name of `AccountPolicy`'s field in the domain, whose rules check it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from broker.api.convert.findings import Findings
from broker.api.convert.words import CHANNELS
from broker.domain.account_policy import AccountPolicy, policy_problems
from waypost.v1 import account_pb2 as pb

_Read = Callable[[Any], Any]


def _channels(numbers: Sequence[int]) -> tuple[int, ...]:
    """What is no channel stays a number, which the rules refuse."""
    return tuple(CHANNELS.get(each, each) for each in numbers)


FIELDS: Mapping[str, tuple[_Read, _Read]] = {
    "default_region": (str, str),
    "allowed_countries": (tuple, list),
    "channels": (_channels, list),
    "passcode_ignores_opt_out": (bool, bool),
    "inbound_waits": (bool, bool),
    "help_answer": (str, str),
    "stop_answer": (str, str),
    "start_answer": (str, str),
}
"""How each field is read from the proto, and written to it."""


def policy_of(path: str, policy: pb.AccountPolicy, findings: Findings) -> AccountPolicy:
    """The policy that a caller writes down at `path` of its request."""
    given = AccountPolicy(**{name: read(getattr(policy, name)) for name, (read, _) in FIELDS.items()})
    for field, rule in policy_problems(given):
        findings.broke(f"{path}.{field}", rule)
    return given


def policy_message(policy: AccountPolicy) -> pb.AccountPolicy:
    """A policy as it is in force."""
    return pb.AccountPolicy(**{name: write(getattr(policy, name)) for name, (_, write) in FIELDS.items()})
