"""Whom to send to: recipients from the arguments or from a CSV file, each with what it says of its own."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from broker.cli.failures import UsageError

ADDRESS_COLUMNS = ("phone_number", "email", "device_token", "external_id")
OTHER_COLUMNS = ("name", "text", "client_reference")
ROWS_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One recipient. `text` and `client_reference` go before those of the command; `name` is only shown.

    `contact` names somebody of the directory, instead of an address. `tokens` are all that its line says, by the
    names of the columns as the file writes them.
    """

    phone_number: str = ""
    email: str = ""
    device_token: str = ""
    text: str = ""
    client_reference: str = ""
    name: str = ""
    contact: str = ""
    tokens: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def address(self) -> str:
        """The address to show where the broker has not said which one it took."""
        return self.phone_number or self.email or self.device_token or self.contact


@dataclass(frozen=True, slots=True)
class Recipients:
    """The rows in the order of the command or the file, and the file's columns that are good for tokens only."""

    rows: Sequence[Row]
    token_columns: Sequence[str] = ()


def row_of_address(address: str) -> Row:
    """A recipient as given on the command line: a mailbox where there is an "@", else a phone number."""
    return Row(email=address) if "@" in address else Row(phone_number=address)


def read_recipients(path: Path) -> Recipients:
    """The recipients of a CSV file with a header. Raises UsageError with the line that cannot be used."""
    try:
        # utf-8-sig: spreadsheets put a byte order mark before the first column's name.
        with path.open(encoding="utf-8-sig", newline="") as file:
            return parse_recipients(file, str(path))
    except OSError as error:
        raise UsageError(f"--csv: {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"--csv: {path} is not UTF-8") from error


def parse_recipients(lines: Iterable[str], name: str) -> Recipients:
    """The recipients of CSV text; `name` is the file's, for messages."""
    reader = csv.reader(lines, strict=True)
    try:
        written = [column.strip() for column in next(reader, [])]
        header = [column.lower() for column in written]
        _check_header(header, name)
        rows = list(_rows(reader, header, written, name))
    except csv.Error as error:
        raise UsageError(f"--csv: {name}, line {reader.line_num}: {error}") from error
    if not rows:
        raise UsageError(f"--csv: {name} has no recipients")
    others = [column for column in written if column.lower() not in {*ADDRESS_COLUMNS, *OTHER_COLUMNS}]
    return Recipients(rows, others)


def _check_header(header: Sequence[str], name: str) -> None:
    if not any(column in header for column in ADDRESS_COLUMNS):
        raise UsageError(
            f"--csv: {name}: the first line names the columns; one must be phone_number, email, "
            "device_token or external_id"
        )
    twice = {column for column in header if column and header.count(column) > 1}
    if twice:
        raise UsageError(f"--csv: {name}: column {min(twice)} is there twice")


def _rows(
    lines: Iterable[list[str]], header: Sequence[str], written: Sequence[str], name: str
) -> Iterator[Row]:
    for number, fields in enumerate(lines, start=1):
        if not any(each.strip() for each in fields):
            continue  # an empty line, as many files have at their end
        where = f"--csv: {name}, recipient {number}"
        if number > ROWS_MAX:
            raise UsageError(f"{where}: at most {ROWS_MAX:,} are sent at once; split the file")
        if len(fields) > len(header):
            raise UsageError(f"{where}: has {len(fields)} fields, and the header {len(header)}")
        values = dict(zip(header, fields, strict=False))
        row = Row(
            phone_number=values.get("phone_number", "").strip(),
            email=values.get("email", "").strip(),
            device_token=values.get("device_token", "").strip(),
            text=values.get("text", ""),
            client_reference=values.get("client_reference", "").strip(),
            name=values.get("name", "").strip(),
            contact=values.get("external_id", "").strip(),
            tokens=dict(zip(written, map(str.strip, fields), strict=False)),
        )
        if not row.address:
            raise UsageError(f"{where}: has no {', '.join(ADDRESS_COLUMNS[:-1])} or {ADDRESS_COLUMNS[-1]}")
        yield row
