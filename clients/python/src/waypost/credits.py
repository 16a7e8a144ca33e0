"""Credit and prices. Amounts are micros: millionths of a unit of the broker's currency."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from waypost.vocabulary import Channel, PricedItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an account can spend, what is held for messages under way, and what it has spent. currency: ISO 4217."""

    amount_micros: int
    held_micros: int
    spent_micros: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """Credit that was bought. payment_reference: the payments provider's own id for it."""

    purchase_id: str
    payment_reference: str
    balance: Balance


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRule:
    """What one unit costs. An empty field leaves its matter open: any provider, channel or destination.

    item: None: a unit of a message.
    prefixes: leading digits of E.164, the country code first.
    countries: ISO 3166 alpha-2 codes.
    """

    amount_micros: int
    item: PricedItem | None = None
    provider: str = ""
    channels: Sequence[Channel] = ()
    prefixes: Sequence[str] = ()
    countries: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """One version of all prices. version: 0: none was ever stored, and everything is free.

    key_id: of the key that stored it.
    """

    version: int
    rules: Sequence[PriceRule]
    currency: str
    key_id: str
    create_time: datetime | None
