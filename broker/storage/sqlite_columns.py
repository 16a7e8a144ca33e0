"""Bulk statements of SQLite whose rows are given column by column.

What all rows share is bound once. Only the rest is bound for each row, which is what costs the interpreter's time: of
recipients of a file that is half of all values.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from broker.storage.statements import ROWS_MARKER
from broker.storage.transaction import Column

TEXTS_KEPT_MAX = 64
ROWS_CHARACTERS_MAX = 15_000
"""Of a statement: apsw keeps no longer ones prepared, and to prepare one costs more than to run it."""

_SIZES = tuple(1 << power for power in range(10, -1, -1))
"""Statements come in these numbers of rows, so that few different ones are ever prepared. Each is one step: after
it the GIL has to be got back, and until then SQLite does nothing.
"""


def statements_of(text: str, rows: int, columns: Sequence[Column]) -> Iterator[tuple[str, list[object]]]:
    """Statements that together write `rows` rows, each with what is bound to it."""
    lists = [each for each in columns if isinstance(each, list)]
    shared = [each for each in columns if not isinstance(each, list)]
    shape = tuple(isinstance(each, list) for each in columns)
    width, start = len(lists), 0
    for size in _SIZES:
        if size > 1 and size * (2 + 2 * width) > ROWS_CHARACTERS_MAX:
            continue
        while rows - start >= size:
            own: list[object] = [None] * (size * width)
            for at, column in enumerate(lists):
                own[at::width] = column[start : start + size]
            yield _text(text, shape, size), shared + own
            start += size


@lru_cache(maxsize=TEXTS_KEPT_MAX)
def _text(statement: str, shape: tuple[bool, ...], size: int) -> str:
    """The statement for so many rows; `shape` says which columns have a value for each of them."""
    shared, each = iter(range(1, len(shape) + 1)), iter(range(1, len(shape) + 1))
    cells = ", ".join(f"column{next(each)}" if own else f"?{next(shared)}" for own in shape)
    row = "(" + ",".join("?" * sum(shape)) + ")"
    # Parameters without a number have those after the last one, in their order.
    rows = f"SELECT {cells} FROM (VALUES {','.join([row] * size)}) WHERE true"
    return statement.replace(f"VALUES {ROWS_MARKER}", rows)
