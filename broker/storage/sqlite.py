"""The embedded engine: SQLite through apsw, one file in a data directory that one process owns."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TypeVar

import apsw
import orjson

from broker.errors import BrokerError, ErrorReason
from broker.storage.engine import StoreLockedError, StoreUnfitError
from broker.storage.sqlite_columns import statements_of
from broker.storage.sqlite_statements import SqliteStatements
from broker.storage.statements import ROWS_MARKER, Dialect, load_statements
from broker.storage.transaction import Column, Row, Transaction

SQLITE_VERSION_MIN = (3, 51, 3)
"""Older ones can corrupt the file when a WAL is reset while a checkpoint runs."""

BUSY_TIMEOUT_MS = 10_000
CHECKPOINT_BUSY_TIMEOUT_MS = 250
"""How long a log that is to begin anew waits for readers, and writers for it, before it is left for later."""

WAL_BYTES_MAX = 64 * 1024 * 1024
"""A log that a reader made grow beyond this is cut back when it begins anew. A shorter one keeps its file: to write over
what is there takes the disk half the time of making the file longer.
"""
STATEMENT_CACHE_MAX = 400
_BULK_SIZES = (256, 128, 64, 32, 16, 8, 4, 2, 1)
"""Bulk statements come in these numbers of rows, so that few different ones are ever prepared. Nine statements
at most write any number below 512; longer ones would be too long for apsw to keep prepared.
"""

T = TypeVar("T")

_UNWRITABLE = (
    apsw.FullError,
    apsw.IOError,
    apsw.ReadOnlyError,
    apsw.BusyError,
    apsw.CantOpenError,
    apsw.NoMemError,
)


def check_sqlite_version(version: str) -> None:
    """Refuse a SQLite library that can corrupt the store."""
    if tuple(int(number) for number in version.split(".")[:3]) < SQLITE_VERSION_MIN:
        least = ".".join(map(str, SQLITE_VERSION_MIN))
        raise StoreUnfitError(
            f"SQLite {version} can corrupt its WAL; apsw with SQLite {least} or later is needed"
        )


class SqliteTransaction(Transaction):
    """Named statements on one connection."""

    def __init__(self, connection: apsw.Connection, statements: SqliteStatements) -> None:
        super().__init__()
        self._connection = connection
        self._statements = statements

    def all(self, statement: str, /, **parameters: object) -> list[Row]:
        """Run a named statement and answer its rows."""
        bound = {name: _bind(value) for name, value in parameters.items()}
        return self._statements.rows(self._connection, statement, bound)

    def bulk(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Run a named `:rows` statement over any number of rows."""
        if not rows:
            return
        text = self._statements.text(statement)
        start, width = 0, len(rows[0])
        # One long statement instead of one for each row: every step gives up the GIL, and getting it
        # back from a busy event loop costs far more than the row.
        for size in _BULK_SIZES:
            while len(rows) - start >= size:
                bulk = _bulk_text(text, width, size)
                self._connection.execute(bulk, tuple(chain.from_iterable(rows[start : start + size])))
                start += size

    def bulk_columns(self, statement: str, rows: int, columns: Sequence[Column]) -> None:
        """Run a named `:rows` statement over so many rows, given column by column; one at least is a list."""
        for text, bound in statements_of(self._statements.text(statement), rows, columns):
            self._connection.execute(text, bound)


@lru_cache(maxsize=STATEMENT_CACHE_MAX)
def _bulk_text(statement: str, width: int, size: int) -> str:
    """A bulk statement for `size` rows of `width` values: up to 10,000 characters, so they are kept."""
    row = "(" + ",".join("?" * width) + ")"
    return statement.replace(ROWS_MARKER, ",".join([row] * size))


def _bind(value: object) -> object:
    return orjson.dumps(value).decode() if isinstance(value, list | tuple) else value


@contextmanager
def _failures_named() -> Iterator[None]:
    """Turn what a disk can do to us into the broker's own refusal; anything else is a defect."""
    try:
        yield
    except _UNWRITABLE as error:
        raise BrokerError(
            ErrorReason.STORE_UNAVAILABLE,
            f"the store failed: {type(error).__name__}: {error}",
            retry_after_s=5,
        ) from error


