"""Cursors: what is written is read back, and garbage is none."""

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.cursor import Cursor, format_cursor, parse_cursor

BIGINTS = st.integers(0, 2**63 - 1)
CURSORS = st.builds(Cursor, st.binary(min_size=8, max_size=8), BIGINTS, BIGINTS)
STORE = b"12345678"


def packed(version: int = 1, account_id: int = 7, sequence: int = 42, more: bytes = b"") -> str:
    """A cursor written by hand."""
    raw = struct.pack(">B8sqq", version, STORE, account_id, sequence) + more
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@given(CURSORS)
def test_a_cursor_is_read_back(cursor: Cursor) -> None:
    """Store, account and place."""
    assert cursor == parse_cursor(format_cursor(cursor))


@given(CURSORS)
def test_a_cursor_needs_no_escaping(cursor: Cursor) -> None:
    """In a URL, a header or a shell."""
    assert set() == {
        character for character in format_cursor(cursor) if not (character.isalnum() or character in "-_")
    }


@given(CURSORS, CURSORS)
def test_different_places_have_different_cursors(one: Cursor, other: Cursor) -> None:
    """And the same place has one."""
    assert (one == other) == (format_cursor(one) == format_cursor(other))


def test_the_written_form_never_changes() -> None:
    """Clients keep cursors for as long as events are kept."""
    assert "ATEyMzQ1Njc4AAAAAAAAAAcAAAAAAAAAKg" == format_cursor(Cursor(STORE, 7, 42))


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_any_text_is_a_cursor_or_none(text: str) -> None:
    """Nothing that a caller writes raises."""
    cursor = parse_cursor(text)
    assert cursor is None or cursor == parse_cursor(format_cursor(cursor))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("A", id="one character"),
        pytest.param("not a cursor", id="words"),
        pytest.param("ä" * 34, id="not ASCII"),
        pytest.param(packed()[:-2], id="cut short"),
        pytest.param(packed(more=b"\0"), id="a byte more"),
        pytest.param(packed(version=0), id="an older version"),
        pytest.param(packed(version=2), id="a later version"),
        pytest.param(packed(account_id=-1), id="a negative account"),
        pytest.param(packed(sequence=-1), id="a negative place"),
        pytest.param(packed() + "\n", id="a line break"),
    ],
)
def test_what_is_no_cursor_is_none(text: str) -> None:
    """The caller gets CURSOR_INVALID, not a defect."""
    assert None is parse_cursor(text)
