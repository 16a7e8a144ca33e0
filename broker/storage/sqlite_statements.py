"""How SQLite is asked for rows: all of them in one step.

apsw gives up the GIL at every step, and each row is a step of its own. Beside a busy event loop that made a row cost
10 to 100 times what it takes SQLite to find it. So a SELECT is run within another one that gathers its rows in one
JSON document: one step however many rows there are, and faster also where nobody else is busy.
"""

import re
from collections.abc import Mapping

import apsw
import apsw.ext
import orjson

from broker.storage.transaction import Row

_SELECT = re.compile(r"(?:\s*--[^\n]*\n)*\s*(?:SELECT|WITH)\b", re.IGNORECASE)
_NO_SELECT = re.compile(r"\b(?:INSERT|UPDATE|DELETE|RETURNING|json_group_array)\b", re.IGNORECASE)
"""What also begins with WITH, and what gathers by itself."""


class SqliteStatements:
    """Named statements. Those that answer rows are run in the form that takes the fewest steps. One for all connections."""

    def __init__(self, statements: Mapping[str, str]) -> None:
        self._statements = statements
        self._gathering: dict[str, str] = {}

    def text(self, name: str) -> str:
        """A statement as its file has it."""
        return self._statements[name]

    def rows(self, connection: apsw.Connection, name: str, parameters: Mapping[str, object]) -> list[Row]:
        """Run a statement and answer its rows, in their order."""
        gathering = self._gathering.get(name)
        if gathering is None:
            gathering = self._gathering[name] = _gathered(connection, self._statements[name])
        if not gathering:
            return connection.execute(self._statements[name], parameters).fetchall()
        ((document,),) = connection.execute(gathering, parameters).fetchall()
        return list(map(tuple, orjson.loads(document)))  # type: ignore[arg-type]  # a BLOB, by the cast


def _gathered(connection: apsw.Connection, text: str) -> str:
    """The statement within one that gathers its rows, "" where it has to be run as it is: JSON holds no bytes."""
    if not _SELECT.match(text) or _NO_SELECT.search(text):
        return ""
    described = apsw.ext.query_info(connection, text).description
    if any(kind == "BLOB" for _, kind in described):
        return ""
    columns = ", ".join(f"column_{at}" for at in range(len(described)))
    return (
        f"WITH gathered ({columns}) AS (\n{text}\n)\n"
        f"SELECT CAST(json_group_array(json_array({columns})) AS BLOB) FROM gathered"
    )
