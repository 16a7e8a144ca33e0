"""Placeholders: what is one, what stands for itself, and what a text becomes."""

import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broker.domain.tokens import FORM_CHARACTERS_MAX, Places, escaped, fill, fill_known, is_name, places_in

VALUES = {"name": "Ada", "Shop_2": "Acme", "5": "five", "empty": "", "money": "$5 $name$ $$"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi $name$!", "Hi Ada!"),
        ("$name$$Shop_2$", "AdaAcme"),
        ("$5$", "five"),
        ("a$empty$b", "ab"),
        ("$money$", "$5 $name$ $$"),
        ("$$", "$"),
        ("$$$$", "$$"),
        ("$$name$", "$name$"),
        ("$$name$$", "$name$"),
        ("$$$name$", "$Ada"),
        ("$name$$", "Ada$"),
        ("$5", "$5"),
        ("US$", "US$"),
        ("$5 or $6", "$5 or $6"),
        ("US$ 5, CA$ 6", "US$ 5, CA$ 6"),
        ("$", "$"),
        ("$ name$", "$ name$"),
        ("$na me$", "$na me$"),
        ("$näme$", "$näme$"),
        ("$na-me$", "$na-me$"),
        ("$na\nme$", "$na\nme$"),
        ("$a $name$", "$a Ada"),
        (f"${'n' * 65}$", f"${'n' * 65}$"),
        ("", ""),
    ],
)
def test_exactly_a_name_between_two_dollars_is_a_placeholder(text: str, expected: str) -> None:
    """Two dollars are one, and any other dollar is itself; what a value holds means nothing."""
    assert expected == fill(text, VALUES)


def test_the_longest_name_has_64_characters() -> None:
    """Both sides."""
    assert "x" == fill(f"${'n' * 64}$", {"n" * 64: "x"})
    assert (True, False, False, False) == (is_name("n" * 64), is_name("n" * 65), is_name(""), is_name("a b"))
    assert not is_name("name\n")


def test_a_placeholder_without_a_value_is_an_error() -> None:
    """Nobody gets to read a placeholder."""
    with pytest.raises(KeyError, match="other"):
        fill("$other$", VALUES)


def test_names_are_case_sensitive() -> None:
    """As in the map that they come in."""
    assert ("Ada", "ADA") == tuple(fill(f"${name}$", {"n": "Ada", "N": "ADA"}) for name in "nN")


def test_what_is_unknown_can_stay_as_it_stands() -> None:
    """Its names are told in order."""
    assert ("$b$ Ada $a$ $", ("a", "b")) == fill_known("$b$ $name$ $a$ $$", {"name": "Ada"})


def test_values_are_escaped_for_html_in_texts_and_attributes() -> None:
    """Both quotes, too."""
    hostile = '<script>alert("x")</script>&\''
    assert {"a": "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#x27;"} == escaped({"a": hostile})
    assert hostile == html.unescape(escaped({"a": hostile})["a"])


def test_places_count_what_stays_and_how_often_each_name_stands_there() -> None:
    """Two dollars stay one."""
    assert Places(5, {"a": 2, "b": 1}) == places_in("x$a$$$y$a$$ $b$")
    assert Places(3, {}) == places_in("abc")


PIECES = st.sampled_from(["$", "$$", "$a$", "$b$", "a", "b", " ", "$c", "d$", "é", "\n"])


@given(st.lists(PIECES).map("".join), st.text(), st.text())
@example("$a$$b$", "$", "$b$")
def test_the_length_of_a_filled_text_is_known_before_it_is_made(text: str, one: str, two: str) -> None:
    """For whatever values."""
    values = {"a": one, "b": two}
    known, _ = fill_known(text, values)
    places = places_in(text)
    missing = {name: f"${name}$" for name in places.counts if name not in values}
    assert len(known) == places.filled_length(values | missing)


@given(st.text(st.sampled_from("$ab_ é"), max_size=40))
def test_doubled_dollars_say_any_text(text: str) -> None:
    """Whoever doubles every dollar needs no value."""
    assert text == fill(text.replace("$", "$$"), {})


@given(st.text(st.sampled_from("$ab_1 é"), max_size=40))
def test_reading_from_the_left_finds_the_same_as_a_plain_reader(text: str) -> None:
    """One that looks at character after character."""
    out, at = [], 0
    while at < len(text):
        if text.startswith("$$", at):
            out.append("$")
            at += 2
        elif name := re.match(r"\$([A-Za-z0-9_]+)\$", text[at:]):
            out.append(f"<{name[1]}>")
            at += name.end()
        else:
            out.append(text[at])
            at += 1
    names = set(re.findall(r"[A-Za-z0-9_]+", text))
    assert "".join(out) == fill(text, {name: f"<{name}>" for name in names})


@given(st.text(alphabet="$ab%(s)d0\n", max_size=30))
def test_a_long_text_is_filled_in_like_a_short_one(text: str) -> None:
    """Whatever stands in it that means something to others than us."""
    known = dict.fromkeys(places_in(text).counts, "%(a)s$b$")
    long = "." * FORM_CHARACTERS_MAX
    assert fill(text, known) + long == fill(text + long, known)
