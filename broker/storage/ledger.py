"""The ledger: each account's credit within one transaction, and the one entry that says what it changed.

Five sums that come to zero in every account: what it can spend, what is held, what was spent, what was bought
(below zero: it came from outside) and what was moved from or to other accounts. The store checks that, too.
Whoever changes them holds the account, so that two never spend the same credit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from broker.domain.charging import Charge
from broker.domain.value import value
from broker.storage.policies import load_policy

if TYPE_CHECKING:
    from broker.storage.transaction import Transaction

_SUMS = ("available", "held", "spent", "bought", "moved")


@value
class Balance:
    """An account's credit in micros: what it can spend, and what is held for messages under way."""

    available: int = 0
    held: int = 0
    spent: int = 0
    currency: str = ""


@value
class Crossing:
    """What an account can spend has fallen below its mark."""

    account_id: int
    available: int
    mark: int
    currency: str


@dataclass(slots=True)
class _Book:
    """An account's sums before and after what this transaction did."""

    currency: str
    before: tuple[int, ...]
    entries: int
    mark: int
    is_new: bool
    now: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = dict(zip(_SUMS, self.before, strict=True))

    def post(self, **changes: int) -> None:
        """Add to sums; what is added comes to zero."""
        assert sum(changes.values()) == 0, changes
        for name, change in changes.items():
            self.now[name] += change

    @property
    def changes(self) -> tuple[int, ...]:
        """What was added to each sum."""
        return tuple(self.now[name] - was for name, was in zip(_SUMS, self.before, strict=True))


class Ledger:
    """The books of the accounts that a transaction touches."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx
        self._books: dict[int, _Book] = {}

    def balance(self, account_id: int) -> Balance:
        """An account's credit as it stands in this transaction."""
        book = self._book(account_id)
        return Balance(book.now["available"], book.now["held"], book.now["spent"], book.currency)

    def hold(self, account_id: int, micros: int) -> bool:
        """Hold credit for messages, where there is enough."""
        book = self._book(account_id)
        if book.now["available"] < micros:
            return False
        book.post(available=-micros, held=micros)
        return True

    def spend(self, account_id: int, micros: int) -> bool:
        """Something that is no message is paid at once, where there is enough."""
        book = self._book(account_id)
        if book.now["available"] < micros:
            return False
        book.post(available=-micros, spent=micros)
        return True

    def settle(self, account_id: int, held: int, micros: int) -> None:
        """A message costs so much of what was held for it."""
        self._book(account_id).post(available=held - micros, held=-held, spent=micros)

    def release(self, account_id: int, held: int) -> None:
        """What was held for a message is free again."""
        self._book(account_id).post(available=held, held=-held)

    def refund(self, account_id: int, micros: int) -> None:
        """What a message, or something else, cost is given back."""
        self._book(account_id).post(available=micros, spent=-micros)

    def buy(self, account_id: int, micros: int, currency: str) -> None:
        """Credit came from outside."""
        book = self._book(account_id)
        book.currency = book.currency or currency
        book.post(available=micros, bought=-micros)

    def move(self, account_id: int, other_account_id: int, micros: int) -> bool:
        """Credit goes from an account to another, where there is enough."""
        book, other = self._book(account_id), self._book(other_account_id)
        if book.now["available"] < micros:
            return False
        other.currency = other.currency or book.currency
        book.post(available=-micros, moved=micros)
        other.post(available=micros, moved=-micros)
        return True

    def close(self, now_us: int) -> list[Crossing]:
        """Write what changed, an entry for each account; answers who fell below their mark."""
        books = {each: book for each, book in self._books.items() if any(book.changes)}
        for statement, is_new in (("insert_ledgers", True), ("update_ledgers", False)):
            self._tx.bulk(
                statement,
                [
                    (account_id, book.currency, *book.now.values(), book.entries + 1)
                    for account_id, book in books.items()
                    if book.is_new is is_new
                ],
            )
        self._tx.bulk(
            "insert_ledger_entries",
            [(each, book.entries + 1, now_us, *book.changes) for each, book in books.items()],
        )
        self._books.clear()
        return [crossing for each, book in books.items() if (crossing := _crossing(each, book))]

    def _book(self, account_id: int) -> _Book:
        book = self._books.get(account_id)
        if book is None:
            row = self._tx.one("ledger_of_account", account_id=account_id)
            mark = load_policy(row[7]).low_balance_micros if row else 0
            if row is None or row[0] is None:
                book = _Book("", (0,) * len(_SUMS), 0, mark, is_new=True)
            else:
                book = _Book(row[0], tuple(row[1:6]), row[6], mark, is_new=False)
            self._books[account_id] = book
        return book


