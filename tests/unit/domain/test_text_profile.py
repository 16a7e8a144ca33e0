"""The restricted text profile, character by character."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.text_profile import restricted_length, restricted_refusal

SINGLE = string.ascii_letters + string.digits + " .,:;!?()-_@$&"
SINGLE = "".join(each for each in SINGLE if each != "@")
DOUBLE = "~@#%+=/\\"


@given(st.text(alphabet=SINGLE), st.text(alphabet=DOUBLE))
def test_eight_characters_count_twice(single: str, double: str) -> None:
    """And the others once, wherever they stand."""
    assert len(single) + 2 * len(double) == restricted_length(single + double)


def test_a_line_break_counts_as_two() -> None:
    """It is two characters as it is."""
    assert 4 == restricted_length("a\r\nb")


@given(st.characters(exclude_characters=SINGLE + DOUBLE, exclude_categories=["Cs"]))
def test_every_other_character_is_refused(character: str) -> None:
    """By its code point; a lone CR or LF is no line break."""
    assert f"the character U+{ord(character):04X} is not allowed" == restricted_refusal({"text": character})


@pytest.mark.parametrize(
    ("document", "fits"),
    [
        ({"text": "x" * 160}, True),
        ({"text": "x" * 161}, False),
        ({"text": "x" * 158 + "@"}, True),
        ({"text": "x" * 159 + "@"}, False),
        ({"text": "x" * 147, "subject": "x" * 13}, True),
        ({"text": "x" * 148, "subject": "x" * 13}, False),
        ({"text": "x", "subject": "x" * 14}, False),
        ({"text": "x", "subject": "x" * 12 + "#"}, False),
        ({"text": "x" * 158 + "\r\n"}, True),
        ({"text": "one\r\ntwo", "subject": "a\r\nb"}, False),
        ({"body": "x" * 161}, False),
        ({}, True),
    ],
)
def test_the_limits_are_13_and_160(document: dict[str, object], fits: bool) -> None:
    """Subject alone, and subject and text together; exactly."""
    assert fits == (restricted_refusal(document) is None)
