"""What was sent, counted."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One count. `group` has a word for each dimension that was asked for, "" where messages have none."""

    group: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts by group, in order, and their total over all messages, each once. Credits are in micros."""

    rows: Sequence[UsageRow]
    total: int