def _crossing(account_id: int, book: _Book) -> Crossing | None:
    available, was = book.now["available"], book.before[0]
    if available < book.mark <= was:
        return Crossing(account_id, available, book.mark, book.currency)
    return None


def told_of(crossing: Crossing) -> Mapping[str, object]:
    """What the event of a crossing says."""
    return {"available": crossing.available, "mark": crossing.mark, "currency": crossing.currency}


@value
class LedgerTrim:
    """Sum up an account's oldest entries from before a time, of the `rows_max` oldest, at least 2."""

    account_id: int
    before_us: int
    rows_max: int


def trim_ledgers(tx: "Transaction", items: list[LedgerTrim]) -> list[int]:
    """Put one entry in the place of the oldest of each account; answers how many went.

    It is an opening balance: it has the number of the last of them and the sum of all, so that what all entries come
    to stays the same.
    """
    tx.lock_accounts(sorted({item.account_id for item in items}))
    return [_trim_one(tx, item) for item in items]


def _trim_one(tx: "Transaction", item: LedgerTrim) -> int:
    rows = tx.all("oldest_ledger_entries", account_id=item.account_id, rows_max=item.rows_max)
    old = [row for row in rows if row[1] < item.before_us]
    if len(old) < 2:
        return 0
    last = old[-1][0]
    tx.all("delete_ledger_entries", account_id=item.account_id, before_entry=last)
    sums = {name: sum(row[2 + at] for row in old) for at, name in enumerate(_SUMS)}
    tx.all("open_ledger_entries", account_id=item.account_id, entry=last, **sums)
    return len(old) - 1


def read_accounts_with_ledgers(tx: "Transaction") -> list[int]:
    """The accounts that have ever had credit."""
    return [row[0] for row in tx.all("all_ledgers")]


def read_balance(tx: "Transaction", account_id: int) -> Balance:
    """An account's credit."""
    return Ledger(tx).balance(account_id)


def read_other_currency(tx: "Transaction", currency: str) -> str | None:
    """A currency in which some account has credit and that is another one."""
    row = tx.one("other_currency", currency=currency)
    return str(row[0]) if row else None


def read_ledger_misfits(tx: "Transaction") -> list[str]:
    """What does not fit together over the whole store: a check that reads all of it.

    What messages cost may be less than what was spent, where some of them are past their retention.
    """
    ledgers = {row[0]: row[1:] for row in tx.all("all_ledgers")}
    rows = tx.all("all_ledger_entries")
    entries = {row[0]: row[1:7] for row in rows}
    charges = {(row[0], row[1]): row[2] for row in tx.all("all_charges")}
    found = [
        f"account {each}: its entries come to something else"
        for each in ledgers
        if ledgers[each] != entries.get(each)
    ]
    found += [f"account {row[0]}: an entry is missing" for row in rows if row[8] != row[6] - row[7] + 1]
    found += [f"account {each}: entries without a ledger" for each in entries.keys() - ledgers.keys()]
    for account_id in {*ledgers, *(each for each, _ in charges)}:
        available, held, spent, bought, moved, _ = ledgers.get(account_id, (0,) * 6)
        if available + held + spent + bought + moved or min(available, held, spent, -bought) < 0:
            found.append(f"account {account_id}: sums that do not come to zero, or below it")
        if held != charges.get((account_id, Charge.HELD), 0):
            found.append(f"account {account_id}: holds something else than its messages need")
        if spent < charges.get((account_id, Charge.SETTLED), 0):
            found.append(f"account {account_id}: spent less than its messages cost")
    if sum(row[4] for row in ledgers.values()):
        found.append("what was moved between accounts comes to something")
    return found
