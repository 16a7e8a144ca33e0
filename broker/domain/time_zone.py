"""The time zones that a phone number can be in, by the numbering plans that libphonenumber knows."""

from functools import lru_cache

NUMBERS_KEPT = 65_536
_UNKNOWN = ("Etc/Unknown",)


@lru_cache(maxsize=NUMBERS_KEPT)
def zones_of_number(number: str) -> tuple[str, ...]:
    """The zones of an E.164 number: those of its area, or of its whole country where no area is in it.

    None where a number is of no place, as one of a satellite or freephone.
    """
    # The tables take some megabytes, and only accounts with quiet hours need them.
    from phonenumbers import NumberParseException, parse
    from phonenumbers.timezone import time_zones_for_number

    try:
        zones = time_zones_for_number(parse(number))
    except NumberParseException:
        return ()
    return () if tuple(zones) == _UNKNOWN else tuple(zones)
