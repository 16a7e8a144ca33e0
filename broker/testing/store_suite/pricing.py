"""Cases of the price table's versions."""

from broker.domain.price import PricedItem
from broker.domain.prices import PriceRule, PriceTable
from broker.domain.vocabulary import Channel
from broker.storage.pricing import (
    PRICE_TABLES_KEPT,
    PriceReplacement,
    PricesMoved,
    PricesReplaced,
    StoredPrices,
    read_prices,
    replace_prices,
)
from broker.storage.store import Store
from broker.testing.builders import NOW_US
from broker.testing.store_suite.opening import OpenedStore

RULES = (
    PriceRule(50_000, "acme", (Channel.SMS, Channel.MMS), ("447", "1"), ("GB",)),
    PriceRule(0),
    PriceRule(1, item=PricedItem.AUTOREPLY),
    PriceRule(2, countries=("GB",), item=PricedItem.KEYWORD),
)


def wish(expected_version: int, rules: tuple[PriceRule, ...] = RULES) -> PriceReplacement:
    """To put rules in the place of a version."""
    return PriceReplacement(expected_version, rules, "EUR", 7, NOW_US)


class PriceCases(OpenedStore):
    """Prices are replaced as a whole, in the place of what their writer has seen."""

    async def test_prices_are_kept_by_version(self, store: Store) -> None:
        """With who stored them when; the newest is in force."""
        assert await store.read(read_prices, None) is None
        assert [PricesReplaced(1)] == await store.write(replace_prices, [wish(0)])
        assert [PricesReplaced(2)] == await store.write(replace_prices, [wish(1, ())])
        first = StoredPrices(PriceTable(1, RULES, "EUR"), 7, NOW_US)
        assert first == await store.read(read_prices, 1)
        assert StoredPrices(PriceTable(2, (), "EUR"), 7, NOW_US) == await store.read(read_prices, None)
        assert await store.read(read_prices, 3) is None

    async def test_only_the_version_that_was_expected_is_replaced(self, store: Store) -> None:
        """Of two writers that have seen the same one, the first wins."""
        answers = await store.write(replace_prices, [wish(0), wish(0), wish(1)])
        assert [PricesReplaced(1), PricesMoved(1), PricesReplaced(2)] == answers

    async def test_old_versions_are_forgotten(self, store: Store) -> None:
        """The newest stay."""
        await store.write(replace_prices, [wish(number, ()) for number in range(PRICE_TABLES_KEPT + 1)])
        assert await store.read(read_prices, 1) is None
        assert await store.read(read_prices, 2) is not None
