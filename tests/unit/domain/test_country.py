"""The country of a number."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.country import COUNTRIES, country_of


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+447400123456", "GB"),
        ("+447700900123", "GB"),
        ("+447781123456", "GG"),
        ("+447700312345", "JE"),
        ("+12025550123", "US"),
        ("+14165550123", "CA"),
        ("+18685550123", "TT"),
        ("+15550000000", "US"),
        ("+77011234567", "KZ"),
        ("+79161234567", "RU"),
        ("+390669812345", "VA"),
        ("+390612345678", "IT"),
        ("+5511912345678", "BR"),
        ("+870773111632", ""),
        ("+80012345678", ""),
        ("+2101234567", ""),
    ],
)
def test_countries_that_share_a_code_are_told_apart(number: str, country: str) -> None:
    """What fits none of them is the main one's; what no country has is nobody's."""
    assert country == country_of(number)


@pytest.mark.parametrize("kind", ["MOBILE", "FIXED_LINE", "TOLL_FREE"])
def test_the_leading_digits_tell_what_the_whole_number_would(kind: str) -> None:
    """For the example number of every country, as libphonenumber has it."""
    for country in sorted(COUNTRIES):
        number_type = getattr(phonenumbers.PhoneNumberType, kind)
        example = phonenumbers.example_number_for_type(country, number_type)
        if example is not None:
            written = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            assert phonenumbers.region_code_for_number(example) == country_of(written), written


@given(st.from_regex(r"\A\+[1-9][0-9]{6,14}\Z"))
def test_every_number_has_one_answer(number: str) -> None:
    """Whoever was asked about before: it follows from the leading digits and the length."""
    digits = number[1:]
    assert country_of(number) in COUNTRIES | {""}
    assert country_of(number) == country_of("+" + digits[:8].ljust(len(digits), "7"))
