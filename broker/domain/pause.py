"""How long an upstream asks to be left alone."""

from datetime import UTC
from email.utils import parsedate_to_datetime

PAUSE_S_MAX = 86_400.0
"""What asks for more than a day is a mistake, or somebody's joke."""


def retry_after_s(written: str | None, now_us: int) -> float | None:
    """The seconds that an HTTP Retry-After asks for: a whole number of them, or the date until which.

    0 to PAUSE_S_MAX; None where nothing was written, or nothing that has a meaning. A date counts from
    `now_us`, microseconds since 1970 UTC.
    """
    text = (written or "").strip()
    if text.isascii() and text.isdigit():
        digits = text.lstrip("0")[:6]  # which is enough to be past the limit
        return min(float(digits or 0), PAUSE_S_MAX)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # Where the zone is unknown, HTTP means UTC, and never that of this machine.
    until_s = (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp()
    return min(max(until_s - now_us / 1_000_000, 0.0), PAUSE_S_MAX)
