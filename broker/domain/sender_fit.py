"""Which sender may be used on which way: by its kind, its country, and what it is registered for.

Of a sender that nobody registered only the shape is known. It is refused where that alone shows that no
network would take it; the provider judges the rest.
"""

from functools import lru_cache

from broker.domain.address import sender_fits
from broker.domain.carrying import SenderRefused
from broker.domain.country import country_of
from broker.domain.routes import PHONE_CHANNELS
from broker.domain.sender import (
    CAPABILITY_OF,
    KINDS_ON,
    NORTH_AMERICA,
    NUMBERS,
    Sender,
    SenderKind,
    kind_of,
)
from broker.domain.vocabulary import Channel, Reason

ALPHANUMERIC_REQUIRED = "; name an alphanumeric sender"


def misfit(sender: Sender, channel: Channel, address: str) -> SenderRefused | None:
    """Why a registered sender cannot be used for a message to a normal address; None when it can."""
    if sender.kind not in KINDS_ON[channel]:
        return SenderRefused(Reason.INVALID_SENDER, f"{_named(sender.kind)} is no sender of {channel.name}")
    if CAPABILITY_OF[channel] not in sender.capabilities:
        return SenderRefused(Reason.SENDER_NOT_CAPABLE, f"the sender is not registered for {channel.name}")
    if channel not in PHONE_CHANNELS or sender.kind is SenderKind.LONG_CODE:
        return None
    return _wrong_country(sender.kind, sender.country, country_of(address))


def free_misfit(sender: str, channel: Channel, address: str) -> SenderRefused | Reason | None:
    """The same for a sender that is not registered."""
    if not sender_fits(sender, channel):
        return Reason.INVALID_SENDER
    if channel not in PHONE_CHANNELS:
        return None
    if channel is Channel.MMS and (problem := _no_mms(sender)):
        return problem
    if kind_of(sender) is SenderKind.TOLL_FREE:
        return _wrong_country(SenderKind.TOLL_FREE, country_of(sender), country_of(address))
    return None


@lru_cache(maxsize=1_024)
def _no_mms(sender: str) -> SenderRefused | None:
    kind = kind_of(sender)
    if kind is SenderKind.ALPHANUMERIC or (kind in NUMBERS and country_of(sender) not in NORTH_AMERICA):
        return SenderRefused(
            Reason.SENDER_NOT_CAPABLE,
            "MMS can be sent from numbers and short codes of the US and Canada alone",
        )
    return None


def _wrong_country(kind: SenderKind, country: str, destination: str) -> SenderRefused | None:
    """Why a sender of a country is of the wrong kind for a recipient in a country; None when it is not."""
    there = f"the recipient's number is one of {destination}" if destination else "the recipient's has none"
    rule = ""
    if kind is SenderKind.TOLL_FREE and destination not in toll_free_reach(country):
        where = "the United States and Canada" if country in NORTH_AMERICA else country
        rule = f"a toll-free number reaches {where} alone, and {there}{ALPHANUMERIC_REQUIRED}"
    elif kind is SenderKind.SHORT_CODE and destination != country:
        rule = f"a short code of {country} works in that country alone, and {there}"
    elif kind is SenderKind.ALPHANUMERIC and destination in NORTH_AMERICA:
        rule = f"networks in {destination} show no alphanumeric sender; name a number or a short code"
    elif kind is SenderKind.ALPHANUMERIC and country not in {"", destination}:
        rule = f"this alphanumeric sender is registered in {country} alone, and {there}"
    return SenderRefused(Reason.SENDER_WRONG_KIND, rule) if rule else None


def toll_free_reach(country: str) -> frozenset[str]:
    """The countries in which a toll-free number of a country can be seen and answered."""
    return NORTH_AMERICA if country in NORTH_AMERICA else frozenset({country})


def _named(kind: SenderKind) -> str:
    words = kind.name.lower().replace("_", " ")
    return f"an {words}" if words[0] in "ae" else f"a {words}"
