"""The country of a number."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.country import COUNTRIES, country_of, is_possible


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
        ("+12", "US"),
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


@given(st.from_regex(r"\A\+[1-9][0-9]{6,14}\Z"))
def test_a_number_is_possible_where_libphonenumber_says_so(number: str) -> None:
    """Of the very digits: a zero after the calling code is a digit of the number, as it is in Italy."""
    codes = [int(number[1:end]) for end in (2, 3, 4)]
    code = next((each for each in codes if each in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), None)
    national = number.removeprefix(f"+{code}")
    zeros = len(national) - len(str(int(national)))
    written = phonenumbers.PhoneNumber(
        code, int(national), italian_leading_zero=zeros > 0, number_of_leading_zeros=zeros
    )
    assert is_possible(number) is (code is not None and phonenumbers.is_possible_number(written))
