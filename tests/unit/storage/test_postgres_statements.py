"""Named SQL as PostgreSQL gets it: each statement is one that it accepts, and finds its rows by a key."""

import re
from collections.abc import Iterator

import psycopg
import pytest

from broker.storage.migrate import load_migrations, migrate
from broker.storage.postgres import PostgresEngine
from broker.storage.postgres.dialect import translate_all
from broker.storage.statements import Dialect, load_statements
from broker.testing.builders import NOW_US
from broker.testing.postgres_server import PostgresServer

SINGLE, BULK = translate_all(load_statements(Dialect.POSTGRES))
OWN = load_statements(Dialect.POSTGRES).keys() - load_statements(Dialect.SQLITE).keys()
UTILITY = ("BEGIN", "CREATE")

SMALL = {
    *("schema_migrations", "store", "parked_total", "directories"),
    *("pg_attribute", "pg_database", "pg_locks"),
}
"""What may be looked through: it has a row or a few, or one an account."""

WHOLE = {
    "any_account": "one row of any",
    "any_parked_receipt": "one row of any",
    "all_charges": "a check of the whole store",
    "other_currency": "once, at the start; of accounts that ever had credit",
    "due_counts": "counts what waits, now and then",
    "policies_with_links": "every account, once in five seconds at most, where links are served",
    "idle_endpoints": "every five minutes",
    "read_health": "a row a provider, at the start",
    "release_callbacks": "at the start",
} | {f"forget_request_ids_{slot}": "empties the table" for slot in range(4)}
"""Statements that look through a table on purpose, and why."""


@pytest.fixture(scope="module")
def bare(postgres: PostgresServer) -> Iterator[psycopg.Connection]:
    """A connection of the engine's own kind, to a store on the newest schema."""
    engine = PostgresEngine(postgres.url("statements"))
    migrate(engine.connect(), load_migrations(engine.dialect), NOW_US)
    yield engine._session.bare()
    engine.close()


def finished(bare: psycopg.Connection, name: str) -> str:
    """A statement with numbered parameters, whether it is a bulk one or not."""
    if name in SINGLE:
        return SINGLE[name].sql
    types = bare.execute(SINGLE["column_types"].sql, [BULK[name].table]).fetchall()
    return BULK[name].sql(dict(types))


def test_single_and_bulk_are_told_apart() -> None:
    """By the marker alone."""
    assert {*SINGLE, *BULK} == load_statements(Dialect.POSTGRES).keys()
    assert "insert_due" in BULK
    assert "due_questions" in SINGLE


@pytest.mark.parametrize("name", sorted({*SINGLE, *BULK}))
def test_a_statement_fits_the_schema(bare: psycopg.Connection, name: str) -> None:
    """PostgreSQL can parse it, and knows the type of each parameter."""
    result = bare.pgconn.prepare(b"", finished(bare, name).encode())
    assert psycopg.pq.ExecStatus.COMMAND_OK == result.status, result.error_message.decode()


@pytest.mark.parametrize("name", sorted({*SINGLE, *BULK} - WHOLE.keys() - OWN))
def test_a_statement_looks_through_no_table_that_grows(bare: psycopg.Connection, name: str) -> None:
    """Every row is found by a key or an index, by a plan that does not depend on the values."""
    sql = finished(bare, name)
    if sql.startswith(UTILITY):
        return
    bare.execute("SET plan_cache_mode = force_generic_plan")
    bare.execute(f"PREPARE planned AS {sql}")
    try:
        nulls = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", sql))))
        call = f"planned({nulls})" if nulls else "planned"
        steps = [row[0] for row in bare.execute(f"EXPLAIN (COSTS OFF) EXECUTE {call}").fetchall()]
    finally:
        bare.execute("DEALLOCATE planned")
    scanned = {found[1] for step in steps if (found := re.search(r"Seq Scan on (\w+)", step))}
    assert set() == scanned - SMALL, "\n".join(steps)


@pytest.mark.parametrize("name", sorted(OWN))
def test_an_own_statement_is_used(name: str) -> None:
    """One that is not is left over from something."""
    from pathlib import Path

    sources = [*Path("broker/storage/postgres").glob("*.py"), Path("broker/cli/doctor/postgres.py")]
    assert any(f'"{name}"' in path.read_text() for path in sources)
