"""The prices in force: read from the store at start, replaced at run time, and asked for every message."""

from broker.delivery.registry import Registry
from broker.domain.prices import PriceList, PriceRule, PriceTable, price_violations
from broker.errors import BrokerError, ErrorReason, Violation
from broker.settings import SettingsError
from broker.spi import Clock
from broker.storage.pricing import PriceReplacement, PricesMoved, StoredPrices, read_prices, replace_prices
from broker.storage.store import Store

__all__ = ["PriceBook", "StoredPrices"]

NOTHING_PRICED = StoredPrices(PriceTable(), 0, 0)


class PriceBook:
    """Has the prices in force, in micros of one `currency`.

    Writes come back in the order of their commits, so the last version to be adopted is the newest.
    """

    def __init__(self, store: Store, registry: Registry, clock: Clock, currency: str) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self.currency = currency
        self.current = NOTHING_PRICED
        self.prices = PriceList(self.current.table)

    async def start(self) -> None:
        """Read what is stored. Raises SettingsError where that is in another currency."""
        newest = await self._store.read(read_prices, None)
        if newest is not None:
            if newest.table.rules and newest.table.currency != self.currency:
                raise SettingsError(
                    f"credits.currency is {self.currency}, and the prices in force are in {newest.table.currency}"
                )
            self._adopt(newest)

    async def version(self, number: int) -> StoredPrices:
        """A version of the prices, 0 for the one in force. Raises BrokerError PRICES_NOT_FOUND."""
        if number in {0, self.current.table.version}:
            return self.current
        found = await self._store.read(read_prices, number)
        if found is None:
            raise BrokerError(ErrorReason.PRICES_NOT_FOUND)
        return found

    def violations(self, rules: tuple[PriceRule, ...]) -> list[Violation]:
        """Every rule that normal price rules break."""
        serving = {each.name: each.capabilities.channels for each in self._registry.all()}
        return price_violations(rules, serving)

    async def replace(
        self, rules: tuple[PriceRule, ...], expected_version: int, key_id: int, *, validate_only: bool
    ) -> StoredPrices:
        """Put normal rules without violations in force; answers what is in force then.

        Raises BrokerError PRICES_CHANGED when another version than the expected one is in force.
        """
        if expected_version != self.current.table.version:
            raise _changed(self.current.table.version)
        if not validate_only:
            now_us = self._clock.now_us()
            wish = PriceReplacement(expected_version, rules, self.currency, key_id, now_us)
            (answer,) = await self._store.write(replace_prices, [wish])
            if isinstance(answer, PricesMoved):
                raise _changed(answer.version)
            self._adopt(StoredPrices(PriceTable(answer.version, rules, self.currency), key_id, now_us))
        return self.current

    def _adopt(self, stored: StoredPrices) -> None:
        self.current = stored
        self.prices = PriceList(stored.table)


def _changed(version: int) -> BrokerError:
    return BrokerError(
        ErrorReason.PRICES_CHANGED,
        f"version {version} of the prices is in force",
        metadata={"version": str(version)},
    )
