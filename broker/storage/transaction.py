"""The transaction that verbs work in, and what it remembers until its commit."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any

Row = tuple[Any, ...]


class Transaction(ABC):
    """A verb's view of the store.

    `all`, `one` and `bulk` run named statements. A list given as a parameter arrives in SQL as a JSON
    array. What a transaction touches is collected in `accounts_with_events`, `work_is_due` and `facts`
    (how many of each), so that after the commit whoever waits can be woken and all of it be counted.
    """

    def __init__(self) -> None:
        self.accounts_with_events: set[int] = set()
        self.work_is_due = False
        self.facts: Counter[str] = Counter()
        self._last_sequences: dict[int, int] = {}

    @abstractmethod
    def all(self, statement: str, /, **parameters: object) -> list[Row]:
        """Run a named statement and answer its rows."""

    @abstractmethod
    def bulk(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Run a named `:rows` statement over any number of rows, all of one width."""

    def one(self, statement: str, /, **parameters: object) -> Row | None:
        """Run a named statement and answer its first row, or None."""
        rows = self.all(statement, **parameters)
        return rows[0] if rows else None

    def next_sequence(self, account_id: int) -> int:
        """The account's next event number: dense, and in the order of commits.

        The writer holds the account for the length of the transaction, so no other transaction can
        commit a later number before this one.
        """
        last = self._last_sequences.get(account_id)
        if last is None:
            row = self.one("account_last_sequence", account_id=account_id)
            if row is None:
                raise LookupError(f"account {account_id} is not in the store")
            last = int(row[0])
        self._last_sequences[account_id] = last + 1
        self.accounts_with_events.add(account_id)
        return last + 1

    def finish(self) -> None:
        """Write what was collected; the engine calls it right before the commit."""
        if self._last_sequences:
            self.bulk("set_account_sequences", list(self._last_sequences.items()))
            self._last_sequences.clear()
