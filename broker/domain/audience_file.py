"""Files of recipients: what their columns mean, and what each of their lines is good for.

Lines come as cells, wherever they were read from. Each becomes a recipient with normal addresses and with the
other columns as values for placeholders, or a problem that names what is wrong with it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any

from broker.domain.address import normal_mailbox, normal_number
from broker.domain.audience import AudienceRow
from broker.domain.tokens import NAME_CHARACTERS_MAX, VALUE_CHARACTERS_MAX
from broker.domain.value import value

COLUMNS_MAX = 100
SCHEDULE_AHEAD_US_MAX = 35 * 86_400 * 1_000_000
REFERENCE_CHARACTERS_MAX = 128
DATA_CHARACTERS_MAX = 2_048
DEVICE_TOKEN_CHARACTERS_MAX = 4_096

Cell = str | int | float | bool | datetime
"""What a reader finds: text, and in a spreadsheet also what has another type there."""


class Meaning(Enum):
    """What a column has, besides values for placeholders."""

    PHONE = "phone_number"
    EMAIL = "email"
    DEVICE = "device_token"
    TIME = "schedule_time"
    REFERENCE = "client_reference"
    DATA = "data"


_NAMES: Mapping[str, Meaning] = {
    **dict.fromkeys(
        (
            "phone",
            "phonenumber",
            "number",
            "mobile",
            "mobilenumber",
            "mobilephone",
            "cell",
            "cellphone",
            "msisdn",
            "tel",
            "telephone",
            "recipient",
            "recipientnumber",
            "contactnumber",
        ),
        Meaning.PHONE,
    ),
    **dict.fromkeys(("email", "emailaddress", "mail", "mailbox"), Meaning.EMAIL),
    "devicetoken": Meaning.DEVICE,
    **dict.fromkeys(("scheduletime", "sendtime", "datetosend"), Meaning.TIME),
    **dict.fromkeys(("clientreference", "reference"), Meaning.REFERENCE),
    **dict.fromkeys(("data", "datafield"), Meaning.DATA),
}
_NO_NAME = re.compile(r"[^A-Za-z0-9_]+")


@value
class Columns:
    """What each column of a file has: a meaning, or the name of the placeholder that it fills."""

    names: tuple[Meaning | str, ...]
    has_header: bool


@value
class FileRefused:
    """The file as a whole cannot be read, and why."""

    rule: str


def columns_of(first: Sequence[Cell], region: str = "") -> Columns | FileRefused:
    """The columns by a file's first line: a header, unless one of its cells is an address itself."""
    cells = [text_of(each).strip() for each in first]
    if len(cells) > COLUMNS_MAX:
        return FileRefused(f"has {len(cells)} columns; at most {COLUMNS_MAX} are allowed")
    names: list[Meaning | str]
    has_header = not any(normal_number(cell, region) or _is_mailbox(cell) for cell in cells)
    if has_header:
        names = [_named(cell, at) for at, cell in enumerate(cells, 1)]
    else:
        names = [_like(cell, at, region) for at, cell in enumerate(cells, 1)]
        names = [name if names.index(name) == at else f"column{at + 1}" for at, name in enumerate(names)]
    for at, name in enumerate(names):
        if name in names[:at]:
            shown = name.value if isinstance(name, Meaning) else name
            return FileRefused(f"has two columns for {shown}")
    if not {Meaning.PHONE, Meaning.EMAIL, Meaning.DEVICE} & set(names):
        return FileRefused("has no column with addresses: name one phone_number, email or device_token")
    return Columns(tuple(names), has_header)


def _named(cell: str, at: int) -> Meaning | str:
    known = _NAMES.get(re.sub(r"[\s_.-]+", "", cell.casefold()))
    return known or _NO_NAME.sub("_", cell).strip("_")[:NAME_CHARACTERS_MAX] or f"column{at}"


def _like(cell: str, at: int, region: str) -> Meaning | str:
    if normal_number(cell, region):
        return Meaning.PHONE
    return Meaning.EMAIL if _is_mailbox(cell) else f"column{at}"


def _is_mailbox(cell: str) -> bool:
    return "@" in cell and normal_mailbox(cell) is not None


