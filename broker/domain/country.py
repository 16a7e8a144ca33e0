"""The country of a number, from the numbering plans that libphonenumber knows."""

from functools import lru_cache

import phonenumbers

COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""ISO 3166 alpha-2 codes of all that have a numbering plan, and XK, AC and TA, which are used alike."""

LEADING_DIGITS = 8
"""Countries that share a calling code are told apart within these (Jersey is 447700 3), the code included."""

CALLING_CODE_DIGITS_MAX = 3
DIGITS_MAX = 15
"""Of any number, its calling code included."""

_REGIONS = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
_CODES = frozenset(map(str, _REGIONS))
_NOWHERE = "001"


def country_of(number: str) -> str:
    """The ISO 3166 alpha-2 code of an E.164 number's country, "" where it has none (satellites, freephone).

    It follows from the leading 8 digits and the length, so that it can be remembered for whole blocks. Where
    these fit none of the countries of a calling code, it is the code's main one: +1 is US, +44 is GB.
    """
    digits = number[1:]
    sharing = _sharing(digits[:CALLING_CODE_DIGITS_MAX])
    if len(sharing) > 1:
        return _among(digits[:LEADING_DIGITS], len(digits), sharing[0])
    return sharing[0] if sharing else ""


def is_possible(number: str) -> bool:
    """Whether an E.164 number's calling code is in use and its length is one that it may have.

    As libphonenumber's isPossibleNumber, of the number as it is written: what follows the calling code is never
    taken for a trunk prefix.
    """
    return len(number) in possible_lengths(number[1 : 1 + CALLING_CODE_DIGITS_MAX])


@lru_cache(maxsize=1_000)
def possible_lengths(leading: str) -> frozenset[int]:
    """How long an E.164 number, its "+" included, may be that begins with these three digits."""
    code = calling_code(leading)
    if not code:
        return frozenset()
    numbers = {
        length: phonenumbers.PhoneNumber(int(code), int("2" * length))
        for length in range(1, DIGITS_MAX - len(code) + 1)
    }
    return frozenset(
        1 + len(code) + length for length, each in numbers.items() if phonenumbers.is_possible_number(each)
    )


def calling_code(leading: str) -> str:
    """The calling code that digits begin with, "" where it is in use nowhere."""
    codes = (leading[:each] for each in range(1, CALLING_CODE_DIGITS_MAX + 1))
    return next((each for each in codes if each in _CODES), "")


@lru_cache(maxsize=1_000)
def _sharing(leading: str) -> tuple[str, ...]:
    """The countries of the calling code that a number begins with, its main one first."""
    for count in range(1, len(leading) + 1):
        regions = _REGIONS.get(int(leading[:count]))
        if regions is not None:
            return () if regions[0] == _NOWHERE else tuple(regions)
    return ()


@lru_cache(maxsize=65_536)
def _among(leading: str, length: int, main: str) -> str:
    # Filled up rather than taken as it is: what is remembered must not depend on who came first.
    try:
        parsed = phonenumbers.parse("+" + leading.ljust(length, "0"))
    except (
        phonenumbers.NumberParseException
    ):  # too few digits for any number: what was refused has a country too
        return main
    return phonenumbers.region_code_for_number(parsed) or main
