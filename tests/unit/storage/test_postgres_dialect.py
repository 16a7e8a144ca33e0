"""From the shared SQL to PostgreSQL's: parameters, lists, and documents of rows."""

import json

import pytest

from broker.storage.migrate import load_migrations
from broker.storage.postgres.dialect import rows_document, translate, translate_bulk
from broker.storage.postgres.server import server_at
from broker.storage.statements import Dialect, load_statements

TYPES = {"a": "bigint", "b": "text"}
ROWS = "SELECT (r ->> 0)::bigint, (r ->> 1)::text FROM jsonb_array_elements($1::JSONB) AS given (r)"


@pytest.mark.parametrize(
    ("text", "sql", "parameters"),
    [
        ("SELECT 1", "SELECT 1", ()),
        ("a = :x AND b = :y", "a = $1 AND b = $2", ("x", "y")),
        ("a = :x OR b = :x", "a = $1 OR b = $1", ("x",)),
        ("a = :x::BIGINT", "a = $1::BIGINT", ("x",)),
        ("a = ':x' AND b = 'it''s :y' AND c = :z", "a = ':x' AND b = 'it''s :y' AND c = $1", ("z",)),
        ("-- of :x\na = :y", "-- of :x\na = $1", ("y",)),
        ('":x" = :x', '":x" = $1', ("x",)),
        ("a LIKE '50%' AND b = :x", "a LIKE '50%' AND b = $1", ("x",)),
    ],
)
def test_parameters_are_numbered(text: str, sql: str, parameters: tuple[str, ...]) -> None:
    """Casts, literals, names and comments hold none."""
    found = translate(text)
    assert (sql, parameters) == (found.sql, found.parameters)


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("a IN (SELECT value FROM json_each(:x))", "a = ANY($1)"),
        ("a NOT IN (SELECT value FROM json_each(:x))", "a <> ALL($1)"),
        ("a IN (\n SELECT value\n FROM json_each(:x)\n)", "a = ANY($1)"),
    ],
)
def test_a_list_is_searched_as_an_array(text: str, sql: str) -> None:
    """Its elements are quoted where they need it."""
    found = translate(text)
    assert sql == found.sql
    assert ["{1,NULL,2}"] == found.bind({"x": [1, None, 2]})
    assert ['{"a \\"b\\" \\\\","NULL","{}"}'] == found.bind({"x": ['a "b" \\', "NULL", "{}"]})


def test_any_other_list_is_json() -> None:
    """As it is on SQLite."""
    assert ['[[1,"a"]]', 7] == translate("jsonb_array_elements(:x) = :y").bind({"x": [(1, "a")], "y": 7})


def test_what_cannot_be_translated_is_named_at_the_start() -> None:
    """Rather than when it is first used."""
    with pytest.raises(ValueError, match="sql/postgres has to say it otherwise"):
        translate("SELECT value ->> 0 FROM json_each(:x)")


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("INSERT INTO t (a, b) VALUES :rows", f"INSERT INTO t (a, b) {ROWS}"),
        (
            "INSERT INTO t (\n a, b\n) VALUES :rows ON CONFLICT (a) DO UPDATE SET b = excluded.b",
            f"INSERT INTO t (\n a, b\n) {ROWS} ON CONFLICT (a) DO UPDATE SET b = excluded.b",
        ),
        (
            "WITH h (a, b) AS (VALUES :rows) UPDATE t SET b = h.b FROM h WHERE t.a = h.a",
            f"WITH h (a, b) AS ({ROWS}) UPDATE t SET b = h.b FROM h WHERE t.a = h.a",
        ),
        ("DELETE FROM t WHERE (a, b) IN (VALUES :rows)", f"DELETE FROM t WHERE (a, b) IN ({ROWS})"),
    ],
)
def test_rows_are_taken_apart_by_the_types_of_their_columns(text: str, sql: str) -> None:
    """In each form that a bulk statement has."""
    found = translate_bulk(text)
    assert ("t", ("a", "b"), sql) == (found.table, found.columns, found.sql(TYPES))


