"""Amounts of money, in words too, and what there are prices for."""

from enum import IntEnum

from broker.domain.value import value


class PricedItem(IntEnum):
    """What a price is of. Numbers are stored and equal those of the protos."""

    MESSAGE_UNIT = 0
    """A part of an SMS, or a message on another channel."""
    AUTOREPLY = 1
    """An answer to a keyword, once however many parts it has. Without a price of its own it costs what a message does."""
    KEYWORD = 2
    """Renting a keyword, once. Its destination is the address that it is rented at."""


@value
class Price:
    """Millionths of a unit of a currency: 1,250,000 is 1.25. The currency is an ISO 4217 code."""

    micros: int
    currency: str


def shortfall(needed: int, available: int, currency: str) -> str:
    """What cannot be paid, for people; amounts in micros."""
    return f"{_amount(needed)} {currency} would be needed, and {_amount(available)} can be spent"


def _amount(micros: int) -> str:
    whole, rest = divmod(micros, 1_000_000)
    return f"{whole}.{f'{rest:06}'.rstrip('0').ljust(2, '0')}"
