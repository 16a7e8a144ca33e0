"""Named SQL: every statement of the broker lives in a `.sql` file under a `-- name:` line.

A statement with `:rows` is a bulk one: the marker stands for any number of parenthesised rows. Every
other parameter is written `:name`.
"""

import re
from functools import cache
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)[ \t]*$", re.MULTILINE)
ROWS_MARKER = ":rows"


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
def load_statements() -> dict[str, str]:
    """Every statement of `broker/storage/sql`."""
    statements: dict[str, str] = {}
    for file in sorted(resources.files("broker.storage.sql").iterdir(), key=lambda path: path.name):
        if not file.name.endswith(".sql"):
            continue
        found = parse_statements(file.read_text(encoding="utf-8"))
        if repeated := found.keys() & statements.keys():
            raise ValueError(f"{file.name} names {sorted(repeated)} again")
        statements |= found
    return statements
