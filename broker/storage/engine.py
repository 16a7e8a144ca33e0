"""What the store needs of an engine, and what an engine may refuse.

An engine opens connections to one store, which it holds for this process alone. On a connection the store
runs bodies in transactions. Whatever a disk, a server or a network can do to an engine comes out as a
BrokerError STORE_UNAVAILABLE, and then nothing of that transaction is stored. The one exception is
OUTCOME_UNKNOWN: the answer to a commit was lost, and could not be found out in time. Anything else that an
engine raises is a defect, or the body's own.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from broker.errors import BrokerError
from broker.storage.statements import Dialect
from broker.storage.transaction import Transaction

T = TypeVar("T")


class StoreUnfitError(RuntimeError):
    """The library or the server is one that a store must not be entrusted to."""


class StoreLockedError(RuntimeError):
    """Another process has the store open."""


class StoreLost(BrokerError):
    """Another process has taken the store over: this one can never write to it again."""


class Connection(Protocol):
    """For one thread at a time."""

    def write(self, body: Callable[[Transaction], T], accounts: Sequence[int]) -> T:
        """Run `body` in a durable transaction that holds `accounts`, given in rising order.

        `body` may run several times, each time on a fresh transaction; the last one counts.
        """

    def read(self, body: Callable[[Transaction], T]) -> T:
        """Run `body` on one consistent snapshot; it may run several times."""

    def script(self, text: str) -> None:
        """Run a migration's statements, within the body of a `write`."""

    def close(self) -> None:
        """Let go of it."""


class Checkpointer(Protocol):
    """Moves an engine's write-ahead log into its database, for engines that leave that to the broker."""

    def checkpoint(self, *, restart: bool) -> int:
        """Move it; `restart` has writers wait for the last of it, and go on at its beginning. Answers its pages."""

    def close(self) -> None:
        """Let go of it."""


class Engine(Protocol):
    """Holds one store for this process, from when it is made until `close`."""

    @property
    def dialect(self) -> Dialect:
        """The SQL that it speaks."""

    @property
    def place(self) -> str:
        """Where the store is, for people and without secrets."""

    def connect(self, *, read_only: bool = False) -> Connection:
        """A connection of its own for one thread; only one that is not `read_only` may write."""

    def checkpointer(self) -> Checkpointer | None:
        """A connection of its own for that chore; None where the database sees to it itself."""

    def close(self) -> None:
        """Let go of the store."""
