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


def plan_of(connection: SqliteConnection, name: str) -> list[str]:
    """How SQLite goes about a statement."""
    sql = re.sub(
        rf"{ROWS_MARKER}\b",
        lambda _: "(" + ",".join(["NULL"] * _width(STATEMENTS[name])) + ")",
        STATEMENTS[name],
    )
    rows = connection._connection.execute(
        "EXPLAIN QUERY PLAN " + sql, dict.fromkeys(re.findall(r":(\w+)", sql), 1)
    )
    return [row[3] for row in rows]


SMALL = {
    *("schema_migrations", "store", "accounts", "directories", "parked_total", "drained_providers"),
    *("chain", "head", "changed", "json_each", "CONSTANT"),
    *("turn", "lane", "class", "3", "provider_health"),
    *("clicked", "erased", "marked", "found", "counted", "begun", "labelled", "l", "tag", "priced"),
}
"""What may be looked through: it has a row, or as many as were asked for, or one for each provider."""

WHOLE = {
    "any_account": "one row of any",
    "any_parked_receipt": "one row of any",
    "any_provider_spelling": "one row of any",
    "shed_parked_receipts": "as many of the oldest as are too many",
    "forget_parked_receipts": "every five minutes; holds only what matches nothing",
    "deleted_group": "one row of any in an index of the few that are removed",
    "due_counts": "counts what waits, now and then",
    "count_crashes": "once, at the start; along a partial index of what is with providers",
    "followers_behind": "accounts that use callbacks, less often the more there are",
    "oldest_callbacks": "accounts that use callbacks, every ten seconds",
    "callback_counts": "endpoints that something waits for, every ten seconds",
    "closed_endpoints": "closed endpoints, every ten seconds",
    "idle_endpoints": "every five minutes",
    "release_callbacks": "at the start",
    "miscounted_endpoints": "a check of the whole store",
    "stray_callbacks": "a check of the whole store",
    "scanned_ids": "a bounded stretch of ids",
    "indexes_behind": "every account, once at a start",
    **dict.fromkeys(("all_ledgers", "all_ledger_entries", "all_charges"), "a check of the whole store"),
    "other_currency": "once, at the start; of accounts that ever had credit",
    "active_broadcast_count": "the few that go on, and no more than may",
    "find_duplicates": "one audience, sorted, once a broadcast",
    "accounts_with_senders": "once after a start; along an index of what admins register by hand",
    "usage_behind": "every account, once at a start",
    "usage_groups": "what has not ended; an index of it by account would hold up every change",
    "usage_groups_by_tag": "what has not ended, likewise",
} | {f"forget_request_ids_{slot}": "empties the table" for slot in range(4)}
"""Statements that look through a table on purpose, and why."""


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - WHOLE.keys()))
def test_a_statement_looks_through_no_table_that_grows(connection: SqliteConnection, name: str) -> None:
    """Every row is found by a key or an index."""
    scanned = [step.split()[1] for step in plan_of(connection, name) if step.startswith("SCAN")]
    assert set() == set(scanned) - SMALL


def test_a_timeline_is_a_walk_along_keys(connection: SqliteConnection) -> None:
    """One look-up an event: never a walk through the account's whole log, which the planner likes as well."""
    steps = [step for step in plan_of(connection, "timeline") if step.startswith("SEARCH e ")]
    assert ["SEARCH e USING PRIMARY KEY (account_id=? AND sequence=?)"] * 2 == steps
