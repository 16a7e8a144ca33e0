"""Options that several commands share, and how their values are written."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from broker.cli.failures import UsageError


class ChannelName(StrEnum):
    """Channels as they are written on the command line."""

    SMS = "sms"
    MMS = "mms"
    EMAIL = "email"
    PUSH = "push"
    IN_APP = "in_app"


class TrafficName(StrEnum):
    """What messages are for, as it is written on the command line."""

    TRANSACTIONAL = "transactional"
    PROMOTIONAL = "promotional"
    PASSCODE = "passcode"
    CONVERSATIONAL = "conversational"


class DelegationName(StrEnum):
    """Who gets a message in a contact's place, as it is written on the command line."""

    DIRECT = "direct"
    PRIORITY_CONTACT = "priority_contact"
    ALL_CONTACTS = "all_contacts"


class KindName(StrEnum):
    """Kinds of events as they are written on the command line."""

    MESSAGE = "message"
    INBOUND = "inbound"
    BROADCAST = "broadcast"
    OPT_IN = "opt_in"
    CLICK = "click"
    BALANCE = "balance"


_UNITS_S = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_SPAN_STEP = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_SPAN_S_MAX = 36_500 * 86_400.0
_CONNECTION = "Connection"

TargetOption = Annotated[
    str,
    typer.Option(
        metavar="HOST:PORT", envvar="WAYPOST_TARGET", help="The broker.", rich_help_panel=_CONNECTION
    ),
]
TARGET_DEFAULT = "127.0.0.1:7070"
KeyOption = Annotated[
    str | None,
    typer.Option(
        envvar="WAYPOST_KEY",
        help="The API key. On the broker's own host the admin key is found in --data-dir.",
        rich_help_panel=_CONNECTION,
    ),
]
DataDirOption = Annotated[
    Path,
    typer.Option(
        metavar="DIR",
        envvar="WAYPOST_DATA_DIR",
        help="The data directory of a broker on this host, for its admin.key.",
        rich_help_panel=_CONNECTION,
    ),
]
DATA_DIR_DEFAULT = Path("waypost-data")
TlsOption = Annotated[
    bool, typer.Option("--tls", help="Encrypt the connection.", rich_help_panel=_CONNECTION)
]
TlsCaOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Certificates to trust, PEM, instead of the system's; implies --tls.",
        rich_help_panel=_CONNECTION,
    ),
]


def tokens_of(option: str, written: Sequence[str]) -> dict[str, str]:
    """Values by name from words as "name=value". Raises UsageError for a word without a name, or one twice."""
    tokens: dict[str, str] = {}
    for word in written:
        name, equals, said = word.partition("=")
        if not (name and equals):
            raise UsageError(f"{option}: {word!r} is not NAME=VALUE")
        if name in tokens:
            raise UsageError(f"{option}: {name} is there twice")
        tokens[name] = said
    return tokens


def link_actions_of(written: Sequence[str]) -> list[tuple[str, str]]:
    """What each --link-action "text=URL" says and where it leads. Raises UsageError for another word."""
    actions = []
    for word in written:
        said, equals, url = word.partition("=")
        if not (said and equals and url):
            raise UsageError(f"--link-action: {word!r} is not TEXT=URL")
        actions.append((said, url))
    return actions


def span_s_of(option: str, written: str) -> float:
    """A span in seconds: a number of seconds, or steps such as "90s", "10m", "1h30m", "1.5d", "250ms".

    Raises UsageError for anything else.
    """
    text = written.strip()
    steps = _SPAN_STEP.findall(text)
    if _NUMBER.fullmatch(text):
        span_s = float(text)
    elif steps and "".join(number + unit for number, unit in steps) == text:
        span_s = sum(float(number) * _UNITS_S[unit] for number, unit in steps)
    else:
        raise UsageError(f"{option}: {written!r} is not a span; write 600, 600s, 10m or 1h30m")
    if span_s > _SPAN_S_MAX:
        raise UsageError(f"{option}: {written!r} is longer than a hundred years")
    return span_s


def span_of(option: str, written: str) -> timedelta:
    """The same as a timedelta."""
    return timedelta(seconds=span_s_of(option, written))


def time_of(option: str, written: str) -> datetime:
    """An RFC 3339 time in UTC; its offset is required, since a guess could be hours off.

    Raises UsageError for anything else.
    """
    try:
        time = datetime.fromisoformat(written.strip())
    except ValueError:
        time = None
    if time is None or len(written.strip()) < len("2026-12-24T18:00Z"):
        raise UsageError(f"{option}: {written!r} is not an RFC 3339 time; write 2026-12-24T18:00:00Z")
    if time.tzinfo is None:
        raise UsageError(
            f"{option}: {written!r} has no offset from UTC; end it with Z, or with one such as +01:00"
        )
    return time.astimezone(UTC)
