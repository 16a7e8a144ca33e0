"""Amounts of money as they are written: decimal numbers, kept as millionths."""

import re

from broker.cli.failures import UsageError

_AMOUNT = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,6}))?")


def micros_of(option: str, written: str) -> int:
    """The millionths of "5" or "0.035". Raises UsageError for anything else."""
    found = _AMOUNT.fullmatch(written.strip())
    if found is None:
        raise UsageError(f"{option}: {written!r} is no amount; write 5 or 0.035")
    return int(found[1]) * 1_000_000 + int((found[2] or "").ljust(6, "0"))


def amount_text(micros: int) -> str:
    """The same as people read it, with two decimals or as many as there are."""
    whole, rest = divmod(abs(micros), 1_000_000)
    sign = "-" if micros < 0 else ""
    return f"{sign}{whole:,}.{f'{rest:06}'.rstrip('0').ljust(2, '0')}"
