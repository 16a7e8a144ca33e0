"""The country of a number, from the numbering plans that libphonenumber knows."""

from functools import lru_cache

import phonenumbers

COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""ISO 3166 alpha-2 codes of all that have a numbering plan, and XK, AC and TA, which are used alike."""

LEADING_DIGITS = 8
"""Countries that share a calling code are told apart within these (Jersey is 447700 3), the code included."""

_CALLING_CODE_DIGITS_MAX = 3
_NOWHERE = "001"


def country_of(number: str) -> str:
    """The ISO 3166 alpha-2 code of an E.164 number's country, "" where it has none (satellites, freephone).

    It follows from the leading 8 digits and the length, so that it can be remembered for whole blocks. Where
    these fit none of the countries of a calling code, it is the code's main one: +1 is US, +44 is GB.
    """
    digits = number[1:]
    sharing = _sharing(digits[:_CALLING_CODE_DIGITS_MAX])
    if len(sharing) > 1:
        return _among(digits[:LEADING_DIGITS], len(digits), sharing[0])
    return sharing[0] if sharing else ""


def is_possible(number: str) -> bool:
    """Whether an E.164 number's calling code is in use and its length is one that it may have."""
    return _is_possible(number[1 : 1 + _CALLING_CODE_DIGITS_MAX], len(number))


@lru_cache(maxsize=8_192)
def _is_possible(leading: str, length: int) -> bool:
    try:
        parsed = phonenumbers.parse("+" + leading.ljust(length - 1, "2"))
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_possible_number(parsed))


@lru_cache(maxsize=1_000)
def _sharing(leading: str) -> tuple[str, ...]:
    """The countries of the calling code that a number begins with, its main one first."""
    for count in range(1, len(leading) + 1):
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(leading[:count]))
        if regions is not None:
            return () if regions[0] == _NOWHERE else tuple(regions)
    return ()


@lru_cache(maxsize=65_536)
def _among(leading: str, length: int, main: str) -> str:
    # Filled up rather than taken as it is: what is remembered must not depend on who came first.
    parsed = phonenumbers.parse("+" + leading.ljust(length, "0"))
    return phonenumbers.region_code_for_number(parsed) or main
