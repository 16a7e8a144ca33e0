"""Prices: which rule wins, and what a message costs through each of its candidates."""

import pytest

from broker.domain.price import Price, PricedItem
from broker.domain.prices import (
    FREE,
    NO_PRICES,
    PriceList,
    PriceRule,
    Prices,
    PriceTable,
    Quote,
    keyword_price,
    price_of,
)
from broker.domain.vocabulary import Channel

SMS, EMAIL = Channel.SMS, Channel.EMAIL
BRITISH, JERSEY, GERMAN = "+447911123456", "+447700300123", "+4915112345678"


def prices(*rules: PriceRule) -> Prices:
    """A table in euros."""
    return Prices(PriceTable(1, rules, "EUR"))


TABLE = prices(
    PriceRule(1),
    PriceRule(2, channels=(SMS,)),
    PriceRule(3, "acme"),
    PriceRule(4, "acme", (SMS,)),
    PriceRule(5, countries=("GB",)),
    PriceRule(6, prefixes=("44",)),
    PriceRule(7, prefixes=("4479",)),
    PriceRule(8, "acme", prefixes=("44",)),
)


@pytest.mark.parametrize(
    ("provider", "channel", "address", "expected"),
    [
        ("acme", SMS, GERMAN, 4),
        ("acme", EMAIL, "a@example.com", 3),
        ("other", SMS, GERMAN, 2),
        ("other", EMAIL, "a@example.com", 1),
        ("other", SMS, JERSEY, 6),
        ("acme", SMS, JERSEY, 8),
        ("other", SMS, BRITISH, 7),
        ("acme", SMS, BRITISH, 7),
    ],
)
def test_the_closest_destination_wins_then_the_provider_then_the_channel(
    provider: str, channel: Channel, address: str, expected: int
) -> None:
    """A longer prefix beats a rule of the provider's own."""
    assert expected == TABLE.unit_micros(provider, channel, address)


def test_a_prefix_beats_a_country_and_a_country_beats_nothing() -> None:
    """Countries that share a code are told apart."""
    table = prices(PriceRule(1), PriceRule(2, countries=("GB",)), PriceRule(3, prefixes=("447911",)))
    assert [3, 1, 1] == [table.unit_micros("acme", SMS, each) for each in (BRITISH, JERSEY, GERMAN)]
    assert 2 == table.unit_micros("acme", SMS, "+442079460000")


def test_where_no_rule_fits_a_message_is_free() -> None:
    """That is no price at all, where one of 0 is one."""
    table = prices(PriceRule(0, countries=("GB",)))
    assert (0, None) == (
        table.unit_micros("acme", SMS, "+442079460000"),
        table.unit_micros("acme", SMS, GERMAN),
    )
    assert FREE.quote((("acme",), SMS, GERMAN, 1)) is None
    assert price_of(FREE, "acme", SMS, GERMAN, 1) is None


def test_a_message_costs_its_units_through_each_candidate() -> None:
    """The dearest is what it may cost at most; equal ones are told once."""
    table = prices(PriceRule(30, "acme"), PriceRule(50, "dear"))
    assert Quote(150, {"acme": 90, "dear": 150}) == table.quote((("acme", "dear"), SMS, GERMAN, 3))
    assert Quote(90) == table.quote((("acme",), SMS, GERMAN, 3))
    assert Quote(30, {"acme": 30, "free": 0}) == table.quote((("acme", "free"), SMS, GERMAN, 1))
    both = table.quote((("acme",), SMS, GERMAN, 1), (("acme", "dear"), EMAIL, "a@example.com", 1))
    assert Quote(50, {"acme": 30, "dear": 50}) == both
    longer = table.quote((("acme",), SMS, GERMAN, 2), (("acme", "dear"), EMAIL, "a@example.com", 1))
    assert Quote(60, {"acme": {SMS: 60, EMAIL: 30}, "dear": 50}) == longer
    assert Price(90, "EUR") == price_of(table, "acme", SMS, GERMAN, 3)


AUTOREPLY, KEYWORD = PricedItem.AUTOREPLY, PricedItem.KEYWORD
LONDON = "+442079460000"
WHOLE = PriceList(
    PriceTable(
        1,
        (
            PriceRule(30),
            PriceRule(10, countries=("GB",), item=AUTOREPLY),
            PriceRule(100, item=KEYWORD),
            PriceRule(200, prefixes=("447",), item=KEYWORD),
            PriceRule(0, countries=("DE",), item=KEYWORD),
        ),
        "EUR",
    )
)


def test_an_autoreply_has_a_price_of_its_own_or_that_of_a_message() -> None:
    """A message never has that of an autoreply, and what is free has none."""
    autoreplies, messages = WHOLE.of(AUTOREPLY), WHOLE.of(PricedItem.MESSAGE_UNIT)
    assert [10, 30] == [autoreplies.unit_micros("acme", SMS, each) for each in (LONDON, GERMAN)]
    assert [30, 30] == [messages.unit_micros("acme", SMS, each) for each in (LONDON, GERMAN)]
    assert WHOLE.of(None).free
    assert not PriceList(PriceTable(1, (PriceRule(30),), "EUR")).of(AUTOREPLY).free
    only_keywords = PriceList(PriceTable(1, (PriceRule(30, item=KEYWORD),), "EUR"))
    assert (True, True) == (only_keywords.messages.free, only_keywords.of(AUTOREPLY).free)


@pytest.mark.parametrize(
    ("address", "expected"), [(BRITISH, 200), ("+12025550123", 100), ("44791", 100), (GERMAN, None)]
)
def test_a_keyword_costs_by_where_it_is_rented(address: str, expected: int | None) -> None:
    """A short code is of no country, whatever digits it begins with; nothing is no price."""
    assert (expected and Price(expected, "EUR")) == keyword_price(WHOLE, address)
    assert keyword_price(NO_PRICES, address) is None
