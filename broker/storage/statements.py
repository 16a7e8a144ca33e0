"""Named SQL: every statement of the broker lives in a `.sql` file under a `-- name:` line.

Parameters are written `:name`. A statement with `:rows` is a bulk one: the marker stands for any number of
parenthesised rows, after VALUES.

The files of `sql/` are written for SQLite and hold for every engine. Where another dialect has to differ,
there are two ways, and the smaller one is better:

- a comment `-- postgres: ...` within a statement is SQL to that dialect;
- a file of `sql/postgres/` has the name again, and replaces the whole statement.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

_NAME = re.compile(r"^-- name: (\w+)[ \t]*$", re.MULTILINE)
ROWS_MARKER = ":rows"


class Dialect(StrEnum):
    """The SQL of an engine; the names are those of its directories."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


def parse_statements(text: str) -> dict[str, str]:
    """The statements of one file by name; two of one name are an error."""
    pieces = _NAME.split(text)
    statements: dict[str, str] = {}
    for name, body in zip(pieces[1::2], pieces[2::2], strict=True):
        if name in statements:
            raise ValueError(f"two statements are named {name}")
        statements[name] = body.strip().rstrip(";")
    return statements


@cache
def load_statements(dialect: Dialect = Dialect.SQLITE) -> dict[str, str]:
    """Every statement of `broker/storage/sql` as `dialect` has it, with parameters still written `:name`."""
    directory = resources.files("broker.storage.sql")
    statements = _load(directory.iterdir())
    own = directory / dialect.value
    if own.is_dir():
        statements |= _load(own.iterdir())
    only_here = re.compile(rf"^(\s*)-- {dialect.value}: ", re.MULTILINE)
    return {name: only_here.sub(r"\1", text) for name, text in statements.items()}


def _load(files: Iterable[Traversable]) -> dict[str, str]:
    """The statements of all files; a name that two of them have is an error."""
    statements: dict[str, str] = {}
    for file in sorted(files, key=lambda path: path.name):
        if not file.name.endswith(".sql"):
            continue
        found = parse_statements(file.read_text(encoding="utf-8"))
        if repeated := found.keys() & statements.keys():
            raise ValueError(f"{file.name} names {sorted(repeated)} again")
        statements |= found
    return statements
