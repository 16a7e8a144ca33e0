"""Verbs of prices: versions of the price table."""

from broker.domain.prices import PriceRule, PriceTable
from broker.domain.value import value
from broker.storage.documents import dump_prices, load_prices
from broker.storage.transaction import Transaction

PRICE_TABLES_KEPT = 200
"""Older versions are forgotten; messages keep what they cost."""


@value
class PriceReplacement:
    """A wish of a key to put `rules` in the place of version `expected_version`, 0 where there is none yet."""

    expected_version: int
    rules: tuple[PriceRule, ...]
    currency: str
    key_id: int
    now_us: int


@value
class PricesReplaced:
    """The rules are in force, as this version."""

    version: int


@value
class PricesMoved:
    """Nothing was stored: this version is in force, and another was expected."""

    version: int


@value
class StoredPrices:
    """A version of the prices, with who stored it when."""

    table: PriceTable
    key_id: int
    created_at_us: int


def replace_prices(tx: Transaction, items: list[PriceReplacement]) -> list[PricesReplaced | PricesMoved]:
    """Store each table as the next version, where the one in force is the one that was expected."""
    version = _newest_version(tx)
    answers: list[PricesReplaced | PricesMoved] = []
    for item in items:
        if item.expected_version == version and _insert(tx, version + 1, item):
            version += 1
            answers.append(PricesReplaced(version))
        else:
            version = _newest_version(tx)
            answers.append(PricesMoved(version))
    tx.all("forget_price_tables", version=version - PRICE_TABLES_KEPT)
    return answers


def _newest_version(tx: Transaction) -> int:
    row = tx.one("newest_price_version")
    return (row and row[0]) or 0


def _insert(tx: Transaction, version: int, item: PriceReplacement) -> bool:
    """False where another transaction has stored that version meanwhile."""
    stored = tx.one(
        "insert_price_table",
        version=version,
        created_at=item.now_us,
        created_by=item.key_id,
        rules=dump_prices(item.rules),
        currency=item.currency,
    )
    return stored is not None


def read_prices(tx: Transaction, version: int | None) -> StoredPrices | None:
    """A version of the prices, or the newest; None where there is none."""
    if version is None:
        row = tx.one("newest_price_table")
    else:
        row = tx.one("price_table_by_version", version=version)
    if row is None:
        return None
    return StoredPrices(PriceTable(row[0], load_prices(row[3]), row[4]), row[2], row[1])
