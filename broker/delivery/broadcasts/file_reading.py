"""Reading files of recipients, a batch at a time: what kind they are is found out, unless it was said."""

import codecs
import csv
import io
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from functools import partial
from itertools import chain, islice
from typing import IO, Protocol

from broker.domain.audience_file import Cell, FileRefused
from broker.domain.audience_text import table_of
from broker.domain.value import value

SAMPLE_BYTES = 65_536
DELIMITERS = ",;\t|"
LINE_CHARACTERS_MAX = 65_536
"""A file is read by lines, so what has none would be in memory whole."""

EXCEL_BYTES_MAX = 64 * 1_048_576
"""A workbook is taken apart in memory, so it may not be large."""

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class FileFormat(IntEnum):
    """How a file is written. Numbers equal those of the protos."""

    CSV = 1
    TSV = 2
    TEXT = 3
    """A recipient a line, and nothing else."""
    EXCEL = 4


@value
class FileWish:
    """What a caller says of a file; what is None is found out. `keeps_good`: bad lines refuse only themselves."""

    format: FileFormat | None = None
    encoding: str | None = None
    delimiter: str | None = None
    keeps_good: bool = False


@value
class FileKind:
    """How a file is written, as it was found or said. A workbook has neither encoding nor delimiter."""

    format: FileFormat
    encoding: str = ""
    delimiter: str = ""


NumberedLine = tuple[int, Sequence[Cell] | str]
"""The number of the line that a row begins at, from 1, and its cells, or why it has none."""


@value
class Table:
    """Lines that follow each other, `number` the first: cells by columns, printable text and none of it only spaces."""

    number: int
    columns: Sequence[Sequence[str]]

    def lines(self) -> Sequence[NumberedLine]:
        """The same line by line."""
        return [
            (number, list(cells)) for number, cells in enumerate(zip(*self.columns, strict=True), self.number)
        ]


def kind_of(file: IO[bytes], wish: FileWish) -> FileKind | FileRefused:
    """How a file is written; it stands at its beginning before and after."""
    sample = file.read(SAMPLE_BYTES)
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if not sample:
        return FileRefused("is empty")
    is_workbook = sample.startswith((_ZIP, _OLE))
    if wish.format is FileFormat.EXCEL or (wish.format is None and is_workbook):
        if not is_workbook:
            return FileRefused("is no workbook")
        if size > EXCEL_BYTES_MAX:
            return FileRefused(f"has {size:,} bytes; a workbook may have {EXCEL_BYTES_MAX:,}. Save it as CSV")
        return FileKind(FileFormat.EXCEL)
    encoding = wish.encoding or _encoding_of(sample, whole=size <= len(sample))
    try:  # codecs have more names, of what is no text
        text = io.TextIOWrapper(io.BytesIO(sample), encoding=encoding, errors="replace").read()
    except (LookupError, UnicodeError):
        return FileRefused(f"has no encoding {encoding!r} that is known here")
    delimiter = wish.delimiter or _delimiter_of(text, wish.format)
    return FileKind(wish.format or _format_of(delimiter), encoding, delimiter)


def _encoding_of(sample: bytes, *, whole: bool) -> str:
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=whole)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _delimiter_of(text: str, given: FileFormat | None) -> str:
    """The one that stands most often in the first line, where it stands as often in the others; "" for none."""
    if given is FileFormat.TSV:
        return "\t"
    if given is FileFormat.TEXT:
        return ""
    first = next(iter(text.splitlines()), "")
    counts = {each: _count(first, each) for each in DELIMITERS}
    best = max(DELIMITERS, key=counts.__getitem__)
    if counts[best]:
        return best
    return "," if given is FileFormat.CSV else ""


def _count(line: str, delimiter: str) -> int:
    """How often it separates cells, not counting where it stands in quotes."""
    return max(0, len(next(csv.reader([line], delimiter=delimiter), ())) - 1)


def _format_of(delimiter: str) -> FileFormat:
    if not delimiter:
        return FileFormat.TEXT
    return FileFormat.TSV if delimiter == "\t" else FileFormat.CSV


def source_of(file: IO[bytes], kind: FileKind) -> "Source":
    """The lines of a file, from its beginning."""
    return _Workbook(file) if kind.format is FileFormat.EXCEL else _Text(file, kind)


