"""Logs: what is not known to be harmless is withheld."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from broker.telemetry import (
    ADDRESS_KEYS,
    ALLOWED_KEYS,
    address_mark,
    configure_logging,
    mark_addresses_with,
    places_of,
    redact,
)

NUMBER = "+447700900123"


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """What a test configures ends with it."""
    yield
    structlog.reset_defaults()


Capture = pytest.CaptureFixture[str]


def logged(text: str) -> list[dict[str, Any]]:
    """Each line's values."""
    return [json.loads(line) for line in text.splitlines()]


def fail() -> None:
    """Raise with something to hide."""
    raise ValueError(NUMBER)


@given(
    st.dictionaries(
        st.text(), st.text(min_size=8) | st.integers() | st.lists(st.text(min_size=8), min_size=1)
    )
)
def test_no_value_passes_under_an_unknown_key(values: dict[str, Any]) -> None:
    """Its type is all that is told; known keys pass as they are."""
    redacted = redact(None, "info", dict(values))
    assert values.keys() == redacted.keys()
    for key, value in redacted.items():
        if key in ADDRESS_KEYS and isinstance(values[key], str):
            assert address_mark(values[key]) == value
        else:
            expected = values[key] if key in ALLOWED_KEYS else f"<{type(values[key]).__name__} withheld>"
            assert expected == value


@pytest.mark.parametrize(
    "key",
    ["text", "body", "content", "recipient", "to", "phone", "secret", "token", "key", "password", "data"],
)
def test_what_holds_secrets_and_bodies_is_not_on_the_list(key: str) -> None:
    """Whoever adds one of these has to change this test."""
    assert key not in ALLOWED_KEYS


def test_a_line_is_json_with_level_and_time(capsys: Capture) -> None:
    """For programs."""
    configure_logging(json=True)
    structlog.get_logger("test").warning("thing.happened", count=3, recipient=NUMBER)
    text = capsys.readouterr().err
    (line,) = logged(text)
    assert ("thing.happened", "warning", 3) == (line["event"], line["level"], line["count"])
    assert address_mark(NUMBER) == line["recipient"]
    assert line["timestamp"].endswith("Z")
    assert NUMBER not in text


def test_a_line_for_people_is_redacted_too(capsys: Capture) -> None:
    """The renderer comes last."""
    configure_logging(json=False)
    structlog.get_logger("test").info("thing.happened", recipient=NUMBER)
    text = capsys.readouterr().err
    assert "thing.happened" in text
    assert NUMBER not in text


def test_bound_values_are_redacted_too(capsys: Capture) -> None:
    """A provider's logger carries its instance, which may pass, and what it binds itself, which may not."""
    configure_logging(json=True)
    structlog.get_logger("test").bind(instance="acme", token="hunter2").info("thing.happened")
    (line,) = logged(capsys.readouterr().err)
    assert ("acme", "<str withheld>") == (line["instance"], line["token"])


@pytest.mark.parametrize("as_json", [True, False])
def test_what_an_exception_says_is_withheld(capsys: Capture, as_json: bool) -> None:
    """It may quote an address or a body."""
    configure_logging(json=as_json)
    try:
        fail()
    except ValueError:
        structlog.get_logger("test").exception("thing.failed")
    text = capsys.readouterr().err
    assert "thing.failed" in text
    assert NUMBER not in text


def test_lines_below_the_level_are_not_written(capsys: Capture) -> None:
    """The operator chooses it."""
    configure_logging(json=True, level="WARNING")
    log = structlog.get_logger("test")
    log.info("quiet")
    log.error("loud")
    assert ["loud"] == [line["event"] for line in logged(capsys.readouterr().err)]


def test_the_places_of_an_error_say_where_and_not_what() -> None:
    """From the outermost call on."""
    try:
        fail()
    except ValueError as error:
        places = places_of(error)
    assert ["test_the_places_of_an_error_say_where_and_not_what", "fail"] == [
        place.rpartition(" ")[2] for place in places
    ]
    assert not any(NUMBER in place for place in places)


def test_an_address_is_shown_as_a_keyed_hash_and_its_last_two_digits() -> None:
    """The same for the same number and key, and another one for any other."""
    mark_addresses_with(b"one")
    mark = address_mark(NUMBER)
    assert re.fullmatch(r"#[0-9a-f]{12}\.\.23", mark)
    assert mark == address_mark(NUMBER)
    assert mark != address_mark("+447700900223")
    mark_addresses_with(b"other")
    assert mark != address_mark(NUMBER)


@pytest.mark.parametrize("address", ["ada@example.org", "", "1234", "12", "device-token-99"])
def test_of_what_is_no_long_number_nothing_but_the_hash_is_shown(address: str) -> None:
    """Two of four digits would be half of it."""
    assert re.fullmatch(r"#[0-9a-f]{12}", address_mark(address))
