"""Logs: structured, one line an event, and never a body, a secret or a full address.

Only values under the names below pass; any other value is replaced by its type. A list of what may
pass fails safe: a new key says nothing until somebody decides that it may.

An address is shown as its mark: a keyed hash, by which two lines can be told to be about the same one, and the last two
digits of a number, by which a person who knows it finds them. Without the key nobody can try all numbers.
"""

import hashlib
import hmac
import logging
import secrets
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED_KEYS = frozenset({
    "account_id",
    "at",
    "attempt",
    "attempts",
    "batch",
    "boot",
    "count",
    "data_dir",
    "distribution",
    "entry_point",
    "error",
    "event",
    "events",
    "exception",
    "instance",
    "kind",
    "http_listen",
    "level",
    "limit",
    "listen",
    "logger",
    "message_id",
    "messages",
    "method",
    "node",
    "path",
    "pid",
    "plugin",
    "port",
    "provider",
    "reason",
    "retry_s",
    "seconds",
    "signal",
    "sqlite",
    "state",
    "success_rate",
    "timestamp",
    "type",
    "version",
})


ADDRESS_KEYS = frozenset({"address", "email", "phone_number", "recipient"})
"""What holds an address, and is shown as its mark."""

_MARK_CHARACTERS = 12
_TAIL_DIGITS = 2

_address_key = [secrets.token_bytes(32)]


def mark_addresses_with(key: bytes) -> None:
    """Make the same marks as every process that has the key."""
    _address_key[0] = hmac.new(key, b"waypost marks of addresses", hashlib.sha256).digest()


def address_mark(address: str) -> str:
    """What stands for an address in a log, as "#9f86d081884c..23"."""
    mark = hmac.new(_address_key[0], address.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
    bare = address.lstrip("+")
    tail = f"..{bare[-_TAIL_DIGITS:]}" if bare.isdecimal() and len(bare) > 2 * _TAIL_DIGITS else ""
    return f"#{mark[:_MARK_CHARACTERS]}{tail}"


def redact(_logger: object, _name: str, values: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace every value whose key is not known to be harmless."""
    # A renderer that finds an exception prints what it says.
    values.pop("exc_info", None)
    for key, value in values.items():
        if key in ADDRESS_KEYS and isinstance(value, str):
            values[key] = address_mark(value)
        elif key not in ALLOWED_KEYS:
            values[key] = f"<{type(value).__name__} withheld>"
    return values


def places_of(error: BaseException) -> list[str]:
    """Where an error happened, from the outermost call on, and never what it said: that may quote a caller."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def configure_logging(*, json: bool, level: str = "INFO") -> None:
    """Log to standard error, as JSON lines or for people."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
