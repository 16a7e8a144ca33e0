"""Migrations: each once, in order, whole or not at all, and never an unknown one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.storage.migrate import Migration, MigrationError, load_migrations, migrate
from broker.storage.sqlite import SqliteConnection, SqliteEngine
from broker.testing.builders import NOW_US

FIRST = Migration(1, "first", "CREATE TABLE one (id INTEGER PRIMARY KEY); CREATE TABLE two (id INTEGER);")
SECOND = Migration(2, "second", "INSERT INTO one (id) VALUES (7); ALTER TABLE two ADD COLUMN name TEXT;")
BROKEN = Migration(3, "broken", "CREATE TABLE three (id INTEGER); INSERT INTO nowhere VALUES (1);")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[SqliteConnection]:
    """An empty database."""
    engine = SqliteEngine(tmp_path)
    connection = engine.connect()
    yield connection
    connection.close()
    engine.close()


def query(connection: SqliteConnection, sql: str) -> list[tuple[Any, ...]]:
    """What the bare database says."""
    return connection._connection.execute(sql).fetchall()


def tables(connection: SqliteConnection) -> set[str]:
    """The tables there are."""
    return {row[0] for row in query(connection, "SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_the_brokers_own_migrations_have_numbers_of_their_own(connection: SqliteConnection) -> None:
    """In rising order, from one."""
    migrations = load_migrations()
    numbers = [each.number for each in migrations]
    assert (1, sorted(set(numbers))) == (numbers[0], numbers)
    assert len(migrations) == migrate(connection, migrations, NOW_US)


def test_a_new_store_gets_every_step_in_order(connection: SqliteConnection) -> None:
    """With a record of each."""
    assert 2 == migrate(connection, [FIRST, SECOND], NOW_US)
    expected = [(1, "first", FIRST.checksum, NOW_US), (2, "second", SECOND.checksum, NOW_US)]
    assert expected == query(connection, "SELECT * FROM schema_migrations ORDER BY number")
    assert [(7,)] == query(connection, "SELECT id FROM one")


def test_a_store_that_is_opened_again_gets_nothing_twice(connection: SqliteConnection) -> None:
    """However often."""
    migrate(connection, [FIRST, SECOND], NOW_US)
    assert [0, 0] == [migrate(connection, [FIRST, SECOND], NOW_US + 1) for _ in range(2)]
    assert [(7,)] == query(connection, "SELECT id FROM one")


def test_an_older_store_gets_the_steps_it_lacks(connection: SqliteConnection) -> None:
    """As after an upgrade."""
    migrate(connection, [FIRST], NOW_US)
    assert 1 == migrate(connection, [FIRST, SECOND], NOW_US)
    assert [(7,)] == query(connection, "SELECT id FROM one")


def test_an_edited_step_is_refused(connection: SqliteConnection) -> None:
    """The store was made with another; nothing runs."""
    migrate(connection, [FIRST], NOW_US)
    edited = replace(FIRST, sql=FIRST.sql + " ")
    with pytest.raises(MigrationError, match="migration 1 is not the one"):
        migrate(connection, [edited, SECOND], NOW_US)
    assert [] == query(connection, "SELECT id FROM one")


def test_a_newer_store_is_refused(connection: SqliteConnection) -> None:
    """An older broker must not write to it."""
    migrate(connection, [FIRST, SECOND], NOW_US)
    with pytest.raises(MigrationError, match="migration 2: it was opened by a newer version"):
        migrate(connection, [FIRST], NOW_US)


def test_a_step_that_fails_leaves_nothing_behind(connection: SqliteConnection) -> None:
    """Those before it stand, and it can run again once it is mended."""
    with pytest.raises(Exception, match="nowhere"):
        migrate(connection, [FIRST, SECOND, BROKEN], NOW_US)
    assert "three" not in tables(connection)
    mended = replace(BROKEN, sql="CREATE TABLE three (id INTEGER);")
    assert 1 == migrate(connection, [FIRST, SECOND, mended], NOW_US)
    assert "three" in tables(connection)
