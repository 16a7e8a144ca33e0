"""Text of a file, many lines at once: the cells are those that a reader of CSV finds."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.audience_text import table_of

PIECES = st.sampled_from([
    "a",
    "Zoë 1",
    "+44",
    "",
    " ",
    "  ",
    '"',
    "\\",
    ",",
    ";",
    "\t",
    "\0",
    "\x1c",
    "\u00a0",
    "\udc80",
])
LINES = st.lists(st.lists(PIECES, max_size=5).map("".join), min_size=1, max_size=4)


@given(LINES, st.sampled_from([",", ";", "\t", " ", "|", "^", "]", "-", "a"]), st.integers(1, 3))
def test_a_table_is_what_a_reader_of_csv_finds(lines: list[str], delimiter: str, width: int) -> None:
    """Cell for cell, all of them printable text and none only spaces; else there is none."""
    ended = [f"{line}\n" for line in lines]
    table = table_of(ended, delimiter, width)
    if table is not None:
        found = [row or [""] for row in csv.reader(ended, delimiter=delimiter, skipinitialspace=True)]
        assert found == [list(row) for row in zip(*table, strict=True)]
        assert all(cell.isprintable() and not cell.isspace() for row in found for cell in row)


@pytest.mark.parametrize(
    "lines",
    [["a,b\n", "c,d\n"], ["a,b\r\n", "c,d\r\n"], ["a,b\r\n", "c,d\n"], ["a,b\n", "c,d"], ["a,b\r\n", "c,d"]],
)
def test_a_line_ends_as_any_system_ends_it(lines: list[str]) -> None:
    """And the last one perhaps not at all."""
    assert [["a", "c"], ["b", "d"]] == table_of(lines, ",", 2)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("c\n", id="too few cells"),
        pytest.param("c,d,e\n", id="too many cells"),
        pytest.param("\n", id="nothing"),
        pytest.param('c,"d"\n', id="a quotation mark"),
        pytest.param("c, d\n", id="a space before a cell"),
        pytest.param(" c,d\n", id="a space before the line"),
        pytest.param("c,d\r", id="an end of a line that is none everywhere"),
        pytest.param("c,\x07\n", id="a control character"),
        pytest.param("c,\u2028\n", id="a separator of lines"),
        pytest.param("c,\udc80\n", id="no text"),
    ],
)
def test_what_needs_care_is_left_to_a_reader(line: str) -> None:
    """One such line among others is enough."""
    assert table_of(["a,b\n", line], ",", 2) is None
