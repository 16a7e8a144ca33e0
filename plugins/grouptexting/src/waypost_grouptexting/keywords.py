"""What Group Texting's numbers say of keywords: each operation has a table of its own."""

from collections.abc import Mapping
from typing import TypeVar

from broker import spi
from waypost_grouptexting.mapping import NOT_PROCESSED, number_in, said
from waypost_grouptexting.wire import Answered, Exchange, NotSent

Checked = spi.KeywordAvailable | spi.KeywordUnavailable | spi.KeywordDeclined | spi.NotAccepted | spi.Unknown
Rented = spi.KeywordRented | spi.KeywordUnavailable | spi.KeywordDeclined | spi.NotAccepted | spi.Unknown
SetUp = spi.KeywordSetUp | spi.KeywordRefused | spi.NotAccepted | spi.Unknown

Answer = TypeVar("Answer")

WRONG_CREDENTIALS = spi.NotAccepted(code="-1")

CHECK_CODES: Mapping[int, Checked] = {
    1: spi.KeywordAvailable(),
    0: spi.KeywordUnavailable("0"),
    -1: WRONG_CREDENTIALS,
    -2: spi.KeywordDeclined("-2", "below the smallest purchase that Group Texting takes"),
    -10: spi.Unknown("-10"),
}
RENT_CODES: Mapping[int, Rented] = {
    2: spi.KeywordRented(),
    1: spi.KeywordUnavailable("1"),
    0: spi.KeywordDeclined("0", "the card was declined"),
    -1: WRONG_CREDENTIALS,
    -10: spi.Unknown("-10"),
}
SET_UP_CODES: Mapping[int, SetUp] = {
    1: spi.KeywordSetUp(),
    -1: WRONG_CREDENTIALS,
    -2: spi.KeywordRefused(spi.KeywordField.KEYWORD, "-2", "is no keyword of the account at Group Texting"),
    -3: spi.KeywordRefused(spi.KeywordField.GROUP, "-3", "is called as no group at Group Texting is"),
    -4: spi.KeywordRefused(spi.KeywordField.EMAIL, "-4", "is no mailbox to Group Texting"),
    -5: spi.KeywordRefused(spi.KeywordField.URL, "-5", "the broker's own address is no URL to Group Texting"),
    -7: spi.KeywordRefused(
        spi.KeywordField.AUTOREPLY, "-7", "is blank, too long, or has a character that is not taken"
    ),
    -10: spi.Unknown("-10"),
}
NO_CARD = spi.KeywordDeclined("no_card", "the settings name no card_file to pay for keywords")
BAD_CARD = spi.KeywordDeclined("card_file", "the card_file of the settings holds no card")


def checked(exchange: Exchange) -> Checked:
    """Whether a keyword is free."""
    return _judged(exchange, CHECK_CODES)


def rented(exchange: Exchange) -> Rented:
    """Whether a keyword was rented."""
    return _judged(exchange, RENT_CODES)


def set_up(exchange: Exchange) -> SetUp:
    """Whether a keyword was set up, or what is wrong."""
    return _judged(exchange, SET_UP_CODES)


def set_up_fields(
    settings: spi.KeywordSettings, *, callback_url: str, names_groups: bool, forwards_email: bool
) -> dict[str, str]:
    """The form of a set-up. An option that is left out stays as it is there."""
    fields = {"keyword": settings.keyword, "autoreply": settings.autoreply}
    if names_groups:
        fields["group"] = settings.group_name
    if forwards_email:
        fields["email"] = settings.forward_to_email
    if callback_url:
        fields["url"] = callback_url
    return fields


def _judged(exchange: Exchange, codes: Mapping[int, Answer]) -> Answer | spi.NotAccepted | spi.Unknown:
    """What a number means to an operation; nothing was done where nothing was sent or processed."""
    code = said(exchange)
    if isinstance(exchange, NotSent):
        return spi.NotAccepted(code=code)
    if isinstance(exchange, Answered) and exchange.status in NOT_PROCESSED:
        return spi.NotAccepted(code=code)
    number = number_in(exchange) if isinstance(exchange, Answered) else None
    return spi.Unknown(code) if number is None or number not in codes else codes[number]
