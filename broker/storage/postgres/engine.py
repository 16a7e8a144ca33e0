"""The engine: transactions on the sessions of one store."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus

from broker.storage.postgres.dialect import BulkStatement, Statement, rows_document, translate_all
from broker.storage.postgres.server import Bare, Server, failures_named, server_at
from broker.storage.postgres.session import ReadingSession, Session, WritingSession
from broker.storage.statements import Dialect, load_statements
from broker.storage.transaction import Row, Transaction

TRIES_MAX = 5
"""Times that a transaction runs when it is in another's way."""

BULK_ROWS_MAX = 1_000
DOCUMENT_CHARACTERS_MAX = 32 * 1024 * 1024
"""The server takes apart no document of over 256 MiB."""

T = TypeVar("T")


class Bulk:
    """The bulk statements of a store, each finished with the types of its columns when it is first used."""

    def __init__(self, server: Server, statements: dict[str, BulkStatement]) -> None:
        self._server = server
        self._statements = statements
        self._finished: dict[str, str] = {}

    def sql(self, bare: Bare, name: str) -> str:
        """A bulk statement by name."""
        found = self._finished.get(name)
        if found is None:
            statement = self._statements[name]
            types: dict[str, str] = dict(self._server.ask(bare, "column_types", table=statement.table))
            found = self._finished[name] = statement.sql(types)
        return found