class SqliteEngine:
    """Opens connections to the store in `data_dir`, which it locks for this process.

    WAL with synchronous=FULL: a commit that returned is on disk. Only one connection writes.
    """

    dialect = Dialect.SQLITE

    def __init__(self, data_dir: Path) -> None:
        check_sqlite_version(apsw.sqlite_lib_version())
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = data_dir / "waypost.db"
        self._lock = _lock_directory(data_dir)
        # Bodies and addresses are for their owner only, in a directory of any mode. SQLite gives the WAL
        # and its index the mode of the database.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self.path.chmod(0o600)
        self._statements = SqliteStatements(load_statements(self.dialect))

    @property
    def place(self) -> str:
        """The data directory."""
        return f"SQLite in {self.path.parent}"

    def connect(
        self, *, read_only: bool = False, busy_timeout_ms: int = BUSY_TIMEOUT_MS
    ) -> "SqliteConnection":
        """A connection of its own, for one thread."""
        with _failures_named():
            connection = apsw.Connection(str(self.path), statementcachesize=STATEMENT_CACHE_MAX)
            connection.set_busy_timeout(busy_timeout_ms)
            connection.pragma("journal_mode", "wal")
            connection.pragma("synchronous", "full")
            # What a reader sorts, as the millions of an audience, may be more than memory should hold.
            connection.pragma("temp_store", "file" if read_only else "memory")
            connection.pragma("cache_size", -64_000)
            # Plans do not change with the values that are bound, and so statements are not prepared again for them.
            connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
            # Checkpoints run on a connection of their own, never in the middle of a caller's commit.
            connection.pragma("wal_autocheckpoint", 0)
            connection.pragma("journal_size_limit", WAL_BYTES_MAX)
            if read_only:
                connection.pragma("query_only", 1)
        return SqliteConnection(connection, self._statements)

    def checkpointer(self) -> "SqliteConnection":
        """A connection of its own: checkpoints never run in the middle of a caller's commit."""
        return self.connect(busy_timeout_ms=CHECKPOINT_BUSY_TIMEOUT_MS)

    def close(self) -> None:
        """Let go of the data directory."""
        os.close(self._lock)


class SqliteConnection:
    """One connection: transactions, and the chores that need the bare database."""

    def __init__(self, connection: apsw.Connection, statements: SqliteStatements) -> None:
        self._connection = connection
        self._statements = statements

    def _transaction(self) -> SqliteTransaction:
        return SqliteTransaction(self._connection, self._statements)

    def write(self, body: Callable[[Transaction], T], accounts: Sequence[int]) -> T:
        """Run `body` in a durable transaction. The only writer needs no account locks."""
        del accounts
        with _failures_named():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                transaction = self._transaction()
                answer = body(transaction)
                transaction.finish()
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        return answer

    def read(self, body: Callable[[Transaction], T]) -> T:
        """Run `body` on one consistent snapshot."""
        with _failures_named():
            self._connection.execute("BEGIN")
            try:
                return body(self._transaction())
            finally:
                self._connection.execute("COMMIT")

    def script(self, text: str) -> None:
        """Run a migration's statements within the caller's transaction."""
        self._connection.execute(text)

    def checkpoint(self, *, restart: bool) -> int:
        """Move the log into the database; answers how many pages it held.

        The plain form never waits, and so the log grows on while writers are busy. `restart` moves first what it can
        without them; then they wait for the rest, and go on at the beginning of the log. Where a reader needs what is in
        it for longer than CHECKPOINT_BUSY_TIMEOUT_MS, it goes on as it was.
        """
        with _failures_named():
            pages, _moved = self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            if restart:
                with suppress(apsw.BusyError):
                    self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
        return max(0, pages)

    def close(self) -> None:
        """Close it."""
        self._connection.close()


def _lock_directory(data_dir: Path) -> int:
    """An exclusive lock that the operating system drops when this process ends, however it ends."""
    descriptor = os.open(data_dir / "waypost.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + 5
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # A process that was just killed may take a moment to let go.
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            os.close(descriptor)
            raise StoreLockedError(f"another process has {data_dir} open") from None
        else:
            return descriptor
