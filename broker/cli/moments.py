"""Moments as they are written for a search: a time, or how long ago."""

from datetime import datetime

from broker.cli.failures import UsageError
from broker.cli.options import span_of, time_of


def moment_of(option: str, written: str, now: datetime) -> datetime:
    """An RFC 3339 time, or the moment a span such as "2h" before `now`.

    A bare number is refused: nobody can tell a year from seconds. Raises UsageError for anything else too.
    """
    text = written.strip()
    if text[-1:].isalpha() and text[-1:] not in "zZ":
        return now - span_of(option, text)
    if "-" not in text:
        raise UsageError(
            f"{option}: {written!r} is neither a time nor a span; write 2026-12-24T18:00:00Z or 2h"
        )
    return time_of(option, text.upper())  # RFC 3339 has small letters too, Python has not