class PostgresTransaction(Transaction):
    """Named statements on one connection; `held` has the accounts it holds, with their last sequences."""

    def __init__(self, bare: Bare, server: Server, bulk: Bulk) -> None:
        super().__init__()
        self._bare = bare
        self._server = server
        self._bulk = bulk
        self._held: dict[int, int | None] = {}

    def all(self, statement: str, /, **parameters: object) -> list[Row]:
        """Run a named statement and answer its rows."""
        return self._server.ask(self._bare, statement, **parameters)

    def bulk(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Run a named `:rows` statement over any number of rows."""
        if not rows:
            return
        sql = self._bulk.sql(self._bare, statement)
        for document in _documents(rows):
            self._bare.execute(sql, [document], prepare=True)

    def lock_accounts(self, account_ids: Iterable[int]) -> bool:
        """Hold these accounts until the commit; whether any was not held yet."""
        wanted = sorted(set(account_ids) - self._held.keys())
        if wanted:
            self._held |= dict.fromkeys(wanted)
            self._held |= dict(self.all("lock_accounts", account_ids=wanted))
        return bool(wanted)

    def lock_names(self, names: Iterable[str], *, alone: bool) -> None:
        """Hold names until the commit, `alone` or together with others who hold them so too."""
        wanted = sorted(set(names))
        if wanted:
            self.all("hold_names_alone" if alone else "hold_names", names=wanted)

    def _stored_last_sequence(self, account_id: int) -> int:
        """As it was read with the lock; the account may be new in this very transaction."""
        if account_id not in self._held:
            raise AssertionError(f"an event of account {account_id}, which this transaction does not hold")
        last = self._held[account_id]
        return super()._stored_last_sequence(account_id) if last is None else last


def _documents(rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """The rows as documents, none of them too large unless a single row is."""
    if len(rows) <= BULK_ROWS_MAX:
        document = rows_document(rows)
        if len(rows) == 1 or len(document) <= DOCUMENT_CHARACTERS_MAX:
            yield document
            return
    half = min(BULK_ROWS_MAX, (len(rows) + 1) // 2)
    yield from _documents(rows[:half])
    yield from _documents(rows[half:])


class PostgresConnection:
    """Transactions on a session that mends itself."""

    def __init__(self, session: Session, server: Server, bulk: Bulk, lock: threading.Lock) -> None:
        self._session = session
        self._server = server
        self._bulk = bulk
        self._lock = lock

    def read(self, body: Callable[[Transaction], T]) -> T:
        """Run `body` on one consistent snapshot; once more when the connection turns out to be broken."""
        with self._lock, failures_named():
            for last in (False, True):
                bare = self._session.bare()
                try:
                    with _undone(bare):
                        self._server.ask(bare, "begin_read")
                        return body(PostgresTransaction(bare, self._server, self._bulk))
                except psycopg.OperationalError:
                    if last or not bare.closed:
                        raise
        raise AssertionError("unreachable")

    def write(self, body: Callable[[Transaction], T], accounts: Sequence[int]) -> T:
        """Only the writer's connection can."""
        del body, accounts
        raise TypeError("a connection for reading")

    def script(self, text: str) -> None:
        """Run a migration's statements within the body of a `write`."""
        self._session.bare().execute(text)

    def close(self) -> None:
        """Let go of it."""
        self._session.close()


class PostgresWritingConnection(PostgresConnection):
    """The writer's connection. Closing it keeps the session, which holds the store until the engine is closed."""

    def __init__(self, session: WritingSession, server: Server, bulk: Bulk, lock: threading.Lock) -> None:
        super().__init__(session, server, bulk, lock)
        self._writing_session = session

    def write(self, body: Callable[[Transaction], T], accounts: Sequence[int]) -> T:
        """Run `body` in a durable transaction, again where another was in its way."""
        with self._lock, failures_named():
            for last in (*[False] * (TRIES_MAX - 1), True):
                try:
                    return self._write_once(body, accounts)
                except (errors.SerializationFailure, errors.DeadlockDetected):
                    if last:
                        raise
        raise AssertionError("unreachable")

    def _write_once(self, body: Callable[[Transaction], T], accounts: Sequence[int]) -> T:
        bare = self._begin()
        with _undone(bare):
            transaction = PostgresTransaction(bare, self._server, self._bulk)
            transaction.lock_accounts(accounts)
            answer = body(transaction)
            transaction.finish()
            self._writing_session.commit()
        return answer

    def _begin(self) -> Bare:
        """Begin a transaction; that the connection has broken meanwhile is noticed here, and mended."""
        for last in (False, True):
            bare = self._session.bare()
            try:
                self._server.ask(bare, "begin_write")
            except psycopg.Error:
                _roll_back(bare)
                if last or not bare.closed:
                    raise
            else:
                return bare
        raise AssertionError("unreachable")

    def close(self) -> None:
        """The engine closes the session."""


@contextmanager
def _undone(bare: Bare) -> Iterator[None]:
    """Leave no transaction open behind the block."""
    try:
        yield
    finally:
        _roll_back(bare)


def _roll_back(bare: Bare) -> None:
    """End what is open; where that fails, the session ends, and whoever needs it next makes another."""
    if bare.info.transaction_status not in {TransactionStatus.IDLE, TransactionStatus.UNKNOWN}:
        try:
            bare.execute("ROLLBACK")
        except psycopg.OperationalError:
            bare.close()


class PostgresEngine:
    """Holds the store behind a URL for this process: its writer's session has the lock.

    Raises ValueError for the URL, StoreUnfitError, StoreLockedError, and BrokerError STORE_UNAVAILABLE.
    """

    dialect = Dialect.POSTGRES

    def __init__(self, url: str) -> None:
        single, bulk = _statements()
        self._server = server_at(url, single)
        self._bulk = Bulk(self._server, bulk)
        self._writing = threading.Lock()
        with failures_named():
            self._session = WritingSession(self._server)

    @property
    def place(self) -> str:
        """Host, port and database."""
        return self._server.place

    def connect(self, *, read_only: bool = False) -> PostgresConnection:
        """A connection for one thread; all that write share the one session, one after the other."""
        if read_only:
            return PostgresConnection(
                ReadingSession(self._server), self._server, self._bulk, threading.Lock()
            )
        return PostgresWritingConnection(self._session, self._server, self._bulk, self._writing)

    def checkpointer(self) -> None:
        """The server sees to it itself."""

    def close(self) -> None:
        """Let go of the store."""
        self._session.close()


@cache
def _statements() -> tuple[dict[str, Statement], dict[str, BulkStatement]]:
    return translate_all(load_statements(Dialect.POSTGRES))
