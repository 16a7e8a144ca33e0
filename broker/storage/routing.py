"""Verbs of routing: versions of the route table, and which instances are drained."""

from dataclasses import dataclass

from broker.domain.routes import Route, RouteTable
from broker.storage.documents import dump_routes, load_routes
from broker.storage.transaction import Transaction

ROUTE_TABLES_KEPT = 200
"""Older versions are forgotten; messages keep the number of theirs."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """A wish to put `routes` in the place of version `expected_version`, 0 where there is none yet.

    `key_id` is who wishes it; 0: the settings.
    """

    expected_version: int
    routes: tuple[Route, ...]
    key_id: int
    now_us: int


@dataclass(frozen=True, slots=True)
class Replaced:
    """The routes are in force, as this version."""

    version: int


@dataclass(frozen=True, slots=True)
class Moved:
    """Nothing was stored: this version is in force, and another was expected."""

    version: int


@dataclass(frozen=True, slots=True)
class StoredRoutes:
    """A version of the routes, with who stored it when."""

    table: RouteTable
    key_id: int
    created_at_us: int


@dataclass(frozen=True, slots=True)
class Draining:
    """A wish that an instance gets no new messages, or gets them again."""

    provider: str
    drained: bool


def replace_routes(tx: Transaction, items: list[Replacement]) -> list[Replaced | Moved]:
    """Store each table as the next version, where the one in force is the one that was expected."""
    version = _newest_version(tx)
    answers: list[Replaced | Moved] = []
    for item in items:
        if item.expected_version == version and _insert(tx, version + 1, item):
            version += 1
            answers.append(Replaced(version))
        else:
            version = _newest_version(tx)
            answers.append(Moved(version))
    tx.all("forget_route_tables", version=version - ROUTE_TABLES_KEPT)
    return answers


def _newest_version(tx: Transaction) -> int:
    row = tx.one("newest_route_version")
    return (row and row[0]) or 0


def _insert(tx: Transaction, version: int, item: Replacement) -> bool:
    """False where another transaction has stored that version meanwhile."""
    stored = tx.one(
        "insert_route_table",
        version=version,
        created_at=item.now_us,
        created_by=item.key_id,
        routes=dump_routes(item.routes),
    )
    return stored is not None


def read_routes(tx: Transaction, version: int | None) -> StoredRoutes | None:
    """A version of the routes, or the newest; None where there is none."""
    if version is None:
        row = tx.one("newest_route_table")
    else:
        row = tx.one("route_table_by_version", version=version)
    if row is None:
        return None
    return StoredRoutes(RouteTable(row[0], load_routes(row[3])), row[2], row[1])


def set_drained(tx: Transaction, items: list[Draining]) -> list[frozenset[str]]:
    """Drain or enable instances; of several wishes for one the last counts. Answers all that are drained then.

    What waits for them may have to go elsewhere now, or can go at last.
    """
    for item in items:
        tx.all(
            "insert_drained_provider" if item.drained else "delete_drained_provider", provider=item.provider
        )
    tx.work_is_due = True
    return [read_drained(tx)] * len(items)


def read_drained(tx: Transaction) -> frozenset[str]:
    """The instances that are drained."""
    return frozenset(row[0] for row in tx.all("drained_providers"))
