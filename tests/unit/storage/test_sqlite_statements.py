"""Rows come in one step, and are what SQLite would have answered row by row."""

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.storage.sqlite_statements import SqliteStatements

STATEMENTS = {
    "all_rows": "SELECT id, word, number FROM things ORDER BY number DESC, id",
    "ranked": "WITH ranked AS (SELECT id, number FROM things) -- a remark\nSELECT id FROM ranked ORDER BY id LIMIT 2",
    "some": "SELECT word FROM things WHERE id IN (SELECT value FROM json_each(:ids)) ORDER BY word",
    "none": "-- A remark before it.\nSELECT id, word FROM things WHERE id < 0",
    "bytes": "SELECT id, raw FROM things ORDER BY id",
    "deleted": "DELETE FROM things WHERE id = :id RETURNING id, word",
}
WORDS = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"))
NUMBERS = st.none() | st.integers(-(2**63), 2**63 - 1)


@pytest.fixture
def connection():
    connection = apsw.Connection(":memory:")
    connection.execute(
        "CREATE TABLE things (id INTEGER PRIMARY KEY, word TEXT, number INTEGER, raw BLOB) STRICT"
    )
    yield connection
    connection.close()


@given(things=st.lists(st.tuples(WORDS, NUMBERS), max_size=20))
def test_rows_are_those_of_sqlite_in_their_order(things):
    """Every text, every integer of 64 bits, and NULL, in the order that the statement asks for."""
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, word TEXT, number INTEGER) STRICT")
    connection.executemany("INSERT INTO things (word, number) VALUES (?, ?)", things)
    statements = SqliteStatements(STATEMENTS)
    for name in ("all_rows", "ranked"):
        expected = connection.execute(STATEMENTS[name]).fetchall()
        assert expected == statements.rows(connection, name, {})
    connection.close()


def test_parameters_are_bound(connection):
    """By name, as they are without it."""
    connection.executemany("INSERT INTO things (id, word) VALUES (?, ?)", [(1, "b"), (2, "a"), (3, "c")])
    assert [("a",), ("b",)] == SqliteStatements(STATEMENTS).rows(connection, "some", {"ids": "[1, 2]"})


def test_no_rows_are_an_empty_list(connection):
    """Not one row of nothing."""
    assert [] == SqliteStatements(STATEMENTS).rows(connection, "none", {})


def test_bytes_stay_bytes(connection):
    """JSON has none, so such a statement is run as it is."""
    connection.execute("INSERT INTO things (id, raw) VALUES (1, x'00ff')")
    assert [(1, b"\x00\xff")] == SqliteStatements(STATEMENTS).rows(connection, "bytes", {})


def test_what_changes_rows_answers_those_too(connection):
    """A statement that is no SELECT is run as it is."""
    connection.execute("INSERT INTO things (id, word) VALUES (1, 'a')")
    statements = SqliteStatements(STATEMENTS)
    assert [(1, "a")] == statements.rows(connection, "deleted", {"id": 1})
    assert [] == statements.rows(connection, "deleted", {"id": 1})


def test_a_select_takes_one_step(connection):
    """However many rows it answers: at each step another thread may take the interpreter away."""
    connection.executemany("INSERT INTO things (id) VALUES (?)", [(number,) for number in range(1_000)])
    statements, steps = SqliteStatements(STATEMENTS), []
    statements.rows(connection, "all_rows", {})
    connection.row_trace = lambda _cursor, row: steps.append(1) or row
    assert 1_000 == len(statements.rows(connection, "all_rows", {}))
    assert [1] == steps
