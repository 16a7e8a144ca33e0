"""Links in texts: what is one, where it leads, and what stands for it."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.links import (
    CODE_BITS,
    CODE_CHARACTERS,
    LinkRule,
    format_code,
    host_of,
    is_shortened,
    links_of,
    parse_code,
    short_url,
    shortened,
    stood_in,
    target_of,
    with_links,
    with_parameters,
)
from broker.domain.vocabulary import Channel

RULE = LinkRule("go.example.org", ("go.example.org", "l.example.net"))


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("no link, only example.com and ftp://example.com", []),
        ("https://example.com", ["https://example.com"]),
        ("See https://example.com/a.", ["https://example.com/a"]),
        (
            "https://example.com/a, or http://example.net/b!?",
            ["https://example.com/a", "http://example.net/b"],
        ),
        ("(https://example.com/a)", ["https://example.com/a"]),
        ("(see https://example.org/wiki/A_(b))", ["https://example.org/wiki/A_(b)"]),
        ("[https://example.com/?q[]=1]", ["https://example.com/?q[]=1"]),
        ("<https://example.com/a>", ["https://example.com/a"]),
        ('"https://example.com/a"', ["https://example.com/a"]),
        ("“https://example.com/a”…", ["https://example.com/a"]),
        (
            "https://example.com/a。https://example.com/b、",
            ["https://example.com/a", "https://example.com/b"],
        ),
        ("点击https://example.com查看", ["https://example.com"]),
        ("https://пример.рф/путь?ц=1 да", ["https://пример.рф/путь?ц=1"]),
        ("https://example.com/a🎉", ["https://example.com/a"]),
        ("HTTPS://EXAMPLE.COM/A", ["HTTPS://EXAMPLE.COM/A"]),
        ("https://example.com:8443/a#b", ["https://example.com:8443/a#b"]),
        ("https://[2001:db8::1]/a", ["https://[2001:db8::1]/a"]),
        ("https://example.com/watch?v=a_-", ["https://example.com/watch?v=a_-"]),
        ("https://a.example/?to=https://b.example/", ["https://a.example/?to=https://b.example/"]),
        ("xhttps://example.com git+https://example.com", []),
        ("https:// http://. https://-a.example https://a..b https://a.example:99999/", []),
        ("a\nhttps://example.com/a\nb", ["https://example.com/a"]),
        ("https://example.com/a\u200bb", ["https://example.com/a"]),
    ],
)
def test_a_link_is_what_a_reader_takes_for_one(text: str, links: list[str]) -> None:
    """Without the punctuation of the sentence around it."""
    assert links == links_of("text", text)


@pytest.mark.parametrize(
    ("written", "links"),
    [
        ('<a href="https://example.com/a?b=1&amp;c=2">x</a>', ["https://example.com/a?b=1&c=2"]),
        ("<A class=x HREF='https://example.com/a'>", ["https://example.com/a"]),
        ("<area href=https://example.com/a>", ["https://example.com/a"]),
        ('<a href=" https://example.com/a\n">', ["https://example.com/a"]),
        ('<a href="https://example.com/a b">', ["https://example.com/a b"]),
        ('<a data-href="https://example.com/a">', []),
        ('<a title="href=https://example.com/a">', []),
        ('<a href="https://example.com/1" href="https://example.com/2">', ["https://example.com/1"]),
        ('<a href="mailto:ada@example.org"><a href="#top"><a href>', []),
        ('<a href="/relative"><img src="https://example.com/a.png">', []),
        ("https://example.com/shown and nothing more", []),
        ('<!-- <a href="https://example.com/a"> -->', []),
        ("<script>\"<a href='https://example.com/a'>\"</script>", []),
        ('<!-- <a href="https://example.com/a">', []),
    ],
)
def test_in_html_links_are_what_can_be_followed(written: str, links: list[str]) -> None:
    """As browsers read it."""
    assert links == links_of("html", written)


def test_only_links_are_replaced() -> None:
    """And all else of a text stays, byte for byte."""
    text = "(See https://example.com/a, https://example.com/b: https://example.com/a.)"
    short = {"https://example.com/a": "S"}
    assert "(See S, https://example.com/b: S.)" == with_links("text", text, short.get)
    html = "<a  href='https://example.com/a' >https://example.com/a</a>"
    assert "<a  href='S' >https://example.com/a</a>" == with_links("html", html, short.get)


def test_the_texts_of_every_channel_are_shortened() -> None:
    """What is a header, or data for a program, is left alone."""
    link = "https://example.com/a"
    everywhere: dict[Channel, dict[str, Any]] = {
        Channel.SMS: {"text": link, "subject": link},
        Channel.MMS: {"text": link, "media": [{"url": link}]},
        Channel.EMAIL: {"subject": link, "text": link, "html": f'<a href="{link}">'},
        Channel.PUSH: {"title": link, "body": link, "data": {"url": link}},
        Channel.IN_APP: {"body": link},
    }
    assert {
        Channel.SMS: {"text": "S", "subject": link},
        Channel.MMS: {"text": "S", "media": [{"url": link}]},
        Channel.EMAIL: {"subject": link, "text": "S", "html": '<a href="S">'},
        Channel.PUSH: {"title": link, "body": "S", "data": {"url": link}},
        Channel.IN_APP: {"body": "S"},
    } == {channel: shortened(channel, each, lambda _: "S") for channel, each in everywhere.items()}


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("https://example.com/a?b=%20&c=d|e#f", "https://example.com/a?b=%20&c=d%7Ce#f"),
        ("https://пример.рф/ц", "https://xn--e1afmkfd.xn--p1ai/%D1%86"),
        ("https://ada:key@example.com/", "https://ada:key@example.com/"),
        ("https://example.com/\r\nset-cookie: a", "https://example.com/%0D%0Aset-cookie:%20a"),
        ("javascript:alert(1)", None),
        ("//example.com/", None),
        (f"https://{'a' * 64}.example/", None),
        (f"https://{'a.' * 127}example/", None),
        ("https://example.com/\ud800", None),
    ],
)
def test_a_target_is_ascii_and_one_line(link: str, target: str | None) -> None:
    """It goes into a header."""
    assert target == target_of(link)


@given(st.text())
def test_whatever_is_found_can_be_led_to(rest: str) -> None:
    """A link of any text has a target without spaces and controls, and is found again where it stands alone."""
    for link in links_of("text", f"x https://example.com/{rest}"):
        target = target_of(link)
        assert target is not None
        assert re.fullmatch(r"[!-~]+", target)
        assert [link] == links_of("text", link)


@given(st.integers(min_value=0, max_value=(1 << CODE_BITS) - 1))
def test_a_code_is_its_number(number: int) -> None:
    """In eleven characters, whatever the number."""
    code = format_code(number)
    assert CODE_CHARACTERS == len(code)
    assert number == parse_code(code)


@pytest.mark.parametrize("text", ["", "0" * 10, "0" * 12, "zzzzzzzzzzz", "0000000000-", "\u0660" * 11])
def test_what_is_no_code_has_no_number(text: str) -> None:
    """Too short, too long, past 63 bits, or of other characters."""
    assert parse_code(text) is None


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("https://example.com", "https://example.com?utm_source=a%20b&n=1"),
        ("https://example.com/a?x=1#top", "https://example.com/a?x=1&utm_source=a%20b&n=1#top"),
        ("https://example.com/a?", "https://example.com/a?utm_source=a%20b&n=1"),
        ("https://example.com/a?x=1&", "https://example.com/a?x=1&utm_source=a%20b&n=1"),
        ("https://example.com/?utm_source=mine", "https://example.com/?utm_source=mine&n=1"),
        ("https://example.com/?n=2&utm_source=mine", "https://example.com/?n=2&utm_source=mine"),
    ],
)
def test_parameters_come_after_those_that_are_there(target: str, expected: str) -> None:
    """Before the fragment; one that the link has already stays as it is."""
    assert expected == with_parameters(target, (("utm_source", "a b"), ("n", "1")))


def test_a_short_link_is_not_shortened_again() -> None:
    """Nor one on another domain of the account, in any case."""
    mine = ["https://go.example.org/abc", "http://GO.example.org:80/", "https://l.example.net./x"]
    assert [False] * 3 == [is_shortened(link, RULE) for link in mine]
    assert is_shortened("https://go.example.org.example.com/", RULE)
    assert "go.example.org" == host_of("https://ada@GO.example.org:443/x")


def test_a_stand_in_has_the_length_of_a_short_link() -> None:
    """So a text is measured before its codes are drawn. An email is stored as it was written."""
    html = {"html": '<a href="https://example.com/">'}
    said = stood_in({Channel.SMS: {"text": "a https://example.com/a b"}, Channel.EMAIL: html}, RULE)
    real = len(f"a {short_url(RULE.domain, (1 << CODE_BITS) - 1)} b")
    assert (real, html) == (len(str(said[Channel.SMS]["text"])), said[Channel.EMAIL])


@pytest.mark.parametrize(
    "piece", ["<a ", '<a "', "<a x='", "<!--", "<script>", "https://", "https://a.", "<a href=", ")", "a=a "]
)
def test_no_text_takes_long(piece: str) -> None:
    """What looks like the beginning of many links is read once: a megabyte of it ends within the test's patience."""
    for field in ("text", "html"):
        links_of(field, f"https://example.com/<a {piece * (1_000_000 // len(piece))}")
