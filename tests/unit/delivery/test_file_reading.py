"""Files of recipients taken apart: whatever is read at once, lines and their numbers are the same."""

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.delivery.broadcasts.file_reading import (
    LINE_CHARACTERS_MAX,
    FileBroken,
    FileFormat,
    FileKind,
    NumberedLine,
    Table,
    source_of,
)

KIND = FileKind(FileFormat.CSV, "utf-8", ",")
TEXTS = st.lists(
    st.sampled_from(["a", "b c", ",", ",", "\n", "\n", "\r\n", "\r", '"', '"x\ny"', " ", "Zoë"]), max_size=40
).map("".join)


def parts_of(text: str, lines_max: int, kind: FileKind = KIND) -> list[Table | Sequence[NumberedLine]]:
    """All of a file, so many lines at once."""
    source = source_of(io.BytesIO(text.encode()), kind)
    parts = []
    while part := source.part(lines_max, 2):
        parts.append(part)
    source.close()
    return parts


def lines_of(parts: Sequence[Table | Sequence[NumberedLine]]) -> list[NumberedLine]:
    """All lines that have cells."""
    numbered = [line for part in parts for line in (part.lines() if isinstance(part, Table) else part)]
    return [(number, cells) for number, cells in numbered if cells]


def read_one_by_one(text: str) -> list[NumberedLine]:
    """What Python's reader finds."""
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    found: list[NumberedLine] = []
    before = 0
    for cells in reader:
        found.append((before + 1, cells))
        before = reader.line_num
    return [(number, cells) for number, cells in found if cells]


@given(TEXTS, st.integers(1, 7))
def test_lines_are_those_that_are_read_one_by_one(text: str, lines_max: int) -> None:
    """With lines in quotes, which may go on beyond what is read at once, and empty ones."""
    assert read_one_by_one(text) == lines_of(parts_of(text, lines_max))


def test_plain_lines_come_as_a_table() -> None:
    """Until a line needs care, and after it."""
    first, odd, last = parts_of('a,b\nc,d\ne,"f"\ng,h\ni,j', 2)
    assert (Table(1, [["a", "c"], ["b", "d"]]), Table(5, [["i"], ["j"]])) == (first, last)
    assert [(3, ["e", "f"]), (4, ["g", "h"])] == odd


def test_a_line_that_cannot_be_taken_apart_is_told_of() -> None:
    """And the lines around it are kept, each with its number."""
    usual = csv.field_size_limit(1_000)
    try:
        found = lines_of(parts_of(f'a,b\n"c\nd",e\n"{"x" * 1_001}"\nf,g\n', 10))
    finally:
        csv.field_size_limit(usual)
    problem = "cannot be taken apart: field larger than field limit (1000)"
    assert [(1, ["a", "b"]), (2, ["c\nd", "e"]), (4, problem), (5, ["f", "g"])] == found


def test_plain_text_is_a_column() -> None:
    """Without the space around each line; a line that cannot be printed has them come one by one."""
    kind = FileKind(FileFormat.TEXT, "utf-8")
    assert [Table(1, [["a", "", "b c"]])] == parts_of("a\n\n b c \r\n", 10, kind)
    assert [[(1, ["a"]), (2, ["b\0"])]] == parts_of("a\nb\0\n", 10, kind)


def test_what_is_not_written_in_its_encoding_is_told() -> None:
    """As the whole file's fault."""
    source = source_of(io.BytesIO(b"\xff\xfea\0\0"), FileKind(FileFormat.CSV, "utf-16", ","))
    with pytest.raises(FileBroken, match="is not written in utf-16"):
        source.lines(1)
    source.close()


@pytest.mark.parametrize("kind", [KIND, FileKind(FileFormat.TEXT, "utf-8", "")])
def test_a_line_without_an_end_is_not_read_whole(kind: FileKind) -> None:
    """It is told with its number, and what came after it was not read; one of the most characters passes."""
    longest = "x" * (LINE_CHARACTERS_MAX - 1) + "\n"
    assert [1, 2] == [number for number, _ in lines_of(parts_of("a\n" + longest, 512, kind))]
    file = io.BytesIO(f"a\n{longest[:-1]}yz{'z' * 10_000_000}".encode())
    source = source_of(file, kind)
    with pytest.raises(FileBroken, match="has more than 65,536 characters in line 2"):
        source.part(4, 1)
    source.close()
    assert file.tell() < 1_000_000
