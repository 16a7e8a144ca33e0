"""Parameters: what a value of each type looks like, from both sides."""

import pytest

from broker.domain.parameter import Parameter, ParameterType

NUMBER, DATE, URL = ParameterType.NUMBER, ParameterType.DATE, ParameterType.URL
PHONE, BOOLEAN = ParameterType.PHONE, ParameterType.BOOLEAN


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        *((NUMBER, each) for each in ("0", "-12.50", "+1", "007", "9" * 40)),
        *((DATE, each) for each in ("2026-12-24", "2024-02-29", "0001-01-01")),
        *((URL, each) for each in ("https://example.org", "HTTP://example.org/a?b=c#d")),
        (PHONE, "+447700900123"),
        *((BOOLEAN, each) for each in ("true", "false")),
    ],
)
def test_a_value_of_its_type_passes(kind: ParameterType, given: str) -> None:
    """As it was written."""
    assert "" == Parameter("p", kind).problem(given)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        *((NUMBER, each) for each in ("", "1,000", "1.", ".5", "1e3", "NaN", "٣", " 1", "9" * 41)),
        *((DATE, each) for each in ("", "2026-02-29", "2026-13-01", "24.12.2026", "20261224", "2026-W01-1")),
        *((URL, each) for each in ("", "example.org", "ftp://example.org", "https://", "https://a b")),
        *((PHONE, each) for each in ("", "07700900123", "+44 7700 900123", "+0123456789")),
        *((BOOLEAN, each) for each in ("", "True", "yes", "1")),
    ],
)
def test_a_value_of_no_such_type_is_told_the_rule(kind: ParameterType, given: str) -> None:
    """By its type, without repeating the value."""
    assert Parameter("p", kind).problem(given).startswith("must be ")


def test_a_text_has_its_own_limit() -> None:
    """Counted in characters."""
    parameter = Parameter("p", characters_max=3)
    assert "" == parameter.problem("äöü")
    assert "has 4 characters; at most 3 are allowed" == parameter.problem("äöüß")


def test_a_choice_is_one_of_its_choices() -> None:
    """Exactly."""
    parameter = Parameter("p", ParameterType.CHOICE, choices=("red", "green"))
    assert "" == parameter.problem("red")
    assert "is none of the parameter's choices" == parameter.problem("Red")
