"""Contacts from a CSV file: a header that names the columns, and a line for each contact."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from broker.cli.contact_words import ContactWords
from broker.cli.failures import UsageError

ROWS_MAX = 1_000_000
SEPARATOR = ";"
"""Between several values of one field."""

_TEXTS = ("title", "first_name", "last_name", "organisation", "locale", "time_zone")
_LISTS = {
    "phone_number": "phone_numbers",
    "phone_numbers": "phone_numbers",
    "email": "emails",
    "emails": "emails",
    "device_token": "device_tokens",
    "channels": "channels",
    "delegates": "delegates",
}
_PRIORITY = "priority_delegate"
_FIELDS = frozenset({"external_id", _PRIORITY, *_TEXTS, *_LISTS})
_PROPERTY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class _Lines(Protocol):
    """What `csv.reader` answers."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A line of the file: whom it is about, and what it says."""

    line: int
    external_id: str
    words: ContactWords


def read_contacts(path: Path) -> list[ContactRow]:
    """The contacts of a file. Raises UsageError for a file that cannot be used, with the line."""
    try:
        # utf-8-sig: spreadsheets put a byte order mark before the first column's name.
        with path.open(encoding="utf-8-sig", newline="") as file:
            return parse_contacts(file, str(path))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8") from error


def parse_contacts(lines: Iterable[str], name: str) -> list[ContactRow]:
    """The contacts of CSV text; `name` is the file's, for messages."""
    reader = csv.reader(lines, strict=True)
    try:
        header = [_known_column(column.strip()) for column in next(reader, [])]
        _check_header(header, name)
        rows = list(_rows(reader, header, name))
    except csv.Error as error:
        raise UsageError(f"{name}, line {reader.line_num}: {error}") from error
    if not rows:
        raise UsageError(f"{name} has no contacts")
    return rows


def _known_column(column: str) -> str:
    """Known columns in any case; a property's name stays as it is."""
    lower = column.lower()
    return lower if lower in _FIELDS else column


def _check_header(header: Sequence[str], name: str) -> None:
    if "external_id" not in header:
        raise UsageError(f"{name}: the first line names the columns; one must be external_id")
    fields = [_LISTS.get(column, column) for column in header]
    for column in header:
        if fields.count(_LISTS.get(column, column)) > 1:
            raise UsageError(f"{name}: column {column} is there twice")
        if not _PROPERTY.fullmatch(column):
            raise UsageError(
                f"{name}: column {column!r} is no field, and no name of a property: a letter or '_', then "
                "letters, digits and '_'"
            )
    if _PRIORITY in header and "delegates" not in header:
        raise UsageError(f"{name}: column {_PRIORITY} needs a column delegates")


def _rows(reader: _Lines, header: Sequence[str], name: str) -> Iterator[ContactRow]:
    for number, cells in enumerate(reader, start=1):
        if not any(cell.strip() for cell in cells):
            continue  # an empty line, as many files have at their end
        where = f"{name}, line {reader.line_num}"
        if number > ROWS_MAX:
            raise UsageError(f"{where}: at most {ROWS_MAX:,} are taken at once; split the file")
        if len(cells) > len(header):
            raise UsageError(f"{where}: has {len(cells)} fields, and the header {len(header)}")
        cells += [""] * (len(header) - len(cells))
        values = {column: cell.strip() for column, cell in zip(header, cells, strict=True)}
        if not values["external_id"]:
            raise UsageError(f"{where}: has no external_id")
        yield ContactRow(reader.line_num, values["external_id"], _words(values))


def _words(values: dict[str, str]) -> ContactWords:
    """What a line says; every column that the file has is said something about, if only that it is empty."""
    lists = {
        field: [each.strip() for each in values[column].split(SEPARATOR) if each.strip()]
        for column, field in _LISTS.items()
        if column in values
    }
    properties = {column: value for column, value in values.items() if column not in _FIELDS}
    return ContactWords(
        title=values.get("title"),
        first_name=values.get("first_name"),
        last_name=values.get("last_name"),
        organisation=values.get("organisation"),
        phone_numbers=lists.get("phone_numbers"),
        emails=lists.get("emails"),
        device_tokens=lists.get("device_tokens"),
        channels=lists.get("channels"),
        locale=values.get("locale"),
        time_zone=values.get("time_zone"),
        properties=[f"{name}={value}" for name, value in properties.items() if value] if properties else None,
        delegates=lists.get("delegates"),
        priority=values.get(_PRIORITY) or None,
    )
