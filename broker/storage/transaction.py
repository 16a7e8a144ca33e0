"""The transaction that verbs work in, and what it remembers until its commit."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any, TypeVar, cast

Row = tuple[Any, ...]
T = TypeVar("T")

Column = list[Any] | str | int | bytes | None
"""A column of rows: a list of as many values as there are rows, or one value that all of them have."""


class Transaction(ABC):
    """A verb's view of the store.

    `all`, `one` and `bulk` run named statements. Values are integers, truths, which
    arrive in SQL as 0 and 1, texts without NUL, bytes and None. A list given as a parameter of `all` and
    `one` arrives as a JSON array. What a transaction touches is collected in `accounts_with_events`, `work_is_due` and `facts`
    (how many of each), so that after the commit whoever waits can be woken and all of it be counted.
    """

    def __init__(self) -> None:
        self.accounts_with_events: set[int] = set()
        self.work_is_due = False
        self.facts: Counter[str] = Counter()
        self._last_sequences: dict[int, int] = {}
        self._shared: dict[type[object], object] = {}
        self._before_commit: list[Callable[[], None]] = []

    @abstractmethod
    def all(self, statement: str, /, **parameters: object) -> list[Row]:
        """Run a named statement and answer its rows."""

    @abstractmethod
    def bulk(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Run a named `:rows` statement over any number of rows, all of one width."""

    def bulk_columns(self, statement: str, rows: int, columns: Sequence[Column]) -> None:
        """Run a named `:rows` statement over so many rows, given column by column; one at least is a list."""
        lists = [each if isinstance(each, list) else repeat(each, rows) for each in columns]
        self.bulk(statement, list(zip(*lists, strict=True)))

    def one(self, statement: str, /, **parameters: object) -> Row | None:
        """Run a named statement and answer its first row, or None."""
        rows = self.all(statement, **parameters)
        return rows[0] if rows else None

    def lock_accounts(self, account_ids: Iterable[int]) -> bool:
        """Hold accounts until the commit that `Store.write` was not told of; whether any was not held yet.

        If so, what was read of their messages before may have changed, and is to be read again. A verb that
        finds out itself whom its work belongs to calls this, with all of them at once, before it relies
        on anything of theirs. An engine with one writer holds every account anyway.
        """
        del account_ids
        return False

    def lock_names(self, names: Iterable[str], *, alone: bool) -> None:
        """Hold names until the commit, `alone` or together with others who hold them so too.

        For what belongs to no account. An engine with one writer holds everything anyway.
        """
        del names, alone

    def last_sequence(self, account_id: int) -> int:
        """The account's newest event number so far, with those of this transaction."""
        last = self._last_sequences.get(account_id)
        return self._stored_last_sequence(account_id) if last is None else last

    def next_sequence(self, account_id: int) -> int:
        """The account's next event number: dense, and in the order of commits.

        The writer holds the account for the length of the transaction, so no other transaction can
        commit a later number before this one.
        """
        last = self._last_sequences.get(account_id)
        if last is None:
            last = self._stored_last_sequence(account_id)
            self.accounts_with_events.add(account_id)
        self._last_sequences[account_id] = last + 1
        return last + 1

    def _stored_last_sequence(self, account_id: int) -> int:
        row = self.one("account_last_sequence", account_id=account_id)
        if row is None:
            raise LookupError(f"account {account_id} is not in the store")
        return int(row[0])

    def shared(self, kind: type[T], make: Callable[[], T]) -> T:
        """The one of its kind that all verbs of the transaction work on; the first that asks has it made."""
        found = self._shared.get(kind)
        if found is None:
            found = self._shared[kind] = make()
        return cast("T", found)

    def before_commit(self, deed: Callable[[], None]) -> None:
        """Do this when every verb of the transaction has run; it may write and number events like a verb."""
        self._before_commit.append(deed)

    def finish(self) -> None:
        """Write what was collected; the engine calls it right before the commit."""
        for deed in self._before_commit:
            deed()
        self._before_commit.clear()
        if self._last_sequences:
            self.bulk("set_account_sequences", list(self._last_sequences.items()))
            self._last_sequences.clear()
