"""Verbs that keep how providers are doing over a restart."""

from broker.domain.health import CircuitState, HealthRecord
from broker.storage.transaction import Transaction


def record_health(tx: Transaction, items: list[tuple[str, HealthRecord]]) -> list[None]:
    """Keep the newest of each instance, by name."""
    tx.bulk(
        "record_health",
        [
            (
                name,
                record.state,
                record.since_us,
                record.open_until_us,
                record.openings,
                record.good,
                record.bad,
            )
            for name, record in dict(items).items()
        ],
    )
    return [None] * len(items)


def read_health(tx: Transaction) -> dict[str, HealthRecord]:
    """What was kept, by instance."""
    return {row[0]: HealthRecord(CircuitState(row[1]), *row[2:]) for row in tx.all("read_health")}
