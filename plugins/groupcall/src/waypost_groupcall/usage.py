"""Groupcall's usage: what is asked, and the counts in its answer. Pure.

The document prints no answer. So every number of every row is a count, under the words of its row and its field.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from broker.spi import UpstreamUsage
from waypost_groupcall.answers import read_json
from waypost_groupcall.settings import GroupcallSettings

COUNTS_MAX = 10_000
NAME_CHARACTERS_MAX = 128


class NoUsage(Exception):
    """Groupcall told no usage; its text is Groupcall's status and nothing else."""


def document(first: date, last: date, settings: GroupcallSettings) -> dict[str, str]:
    """What is asked, without credentials."""
    return {
        settings.name_of("start_date"): first.isoformat(),
        settings.name_of("end_date"): last.isoformat(),
    }


def counts(status: int, body: bytes, settings: GroupcallSettings) -> list[UpstreamUsage]:
    """The counts of an answer. Raises NoUsage where it is none."""
    answer = read_json(body)
    if status != 200:
        raise NoUsage(f"http_{status}")
    rows = _rows(answer)
    if rows is None:
        raise NoUsage("unreadable")
    found = [each for row in rows for each in _counts(row, settings.name_of("day"))]
    if len(found) > COUNTS_MAX:
        raise NoUsage("too_many_counts")
    return found


def _rows(answer: Any) -> list[dict[str, Any]] | None:
    """The rows: a list, or the one list in an object, or an object that is a row itself."""
    if isinstance(answer, dict):
        lists = [each for each in answer.values() if isinstance(each, list)]
        counted = any(_is_count(name, each) for name, each in answer.items())
        answer = lists[0] if len(lists) == 1 else [answer] if counted else None
    if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
        return None
    return answer


def _counts(row: dict[str, Any], day_name: str) -> Iterator[UpstreamUsage]:
    named = {name.lower(): each for name, each in row.items()}
    day = _day(named.get(day_name.lower()))
    kinds = [each for name, each in row.items() if isinstance(each, str) and name.lower() != day_name.lower()]
    for name, number in row.items():
        if _is_count(name, number):
            words = " ".join([*kinds, name])
            yield UpstreamUsage(
                "".join(each for each in words if each.isprintable())[:NAME_CHARACTERS_MAX], number, day
            )


def _is_count(name: str, number: object) -> bool:
    """Whether a field counts something: ids are numbers, and count nothing."""
    return isinstance(number, int) and not isinstance(number, bool) and not name.lower().endswith("id")


def _day(written: object) -> date | None:
    try:
        return date.fromisoformat(written[:10]) if isinstance(written, str) else None
    except ValueError:
        return None
