"""URLs of callbacks: the plain form alone, and how a GET form is filled in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.callback_url import (
    PARAMETERS,
    CallbackMethod,
    CallbackUrl,
    callback_host_problem,
    callback_url_problem,
    filled_in,
    parse_callback_url,
    quoted,
)
from broker.domain.network import PUBLIC_ONLY, AddressPolicy, networks_of

VALUES = {name: f"<{name}>" for name in PARAMETERS} | {"message_id": "01A", "status": "a b&c=d/ä"}


@pytest.mark.parametrize(
    ("written", "origin", "target"),
    [
        ("https://example.org", "https://example.org:443", "/"),
        ("http://Example.ORG./a?b=c", "http://example.org:80", "/a?b=c"),
        ("HTTPS://example.org:8443/", "https://example.org:8443", "/"),
        ("http://8.8.8.8:65535/x%20y", "http://8.8.8.8:65535", "/x%20y"),
        ("http://[2606:4700:4700::1111]:81?x", "http://[2606:4700:4700::1111]:81", "/?x"),
        ("http://a_b.example/(x);y=1,2!*'@:$+", "http://a_b.example:80", "/(x);y=1,2!*'@:$+"),
        ("http://xn--bcher-kva.example", "http://xn--bcher-kva.example:80", "/"),
    ],
)
def test_a_plain_url_is_taken_as_it_is_written(written: str, origin: str, target: str) -> None:
    """Its origin is the same for every spelling; its path and query are not touched."""
    url = parse_callback_url(written)
    assert isinstance(url, CallbackUrl)
    assert (origin, target) == (url.origin, url.target)
    assert callback_url_problem(written, CallbackMethod.POST) is None


@pytest.mark.parametrize(
    "written",
    [
        "",
        "example.org",
        "//example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "javascript:alert(1)",
        "http:/example.org",
        "http:///path",
        "http://",
        "http://?x",
        "http://user@example.org/",
        "http://user:secret@example.org/",
        "http://example.org@127.0.0.1/",
        "http://example.org:80@127.0.0.1/",
        "http://127.0.0.1#@example.org/",
        "http://127.0.0.1\\@example.org/",
        "http://example.org\\.evil.example/",
        "http://example.org/#fragment",
        "http://example.org:/",
        "http://example.org:0/",
        "http://example.org:65536/",
        "http://example.org:8a/",
        "http://example.org:80:80/",
        "http://exa mple.org/",
        "http://example.org/a b",
        "http://example.org/\n",
        "http://example.org/\r\nHost: evil",
        "http://exämple.org/",
        "http://example.org/ä",
        "http://ⓔxample.org/",
        "http://example。org/",
        "http://%31%32%37.0.0.1/",
        "http://example.org/%zz",
        "http://.example.org/",
        "http://example..org/",
        "http://-example.org/",
        "http://{message_id}.example.org/",
        "http://example.org:{part}/",
        "http://[::1/",
        "http://::1/",
        "http://[::1]x/",
        "http://[fe80::1%25eth0]/",
        "http://[127.0.0.1]/",
        "http://[]/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.1/",
        "http://127.0.0.1.1/",
        "http://999.1.1.1/",
        "http://0/",
        "http://example.1/",
        "http://example.0x1/",
        "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 130 + "example/",
        "http://example.org/" + "a" * 2_048,
    ],
)
def test_anything_unusual_is_refused(written: str) -> None:
    """Parsers disagree about it, and each disagreement is a way past a check."""
    assert isinstance(callback_url_problem(written, CallbackMethod.GET), str)


@pytest.mark.parametrize(
    "written",
    [
        "http://127.0.0.1/",
        "http://127.0.0.1:8080/",
        "http://127.0.0.1./",
        "http://10.1.2.3/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[fd00::1]/",
        "http://[fe80::1]/",
        "http://[2002:7f00:1::]/",
        "http://localhost/",
        "http://LOCALHOST/",
        "http://localhost./",
        "http://a.localhost/",
        "http://a.b.LocalHost.:81/",
    ],
)
def test_a_host_that_is_not_public_is_refused_at_once(written: str) -> None:
    """Where no resolver has to be asked; the same host is fine where the operator allows its network."""
    assert callback_url_problem(written, CallbackMethod.POST) is None
    assert "must lead to a public address" == callback_host_problem(written, PUBLIC_ONLY)
    assert callback_host_problem(written, AddressPolicy(networks_of(("0.0.0.0/0", "::/0")))) is None


def test_a_name_is_judged_when_it_is_resolved() -> None:
    """What it leads to may change until then."""
    assert callback_host_problem("http://intranet.example/", PUBLIC_ONLY) is None


@pytest.mark.parametrize(
    ("target", "filled"),
    [
        ("/cb/{message_id}", "/cb/01A"),
        ("/{message_id}?s={status}&own=1", "/01A?s=a%20b%26c%3Dd%2F%C3%A4&own=1"),
        ("/?x={message_id}{part}", "/?x=01A%3Cpart%3E"),
        ("/?id=7&message_id=&status", "/?id=7&message_id=01A&status=a%20b%26c%3Dd%2F%C3%A4"),
        ("/?status=&x=", "/?status=a%20b%26c%3Dd%2F%C3%A4&x="),
    ],
)
def test_what_a_url_names_is_all_that_it_gets(target: str, filled: str) -> None:
    """By placeholders anywhere in path and query, or by documented parameters without a value."""
    assert callback_url_problem(f"http://example.org{target}", CallbackMethod.GET) is None
    assert filled == filled_in(target, VALUES)


@pytest.mark.parametrize(
    ("target", "own"), [("/", []), ("/cb?", []), ("/cb?id=7&estab=x", ["id=7", "estab=x"])]
)
def test_a_url_that_names_nothing_gets_everything(target: str, own: list[str]) -> None:
    """Behind its own parameters, in the documented order."""
    path, _, query = filled_in(target, VALUES).partition("?")
    assert target.partition("?")[0] == path
    pairs = query.split("&")
    assert [*own, *(f"{name}={quoted(VALUES[name])}" for name in PARAMETERS)] == pairs


def test_a_parameter_of_its_own_stays_as_it_is() -> None:
    """Also one with a documented name: it is not overwritten and not there twice."""
    filled = filled_in("/?status=mine", VALUES)
    assert filled.startswith("/?status=mine&type=")
    assert 1 == filled.count("status=mine")
    assert "&status=" not in filled


@pytest.mark.parametrize(
    ("target", "method"),
    [
        ("/{nonsense}", CallbackMethod.GET),
        ("/{}", CallbackMethod.GET),
        ("/{message_id", CallbackMethod.GET),
        ("/message_id}", CallbackMethod.GET),
        ("/{{message_id}}", CallbackMethod.GET),
        ("/{message_id}", CallbackMethod.POST),
    ],
)
def test_a_placeholder_that_nothing_fills_is_refused(target: str, method: CallbackMethod) -> None:
    """Nothing is dropped silently."""
    problem = callback_url_problem(f"http://example.org{target}", method)
    assert problem is not None
    assert "brace" in problem or "placeholder" in problem


@given(st.text(), st.sampled_from(["/{status}", "/?a={status}&b=1", "/?status=&b=1", "/?b=1"]))
def test_no_value_can_be_taken_for_a_part_of_the_url(value: str, target: str) -> None:
    """Not for a path, a parameter or another placeholder."""
    filled = filled_in(target, dict.fromkeys(PARAMETERS, "") | {"status": value})
    plain = filled_in(target, dict.fromkeys(PARAMETERS, "") | {"status": "x"})
    assert [filled.count(each) for each in "/?&="] == [plain.count(each) for each in "/?&="]
    assert filled.isascii()
    assert filled.isprintable()
    assert "{" not in filled