def test_rows_for_one_column_need_no_brackets() -> None:
    """As in SQLite."""
    found = translate_bulk("DELETE FROM t WHERE a IN (VALUES :rows)")
    expected = "DELETE FROM t WHERE a IN (SELECT (r ->> 0)::bigint FROM jsonb_array_elements($1::JSONB) AS given (r))"
    assert expected == found.sql(TYPES)


def test_rows_for_columns_that_are_not_there_are_refused() -> None:
    """A name that a migration forgot, or that only SQLite's has."""
    with pytest.raises(ValueError, match=r"rows for \['c'\], which are no columns of t"):
        translate_bulk("INSERT INTO t (a, c) VALUES :rows").sql(TYPES)
    with pytest.raises(ValueError, match="does not say which columns"):
        translate_bulk("SELECT * FROM (VALUES :rows)")


def test_rows_are_one_document() -> None:
    """Truths are 0 and 1 and bytes are what BYTEA reads, whatever the other columns hold."""
    rows = [(1, "true", True, None, b"\x00\xff"), (2**62, '"\\', False, "☃", b"")]
    expected = [[1, "true", 1, None, "\\x00ff"], [2**62, '"\\', 0, "☃", "\\x"]]
    assert expected == json.loads(rows_document(rows))


def test_a_row_of_anything_else_is_a_defect() -> None:
    """It would be stored as something that nobody reads."""
    with pytest.raises(TypeError):
        rows_document([({1, 2},)])


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://u:hunter2@db.example/way", "PostgreSQL at db.example:5432/way"),
        ("postgres://u:hunter2@db.example:6543/way?sslmode=require", "PostgreSQL at db.example:6543/way"),
        ("postgresql://a:1,b:2/way?password=hunter2", "PostgreSQL at a,b:1,2/way"),
        ("postgresql://u%40cloud:hunter2@h/way", "PostgreSQL at h:5432/way"),
        ("postgresql:///way?host=/run/postgresql", "PostgreSQL at /run/postgresql:5432/way"),
    ],
)
def test_a_place_is_told_without_secrets(url: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes to logs and terminals."""
    for name in ("PGHOST", "PGPORT", "PGDATABASE"):
        monkeypatch.delenv(name, raising=False)
    assert place == server_at(url, {}).place


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2@2@h/way",
        "postgresql://u:hunter2/2@h/way",
        "postgresql://u:hunter%zz@h/way",
        "postgresql://u@h/way?hunter2=hunter2",
    ],
)
def test_a_url_that_cannot_be_meant_is_refused_without_quoting_it(url: str) -> None:
    """What looks like a host or a port may be half a password."""
    with pytest.raises(ValueError, match="%xx") as refusal:
        server_at(url, {})
    assert "hunter" not in str(refusal.value)


def test_both_dialects_have_the_same_steps() -> None:
    """Whoever adds migrations/sqlite/0007_carts.sql adds migrations/postgres/0007_carts.sql as well."""
    steps = [[(each.number, each.name) for each in load_migrations(dialect)] for dialect in Dialect]
    assert steps[0] == steps[1]


def test_a_comment_for_one_dialect_is_sql_to_it_alone() -> None:
    """The smallest way to differ."""
    lock = "FOR UPDATE SKIP LOCKED"
    assert load_statements(Dialect.POSTGRES)["due_questions"].endswith(f"\n{lock}")
    assert load_statements(Dialect.SQLITE)["due_questions"].endswith(f"\n-- postgres: {lock}")


def test_an_override_replaces_its_statement() -> None:
    """And no other."""
    shared, own = load_statements(Dialect.SQLITE), load_statements(Dialect.POSTGRES)
    assert shared["timeline"] != own["timeline"]
    assert shared["message_by_id"] == own["message_by_id"]
    assert shared.keys() < own.keys()
