"""Migrations: numbered, checksummed, forward only; for each dialect its own, with the same numbers."""

import hashlib
import re
from dataclasses import dataclass
from importlib import resources

from broker.storage.engine import Connection
from broker.storage.statements import Dialect
from broker.storage.transaction import Transaction

_FILE = re.compile(r"(\d{4})_(\w+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of its text, in hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


class MigrationError(RuntimeError):
    """The store's schema is not one that this version made or can carry on from."""


def load_migrations(dialect: Dialect = Dialect.SQLITE) -> list[Migration]:
    """Every migration of this version, in order."""
    directory = resources.files("broker.storage.migrations") / dialect.value
    found = [
        Migration(int(match[1]), match[2], file.read_text(encoding="utf-8"))
        for file in directory.iterdir()
        if (match := _FILE.fullmatch(file.name))
    ]
    return sorted(found, key=lambda migration: migration.number)


def migrate(connection: Connection, migrations: list[Migration], now_us: int) -> int:
    """Bring the store to the newest schema, each step in a transaction; answers how many steps ran."""

    def applied_so_far(tx: Transaction) -> dict[int, str]:
        tx.all("create_migrations_table")
        return {row[0]: row[1] for row in tx.all("applied_migrations")}

    applied = connection.write(applied_so_far, ())
    if unknown := applied.keys() - {migration.number for migration in migrations}:
        raise MigrationError(f"the store has migration {max(unknown)}: it was opened by a newer version")
    steps = 0
    for migration in migrations:
        if migration.number not in applied:
            _apply(connection, migration, now_us)
            steps += 1
        elif applied[migration.number] != migration.checksum:
            raise MigrationError(f"migration {migration.number} is not the one that the store was made with")
    return steps


def _apply(connection: Connection, migration: Migration, now_us: int) -> None:
    def step(tx: Transaction) -> None:
        connection.script(migration.sql)
        tx.all(
            "record_migration",
            number=migration.number,
            name=migration.name,
            checksum=migration.checksum,
            applied_at=now_us,
        )

    connection.write(step, ())
