"""Lines of a file, many at once: what comes of them is what comes of each."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.audience import AudienceBlock, AudienceRow
from broker.domain.audience_file import Cell, Columns, columns_of, row_of_cells
from broker.domain.audience_lines import plain_block
from broker.storage.audience_rows import audience_columns, stored_block
from broker.testing.builders import NOW_US

HEADER = ["phone", "email", "send_time", "reference", "name", "town"]
NUMBER, MAIL, TIME = "+447700900123", "a@Example.org", "2020-02-29T10:00:00Z"
VALUES = st.one_of(
    st.sampled_from(["", " ", "Ada", 'a "b" \\', "100% %s", "Zoë", "a\nb", "\0", "\udc80"]), st.text()
)
NUMBERS = st.sampled_from([NUMBER, " +44 7700 900123", "+4915112345678", "+12", "", " "])
LINES = st.tuples(NUMBERS, st.just(MAIL), st.just(TIME), VALUES, VALUES, VALUES)


def block_of(lines: Sequence[Any], header: Sequence[str]) -> tuple[AudienceBlock | None, Columns]:
    """The lines as a block, and what their columns are."""
    columns = columns_of(header)
    assert isinstance(columns, Columns)
    return plain_block(7, lines, columns, NOW_US, ""), columns


def rows_of(block: AudienceBlock) -> list[tuple[object, ...]]:
    """The rows of audience 1 that are stored of a block."""
    stored = stored_block(block)
    lists = [each if isinstance(each, list) else [each] * stored.rows for each in stored.columns]
    return [(1, *cells) for cells in zip(*lists, strict=True)]


@given(st.lists(LINES, min_size=1, max_size=4), st.sets(st.sampled_from(range(1, 6))))
def test_a_block_is_what_its_lines_are(lines: list[tuple[str, ...]], left_out: set[int]) -> None:
    """With any of the columns; and wherever a line is bad or empty there is none."""
    given = [[cell for at, cell in enumerate(line) if at not in left_out] for line in lines]
    header = [name for at, name in enumerate(HEADER) if at not in left_out]
    block, columns = block_of(given, header)
    rows = [row_of_cells(at, line, columns, NOW_US) for at, line in enumerate(given, 7)]
    good = [row for row in rows if isinstance(row, AudienceRow)]
    if block is not None:
        assert len(good) == len(lines) == block.rows
        assert rows_of(block) == audience_columns(1, good)


def test_lines_of_most_files_are_a_block() -> None:
    """Addresses in any spelling, values or none, and times."""
    line = [NUMBER, MAIL, TIME, "r-1", 'Ada "Countess"', ""]
    block, _ = block_of([line, ["+44 7700 900124", *line[1:]]], HEADER)
    assert block is not None
    assert block.phone_numbers == [NUMBER, "+447700900124"]
    assert block.emails == ["a@example.org"] * 2


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("cannot be taken apart", id="a line that is none"),
        pytest.param([NUMBER], id="too short"),
        pytest.param([NUMBER, "Ada", "x"], id="too long"),
        pytest.param([NUMBER, 5], id="a number of a spreadsheet"),
        pytest.param(["", "Ada"], id="without an address"),
        pytest.param(["+12", "Ada"], id="a bad address"),
        pytest.param([NUMBER, " "], id="only spaces"),
        pytest.param([NUMBER, "x" * 2_001], id="too long a value"),
        pytest.param([NUMBER, "a\0"], id="a character that is none"),
    ],
)
def test_one_odd_line_has_each_looked_at(line: list[Cell] | str) -> None:
    """Where something may be wrong, each is asked what."""
    block, _ = block_of([[NUMBER, "Ada"], line], ["phone", "name"])
    assert block is None
