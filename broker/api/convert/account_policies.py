"""Account policies: what callers decide about their own messages, and how it is shown.

A field of the proto has the name of `AccountPolicy`'s field in the domain, whose rules check it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from broker.api.convert.findings import Findings
from broker.api.convert.time_zones import is_time_zone
from broker.api.convert.times import US_PER_S, duration, span_us_of
from broker.api.convert.words import CHANNELS
from broker.domain.account_policy import AccountPolicy, policy_problems
from broker.domain.frequency import FrequencyCap
from broker.domain.quiet_hours import EVERY_DAY, QuietAction, QuietHours
from waypost.v1 import account_pb2 as pb

_Read = Callable[[Any], Any]


def _channels(numbers: Sequence[int]) -> tuple[int, ...]:
    """What is no channel stays a number, which the rules refuse."""
    return tuple(CHANNELS.get(each, each) for each in numbers)


def _quiet_hours(quiet: pb.QuietHours) -> QuietHours | None:
    """None where nothing is said; an action that there is not stays a number, which the rules refuse."""
    if not quiet.ListFields():
        return None
    action: Any = quiet.action or QuietAction.WAIT
    if action in _ACTIONS:
        action = QuietAction(action)
    days = tuple(quiet.days) or EVERY_DAY
    return QuietHours(quiet.start_minute, quiet.end_minute, days, quiet.time_zone or "UTC", action)


def _quiet_message(quiet: QuietHours | None) -> pb.QuietHours | None:
    if quiet is None:
        return None
    return pb.QuietHours(
        start_minute=quiet.start_minute,
        end_minute=quiet.end_minute,
        days=quiet.days,
        time_zone=quiet.time_zone,
        action=cast("Any", int(quiet.action)),
    )


def _cap(cap: pb.FrequencyCap) -> FrequencyCap | None:
    """None where nothing is said; a window that no time fits into is 0, which the rules refuse."""
    if not cap.ListFields():
        return None
    return FrequencyCap(cap.count, span_us_of(cap.window) or 0)


def _cap_message(cap: FrequencyCap | None) -> pb.FrequencyCap | None:
    return (
        None if cap is None else pb.FrequencyCap(count=cap.count, window=duration(cap.window_us / US_PER_S))
    )


_ACTIONS = frozenset(map(int, QuietAction))

FIELDS: Mapping[str, tuple[_Read, _Read]] = {
    "default_region": (str, str),
    "allowed_countries": (tuple, list),
    "channels": (_channels, list),
    "passcode_ignores_opt_out": (bool, bool),
    "inbound_waits": (bool, bool),
    "help_answer": (str, str),
    "stop_answer": (str, str),
    "start_answer": (str, str),
    "confirm_opt_ins": (bool, bool),
    "quiet_hours": (_quiet_hours, _quiet_message),
    "frequency_cap": (_cap, _cap_message),
    "enforce_credit": (bool, bool),
    "low_balance_micros": (int, int),
    "senders_registered_only": (bool, bool),
    "link_domains": (tuple, list),
    "track_links": (bool, bool),
    "web_parameters": (tuple, list),
}
"""How each field is read from the proto, and written to it."""


def policy_of(path: str, policy: pb.AccountPolicy, findings: Findings) -> AccountPolicy:
    """The policy that a caller writes down at `path` of its request."""
    given = AccountPolicy(**{name: read(getattr(policy, name)) for name, (read, _) in FIELDS.items()})
    for field, rule in policy_problems(given):
        findings.broke(f"{path}.{field}", rule)
    if given.quiet_hours is not None and not is_time_zone(given.quiet_hours.time_zone):
        findings.broke(f"{path}.quiet_hours.time_zone", 'must be an IANA time zone, as "Europe/London"')
    return given


def policy_message(policy: AccountPolicy) -> pb.AccountPolicy:
    """A policy as it is in force."""
    return pb.AccountPolicy(**{name: write(getattr(policy, name)) for name, (_, write) in FIELDS.items()})
