"""Reading files of recipients, a batch at a time: what kind they are is found out, unless it was said."""

import codecs
import csv
import io
from collections.abc import Generator, Iterator, Sequence
from enum import IntEnum
from typing import IO

from broker.domain.audience_file import Cell, FileRefused
from broker.domain.value import value

SAMPLE_BYTES = 65_536
DELIMITERS = ",;\t|"
CELL_CHARACTERS_MAX = 131_072
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


Line = tuple[int, Sequence[Cell]]
"""The number of the line that a row begins at, from 1, and its cells."""


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
    try:
        text = codecs.getincrementaldecoder(encoding)("replace").decode(sample)
    except LookupError:
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


def lines_of(file: IO[bytes], kind: FileKind) -> Generator[Line | tuple[int, str], None, None]:
    """The lines of a file, or of one that cannot be read what is wrong with it. Raises FileBroken."""
    if kind.format is FileFormat.EXCEL:
        yield from _lines_of_workbook(file)
        return
    text = io.TextIOWrapper(file, encoding=kind.encoding, errors="surrogateescape", newline="")
    try:
        if kind.format is FileFormat.TEXT:
            for number, line in enumerate(text, 1):
                yield number, [line.strip()]
        else:
            yield from _cells(text, kind.delimiter)
    except UnicodeError as error:
        raise FileBroken(f"is not written in {kind.encoding}: {error.reason}") from error  # type: ignore[attr-defined]
    finally:
        text.detach()


def _cells(text: io.TextIOWrapper, delimiter: str) -> Iterator[Line | tuple[int, str]]:
    reader = csv.reader(text, delimiter=delimiter, skipinitialspace=True)
    before = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield before + 1, f"cannot be taken apart: {error}"
        else:
            yield before + 1, cells
        before = reader.line_num


def _lines_of_workbook(file: IO[bytes]) -> Iterator[Line]:
    """The first sheet."""
    from python_calamine import CalamineError, CalamineWorkbook  # taken apart by few; 20 ms to load

    try:
        workbook = CalamineWorkbook.from_filelike(file)
        sheet = workbook.get_sheet_by_index(0)
        for number, cells in enumerate(sheet.iter_rows(), 1 + (sheet.start or (0, 0))[0]):
            yield number, [each if isinstance(each, Cell) else str(each) for each in cells]
    except CalamineError as error:
        raise FileBroken(f"cannot be read as a workbook: {error}") from error


class FileBroken(Exception):
    """A file turns out to be no such file in the middle of reading it."""
