"""Sessions with the server, each replaced by a new one when it breaks; and the one that may write.

**The writer's session holds the store.** The lock on the store is its own: a session that is gone has
lost the lock, and one that has the lock is the only one that can commit. So nothing that happens to a
network makes two processes write. When the session breaks, the next one first ends it on the server, where
it may live on, then takes the lock again. If another process has it by then, the store is lost for good.

**A commit whose answer was lost is looked up.** Every transaction that writes leaves its mark in a row of the
store. Once the new session has the lock the old one is over, and the mark says whether its transaction was
committed. Nothing else runs before that is known. (The server's own transaction numbers would not do: after a
crash or a failover they are given again, and another's commit would pass for ours.)
"""

import itertools
import secrets
import time
from typing import Protocol

import psycopg
from psycopg.pq import TransactionStatus

from broker.errors import BrokerError, ErrorReason
from broker.storage.engine import StoreLockedError, StoreLost, StoreUnfitError
from broker.storage.postgres.server import RETRY_AFTER_S, Bare, Server, described

LOCK_S_MAX = 5.0
"""A process that was just killed, or a session that was ended, may hold it for a moment more."""

SETTLE_S_MAX = 60.0
"""How long a lost answer is looked for before its callers are told that nobody knows."""

PAUSE_S = 0.1


class Session(Protocol):
    """A connection that is there when it is asked for."""

    def bare(self) -> Bare:
        """The connection, a new one when there is none or it broke."""

    def close(self) -> None:
        """Let go of it."""


class ReadingSession:
    """A session for one reader thread."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._bare: Bare | None = None

    def bare(self) -> Bare:
        """The connection, a new one when there is none or it broke."""
        if self._bare is None or self._bare.closed:
            self._bare = self._server.connect()
        return self._bare

    def close(self) -> None:
        """Let go of it."""
        if self._bare is not None:
            self._bare.close()


class WritingSession:
    """The session that holds the store, from when it is made until `close`.

    Raises StoreUnfitError, StoreLockedError and psycopg.Error when it is made.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lost = False
        self._name = secrets.token_hex(8)
        self._numbers = itertools.count()
        self._bare = server.connect()
        try:
            server.examine(self._bare)
            self._take_store(self._bare)
            server.ask(self._bare, "create_last_commit")
            server.ask(self._bare, "fill_last_commit")
            self._identity = self._identify(self._bare)
        except BaseException:
            self._bare.close()
            raise

    def bare(self) -> Bare:
        """The connection, a new one when it broke. Raises StoreLost when another process holds the store."""
        if self._bare.closed and not self._lost:
            self._open_again()
        if self._lost:
            raise StoreLost(ErrorReason.STORE_UNAVAILABLE, "another process has taken the store over")
        return self._bare

    def commit(self) -> None:
        """Commit the open transaction.

        Raises psycopg.Error when it is surely not stored, and BrokerError OUTCOME_UNKNOWN when that could not
        be found out.
        """
        mark = f"{self._name}-{next(self._numbers)}"
        self._server.ask(self._bare, "mark_commit", mark=mark)
        try:
            self._bare.execute("COMMIT")
        except psycopg.Error as error:
            if self._bare.info.transaction_status is TransactionStatus.IDLE:
                raise  # the server answered, and refused
            if not self._was_committed(mark):
                raise psycopg.OperationalError(f"lost in the commit: {described(error)}") from error

    def close(self) -> None:
        """Let go of the store."""
        self._bare.close()

    def _was_committed(self, mark: str) -> bool:
        deadline = time.monotonic() + SETTLE_S_MAX
        self._bare.close()
        while True:
            try:
                if self._bare.closed:
                    self._open_again()
                if self._lost:
                    raise _unknown("another process has taken the store over")
                return bool(self._server.ask(self._bare, "last_commit")[0][0] == mark)
            except psycopg.Error as error:
                if time.monotonic() > deadline:
                    raise _unknown(described(error)) from error
            time.sleep(PAUSE_S)

    def _open_again(self) -> None:
        """Replace a broken connection, and take the lock again; or learn that the store is lost."""
        bare = self._server.connect()
        try:
            # Where only the network broke, the old session lives on, with our lock and perhaps our transaction.
            self._server.ask(bare, "end_session", **self._identity)
            self._server.examine(bare)
            try:
                self._take_store(bare)
            except StoreLockedError:
                self._lost = True
            self._identity = self._identify(bare)
        except StoreUnfitError as error:  # after a failover; the next server may be a better one
            bare.close()
            raise psycopg.OperationalError(str(error)) from error
        except BaseException:
            bare.close()
            raise
        self._bare = bare

    def _take_store(self, bare: Bare) -> None:
        deadline = time.monotonic() + LOCK_S_MAX
        while not self._server.ask(bare, "take_store")[0][0]:
            if time.monotonic() > deadline:
                raise StoreLockedError(f"another process has the store open: {self._server.place}")
            time.sleep(PAUSE_S)

    def _identify(self, bare: Bare) -> dict[str, object]:
        ((pid, backend_start),) = self._server.ask(bare, "identify_session")
        return {"pid": pid, "backend_start": backend_start}


def _unknown(why: str) -> BrokerError:
    return BrokerError(
        ErrorReason.OUTCOME_UNKNOWN, f"the answer to a commit was lost: {why}", retry_after_s=RETRY_AFTER_S
    )
