"""The pepper's file."""

import stat
from pathlib import Path

import pytest

from broker.delivery.pepper import FILE_NAME, found_or_drawn_pepper, hash_with, mark_of, read_pepper


def test_a_pepper_is_drawn_once(tmp_path: Path) -> None:
    """Into a file that only its owner reads, where the next start finds it."""
    pepper = found_or_drawn_pepper(tmp_path / "new")
    path = tmp_path / "new" / FILE_NAME
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [pepper, pepper] == [found_or_drawn_pepper(tmp_path / "new"), read_pepper(path)]
    assert pepper != found_or_drawn_pepper(tmp_path / "other")


@pytest.mark.parametrize("text", ["", "xyz", "ab" * 31, "ab" * 33])
def test_what_is_no_pepper_is_refused(tmp_path: Path, text: str) -> None:
    """And not replaced: it may be half of the one that all keys need."""
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(ValueError, match=r"bytes|hex"):
        found_or_drawn_pepper(tmp_path)
    assert text == (tmp_path / FILE_NAME).read_text()


def test_a_mark_tells_peppers_apart_and_no_more() -> None:
    """It is no part of one, and no hash of a key."""
    one, two = b"p" * 32, b"q" * 32
    assert mark_of(one) != mark_of(two)
    assert mark_of(one) not in one.hex() + hash_with(one, "")
