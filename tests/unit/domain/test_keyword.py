"""What can be a keyword, what its autoreply may say, and how a message's first word is read."""

import pytest

from broker.domain.consent import Act
from broker.domain.inbound import read_text
from broker.domain.keyword import (
    AUTOREPLY_DEFAULT,
    autoreply_problem,
    first_word,
    keyword_problem,
    plain_keyword,
)


@pytest.mark.parametrize("written", ["join", "JOIN", "Café", "2024", "x" * 20, "Jo-in"[:2]])
def test_one_word_can_be_a_keyword(written: str) -> None:
    """In any case, with accents, with digits."""
    assert keyword_problem(written) is None


@pytest.mark.parametrize(
    "written", ["", " ", "!", "join us", "jo-in", "x" * 21, "STOP", "help", "Start!", "arrêt"]
)
def test_what_is_no_word_or_one_of_consent_cannot(written: str) -> None:
    """Nobody may rent how people say STOP."""
    assert keyword_problem(written) is not None


def test_spellings_of_a_keyword_are_one() -> None:
    """As people type it."""
    assert {"cafe"} == {plain_keyword(each) for each in ("CAFE", "café", " Café! ")}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (AUTOREPLY_DEFAULT, None),
        ("x" * 160, None),
        ("", "must not be blank"),
        (" \r\n", "must not be blank"),
        ("x" * 161, "subject and text count 161 characters; at most 160 are allowed"),
        ("x" * 158 + "@@", "subject and text count 162 characters; at most 160 are allowed"),
        ("Grüezi", "the character U+00FC is not allowed"),
    ],
    ids=["the default", "160", "empty", "blank", "161", "two that count twice", "a foreign character"],
)
def test_an_autoreply_is_one_part(text: str, problem: str | None) -> None:
    """At most 160 characters of the restricted profile, and not blank."""
    assert problem == autoreply_problem(text)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Join", ("join", True)),
        ("  JOIN!  ", ("join", True)),
        ("join now", ("join", False)),
        ("join\nnow", ("join", False)),
        ("join ...", ("join", True)),
        ("jo-in", ("", True)),
        ("", ("", True)),
        ("👍 join", ("", False)),
    ],
)
def test_the_first_word_is_read_plainly(text: str, first: tuple[str, bool]) -> None:
    """And whether there is another."""
    assert first == first_word(text)


def test_a_word_of_consent_is_no_keyword() -> None:
    """Whatever was rented before the word had a meaning."""
    reading = read_text("Stop")
    assert reading.consent is not None
    assert (Act.OPT_OUT, "", False) == (reading.consent.act, reading.first_word, reading.alone)
