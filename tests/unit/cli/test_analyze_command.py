"""Where the text of `analyze` comes from, and how it is shown measured."""

import pytest

from broker.cli.analysis_table import marked
from broker.cli.analyze_command import from_argument, from_stdin
from broker.cli.failures import UsageError


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (b"Hello\n", "Hello"),
        (b"Hello\r\n", "Hello"),
        (b"Hello\n\n", "Hello\n"),
        (b"Hello", "Hello"),
        ("✓\n".encode(), "✓"),
        (b"", ""),
    ],
)
def test_one_line_break_at_the_end_is_the_shells(read, expected) -> None:
    """Every other character is the text's."""
    assert expected == from_stdin(read)


def test_what_is_no_utf_8_is_refused() -> None:
    """By name, on either way in."""
    with pytest.raises(UsageError, match="at byte 2"):
        from_stdin(b"Hi\xff")
    with pytest.raises(UsageError, match="UTF-8"):
        from_argument("Hi\udcff")


def test_characters_that_force_ucs_2_are_marked_wherever_they_stand() -> None:
    """Also those that mean something in a pattern."""
    line = marked("a✓b*✓\n", ["✓", "*"])
    assert "a✓b*✓⏎" == line.plain
    assert [(1, 2), (3, 4), (4, 5)] == sorted((span.start, span.end) for span in line.spans)


def test_nothing_is_marked_where_nothing_forces() -> None:
    """A plain text stays plain."""
    assert [] == marked("Hello", []).spans
