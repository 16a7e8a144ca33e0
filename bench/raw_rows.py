"""The floor under the store: the rows of accepted messages, put into an empty SQLite by nothing but SQLite.

The rows are the broker's own: its verb of acceptance runs once against a transaction that only writes
down what it is given. Replaying that costs no decisions, no protobuf and no threads.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import apsw

from bench.submissions import Acceptances
from broker.storage.acceptance import accept
from broker.storage.migrate import load_migrations, migrate
from broker.storage.sqlite import SqliteEngine
from broker.storage.statements import ROWS_MARKER, load_statements
from broker.storage.transaction import Row, Transaction

MESSAGES_A_COMMIT = 800
"""As many as eight frames of 100 hold, which is what a stream has under way."""

ACCOUNT = 1

Group = list[tuple[str, list[Sequence[object]]]]
"""The bulk statements of one commit with their rows."""


class Writing(Transaction):
    """Writes down what a verb stores. Acceptance reads the account's last sequence, and finds that nobody said STOP."""

    def __init__(self, last_sequence: int) -> None:
        super().__init__()
        self.group: Group = []
        self._last_sequence = last_sequence

    def all(self, statement: str, /, **parameters: object) -> list[Row]:
        """The last sequence, for that is all there is."""
        if statement == "account_last_sequence":
            return [(self._last_sequence,)]
        if statement == "recipients_opted_out":
            return []
        raise LookupError(f"acceptance now reads {statement} {sorted(parameters)}: teach bench/raw_rows.py")

    def bulk(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Write the rows down."""
        if rows:
            self.group.append((statement, list(rows)))


class RawRows:
    """The rows of this many messages, ready to be inserted."""

    def __init__(self, messages: int) -> None:
        acceptances = Acceptances(ACCOUNT)
        self._groups: list[Group] = []
        for done in range(0, messages, MESSAGES_A_COMMIT):
            tx = Writing(last_sequence=done)
            accept(tx, acceptances.take(MESSAGES_A_COMMIT, time.time_ns() // 1_000))
            self._groups.append(tx.group)

    def insert(self, data_dir: Path, share: float) -> float:
        """Messages a second into a new store, each group in one durable transaction."""
        make_store(data_dir)
        groups = self._groups[: max(1, round(len(self._groups) * share))]
        statements = load_statements()
        connection = apsw.Connection(str(data_dir / "waypost.db"))
        connection.pragma("synchronous", "full")
        connection.pragma("wal_autocheckpoint", 0)
        began = time.monotonic()
        for group in groups:
            with connection:
                for statement, rows in group:
                    if statement != "set_account_sequences":
                        one = "(" + ",".join("?" * len(rows[0])) + ")"
                        connection.executemany(statements[statement].replace(ROWS_MARKER, one), rows)
        seconds = time.monotonic() - began
        connection.close()
        return len(groups) * MESSAGES_A_COMMIT / seconds


def make_store(data_dir: Path) -> None:
    """An empty store, as a broker has it."""
    engine = SqliteEngine(data_dir)
    connection = engine.connect()
    migrate(connection, load_migrations(), 0)
    connection.close()
    engine.close()
