"""Named SQL: every statement is found, none twice, and each of them is one that SQLite accepts."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.storage.migrate import load_migrations, migrate
from broker.storage.sqlite import SqliteConnection, SqliteEngine
from broker.storage.statements import ROWS_MARKER, load_statements, parse_statements
from broker.testing.builders import NOW_US

STATEMENTS = load_statements()
SOURCES = "\n".join(path.read_text() for path in Path("broker/storage").glob("*.py"))


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteConnection]:
    """A store on the newest schema."""
    engine = SqliteEngine(tmp_path_factory.mktemp("store"))
    connection = engine.connect()
    migrate(connection, load_migrations(), NOW_US)
    yield connection
    connection.close()
    engine.close()


def test_a_file_is_cut_at_its_names() -> None:
    """A semicolon at the end and comments above are no part of a statement."""
    text = "-- About this file.\n\n-- name: one\nSELECT 1;\n\n-- name: two \nSELECT\n    2\n"
    assert {"one": "SELECT 1", "two": "SELECT\n    2"} == parse_statements(text)


def test_a_name_is_given_once() -> None:
    """The second would hide the first."""
    with pytest.raises(ValueError, match="two statements are named one"):
        parse_statements("-- name: one\nSELECT 1\n-- name: one\nSELECT 2\n")


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_fits_the_schema(connection: SqliteConnection, name: str) -> None:
    """SQLite can prepare it as it stands; a bulk one is a statement around one marker."""
    sql = STATEMENTS[name]
    if rows := re.findall(rf"{ROWS_MARKER}\b", sql):
        assert 1 == len(rows)
        sql = sql.replace(ROWS_MARKER, "(" + ",".join(["NULL"] * _width(sql)) + ")")
    bare = connection._connection
    bare.execute("EXPLAIN " + sql, dict.fromkeys(re.findall(r":(\w+)", sql)))


def _width(sql: str) -> int:
    """How many columns a row of a bulk statement has."""
    before, _, _ = sql.partition(ROWS_MARKER)
    lists = re.findall(r"\(([^()]+)\)", before)
    return lists[0].count(",") + 1 if lists else 1


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_used(name: str) -> None:
    """One that is not is left over from something."""
    ring = re.sub(r"_[0-3]$", "_", name)
    assert re.search(rf'"{name}"|"{ring}\{{', SOURCES)