def row_of_cells(
    number: int, cells: Sequence[Cell], columns: Columns, now_us: int, region: str = ""
) -> AudienceRow | str | None:
    """The recipient of a line, or what is wrong with it; None of an empty one."""
    names = columns.names
    if len(cells) > len(names) and any(map(text_of, cells[len(names) :])):
        return f"has {len(cells)} cells, and the file {len(names)} columns"
    found: dict[Meaning, str | int] = {}
    tokens: dict[str, str] = {}
    for name, cell in zip(names, cells, strict=False):
        text = cell if type(cell) is str else text_of(cell)
        if not text or text.isspace():
            continue
        if (not text.isprintable()) and (problem := _unfit(text)):
            return problem
        if type(name) is Meaning:
            kept, problem = JUDGES[name](text.strip(), cell, now_us, region)
            if problem:
                return problem
            found[name] = kept
        elif len(text) > VALUE_CHARACTERS_MAX:
            return f"{name} has {len(text)} characters; at most {VALUE_CHARACTERS_MAX} are allowed"
        else:
            tokens[str(name)] = text
    return _row(number, found, tokens)


def _row(
    number: int, found: Mapping[Meaning, str | int], tokens: Mapping[str, str]
) -> AudienceRow | str | None:
    get = found.get
    phone_number, email, device = get(Meaning.PHONE, ""), get(Meaning.EMAIL, ""), get(Meaning.DEVICE, "")
    if not (phone_number or email or device):
        return "has no address" if found or tokens else None
    more: dict[str, Any] = {"tokens": tokens} if tokens else {}
    if len(found) > 1:
        more |= {SHORT[name]: given for name, given in found.items() if name in SHORT}
    return AudienceRow(number, str(phone_number), str(email), str(device), more)


SHORT: Mapping[Meaning, str] = {Meaning.TIME: "at", Meaning.REFERENCE: "reference", Meaning.DATA: "data"}
"""By which names `AudienceRow.more` has them."""


def _unfit(text: str) -> str | None:
    if "\0" in text:
        return "contains the NUL character (U+0000)"
    if not text.isascii() and any("\udc80" <= each <= "\udcff" for each in text):
        return "has bytes that are no text in the file's encoding"
    return None


_Judged = tuple[str | int, str]
"""What is kept of a cell, and what is wrong with it or ""."""


def _phone(text: str, _cell: Cell, _now_us: int, region: str) -> _Judged:
    number = normal_number(text, region)
    return (number, "") if number else ("", "phone_number is not a number with its + and country code")


def _email(text: str, _cell: Cell, _now_us: int, _region: str) -> _Judged:
    mailbox = normal_mailbox(text)
    return (mailbox, "") if mailbox else ("", "email is not a mailbox")


def _time(text: str, cell: Cell, now_us: int, _region: str) -> _Judged:
    at_us = _time_us(cell if isinstance(cell, datetime) else text)
    if at_us is None:
        return 0, "schedule_time is not an ISO 8601 time, as 2026-12-24T18:00:00+01:00"
    ahead = at_us > now_us + SCHEDULE_AHEAD_US_MAX
    return at_us, "schedule_time is more than 35 days ahead" if ahead else ""


def _text(name: Meaning, characters_max: int) -> Callable[[str, Cell, int, str], _Judged]:
    def judge(text: str, _cell: Cell, _now_us: int, _region: str) -> _Judged:
        if len(text) > characters_max:
            return "", f"{name.value} has {len(text)} characters; at most {characters_max} are allowed"
        return text, ""

    return judge


JUDGES: Mapping[Meaning, Callable[[str, Cell, int, str], _Judged]] = {
    Meaning.PHONE: _phone,
    Meaning.EMAIL: _email,
    Meaning.TIME: _time,
    Meaning.DEVICE: _text(Meaning.DEVICE, DEVICE_TOKEN_CHARACTERS_MAX),
    Meaning.REFERENCE: _text(Meaning.REFERENCE, REFERENCE_CHARACTERS_MAX),
    Meaning.DATA: _text(Meaning.DATA, DATA_CHARACTERS_MAX),
}
"""What is kept of a cell: its text without space around it, itself, the time now and the region are given."""


def _time_us(given: str | datetime) -> int | None:
    """A time without an offset is UTC."""
    if isinstance(given, str):
        try:
            given = datetime.fromisoformat(given)
        except ValueError:
            return None
    if given.tzinfo is None:
        given = given.replace(tzinfo=UTC)
    return round(given.timestamp() * 1_000_000)


def text_of(cell: Cell) -> str:
    """A cell as text. A whole number of a spreadsheet has no point."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, datetime) else str(cell)


@cache
def shown(name: Meaning | str) -> str:
    """A column's name as callers see it."""
    return name.value if isinstance(name, Meaning) else name