class Source(Protocol):
    """A file that is read from its beginning to its end."""

    def lines(self, lines_max: int) -> Sequence[NumberedLine]:
        """The next lines; none at the end. Raises FileBroken."""

    def part(self, lines_max: int, width: int) -> Table | Sequence[NumberedLine]:
        """The same of a file with so many columns, as a table where nothing in them needs care."""

    def close(self) -> None:
        """Let go of the file, which stays open."""


class _Text:
    """Text with cells between delimiters, or with a recipient a line."""

    def __init__(self, file: IO[bytes], kind: FileKind) -> None:
        self._kind = kind
        self._text = io.TextIOWrapper(file, encoding=kind.encoding, errors="surrogateescape", newline="")
        # Of a line that is too long so much is read that it shows.
        self._lines = iter(partial(self._text.readline, LINE_CHARACTERS_MAX + 1), "")
        self._done = 0

    def close(self) -> None:
        self._text.detach()

    def _next(self, lines_max: int) -> list[str]:
        lines = list(islice(self._lines, lines_max))
        if lines and len(longest := max(lines, key=len)) > LINE_CHARACTERS_MAX:
            number = self._done + lines.index(longest) + 1
            raise FileBroken(f"has more than {LINE_CHARACTERS_MAX:,} characters in line {number:,}")
        return lines

    def lines(self, lines_max: int) -> Sequence[NumberedLine]:
        with self._failures_named():
            return self._numbered(self._next(lines_max))

    def part(self, lines_max: int, width: int) -> Table | Sequence[NumberedLine]:
        with self._failures_named():
            lines = self._next(lines_max)
            columns = self._columns(lines, width) if lines else None
            return self._numbered(lines) if columns is None else Table(self._begin(len(lines)), columns)

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            yield
        except UnicodeError as error:
            reason = error.reason if isinstance(error, UnicodeDecodeError) else str(error)
            raise FileBroken(f"is not written in {self._kind.encoding}: {reason}") from error

    def _columns(self, lines: Sequence[str], width: int) -> Sequence[Sequence[str]] | None:
        if self._kind.format is not FileFormat.TEXT:
            return table_of(lines, self._kind.delimiter, width)
        recipients = list(map(str.strip, lines))
        return [recipients] if "".join(recipients).isprintable() else None

    def _begin(self, lines: int) -> int:
        """The number of the first of so many lines."""
        self._done += lines
        return self._done - lines + 1

    def _numbered(self, lines: Sequence[str]) -> Sequence[NumberedLine]:
        if self._kind.format is not FileFormat.TEXT:
            return self._records(lines)
        return [(number, [line.strip()]) for number, line in enumerate(lines, self._begin(len(lines)))]

    def _records(self, lines: Sequence[str]) -> Sequence[NumberedLine]:
        """Lines as a reader of CSV finds them; the last one may have more lines in its quotes than were given."""
        reader = csv.reader(chain(lines, self._lines), delimiter=self._kind.delimiter, skipinitialspace=True)
        ends: list[tuple[int, Sequence[Cell] | str]] = []
        while (left := len(lines) - reader.line_num) > 0:
            try:  # what came before an error is kept
                ends.extend((reader.line_num, cells) for cells in islice(reader, left))
            except csv.Error as error:
                ends.append((reader.line_num, f"cannot be taken apart: {error}"))
        number = self._begin(reader.line_num)
        begins = [number, *[number + end for end, _ in ends]]
        return [(begin, cells) for begin, (_, cells) in zip(begins, ends, strict=False)]


class _Workbook:
    """The first sheet of a workbook."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._lines = self._read()

    def close(self) -> None:
        self._lines.close()

    def lines(self, lines_max: int) -> Sequence[NumberedLine]:
        return list(islice(self._lines, lines_max))

    def part(self, lines_max: int, width: int) -> Sequence[NumberedLine]:
        del width
        return self.lines(lines_max)

    def _read(self) -> Generator[NumberedLine, None, None]:
        from python_calamine import CalamineError, CalamineWorkbook  # taken apart by few; 20 ms to load

        try:
            workbook = CalamineWorkbook.from_filelike(self._file)
            sheet = workbook.get_sheet_by_index(0)
            for number, cells in enumerate(sheet.iter_rows(), 1 + (sheet.start or (0, 0))[0]):
                yield number, [each if isinstance(each, Cell) else str(each) for each in cells]
        except CalamineError as error:
            raise FileBroken(f"cannot be read as a workbook: {error}") from error


class FileBroken(Exception):
    """A file turns out to be no such file in the middle of reading it."""
