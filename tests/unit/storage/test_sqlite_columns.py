"""Rows given column by column, written by as few statements as can be kept prepared."""

from typing import Any

import apsw
import pytest

from broker.storage.sqlite_columns import ROWS_CHARACTERS_MAX, statements_of


@pytest.mark.parametrize("rows", [1, 7, 1_024, 2_500])
@pytest.mark.parametrize("width", [1, 4, 30])
def test_rows_are_what_their_columns_are(rows: int, width: int) -> None:
    """However many there are and however wide; values of all rows stand wherever they are given."""
    columns: list[Any] = ["first", *[[f"{at} {row}" for row in range(rows)] for at in range(width)], 7, None]
    names = ", ".join(f"c{at}" for at in range(width + 3))
    connection = apsw.Connection(":memory:")
    connection.execute(f"CREATE TABLE t ({names})")
    statements = list(statements_of(f"INSERT INTO t ({names}) VALUES :rows", rows, columns))
    for text, bound in statements:
        connection.execute(text, bound)
    found = connection.execute("SELECT * FROM t ORDER BY rowid").fetchall()
    assert [("first", *[column[row] for column in columns[1:-2]], 7, None) for row in range(rows)] == found
    assert all(len(text) < ROWS_CHARACTERS_MAX + 1_000 for text, _ in statements)
