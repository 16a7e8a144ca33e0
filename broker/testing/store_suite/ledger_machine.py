"""Random schedules of all that touches credit, with crashes in between; after each step the books are looked through."""

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.domain.charging import FAILED, SENT, Charge
from broker.domain.keyword import Keyword
from broker.domain.lifecycle import State
from broker.domain.outcome import Accepted, NotAccepted, Outcome, Rejected, Unknown
from broker.domain.vocabulary import Guarantee
from broker.storage.acceptance import Acceptance, Stored, Unaffordable, accept
from broker.storage.crediting import (
    PurchaseEnd,
    PurchaseWish,
    TransferWish,
    begin_purchases,
    end_purchases,
    transfer,
)
from broker.storage.dispatching import OpenAttempt, settle
from broker.storage.history import Cancellation, cancel
from broker.storage.keywords import KeywordName, NewKeyword, RentUndone, rent_keywords, undo_rents
from broker.storage.ledger import LedgerTrim, read_ledger_misfits, trim_ledgers
from broker.storage.matching import Report, record_receipts
from broker.storage.transaction import Transaction
from broker.testing.builders import SECOND_US, acceptance, phones, submission
from broker.testing.store_suite.bench import Bench, message_ids, receipt, room
from broker.testing.store_suite.crediting import BOTH, PAYING, PRICES
from broker.testing.store_suite.keywords import RENT
from broker.testing.store_suite.opening import OpenedStore

Step = tuple[Any, ...]

PAYERS = (1, 2, 3)
PLACE = st.integers(0, 9)
CRASH = st.sampled_from([False, False, False, True])
OUTCOMES = ["accepted", "rejected", "not accepted", "unknown"]
STEPS = st.one_of(
    st.tuples(st.just("send"), CRASH, st.sampled_from(PAYERS), st.integers(1, 4), st.sampled_from([1, 2])),
    st.tuples(st.just("claim"), CRASH, st.sampled_from(["acme", "dear"])),
    st.tuples(st.just("settle"), CRASH, PLACE, st.sampled_from(OUTCOMES)),
    st.tuples(st.just("settle"), CRASH, PLACE, st.just("accepted")),
    st.tuples(st.just("receive"), CRASH, PLACE, st.sampled_from(["DELIVERED", "DELIVERY_FAILED"])),
    st.tuples(st.just("cancel"), CRASH, PLACE),
    st.tuples(st.just("wait"), CRASH, st.sampled_from([1, 30, 400])),
    st.tuples(st.just("buy"), CRASH, st.sampled_from(PAYERS), st.integers(0, 5), st.booleans()),
    st.tuples(st.just("move"), CRASH, st.sampled_from(PAYERS), st.sampled_from(PAYERS), st.integers(1, 120)),
    st.tuples(st.just("rent"), CRASH, st.sampled_from(PAYERS), PLACE),
    st.tuples(st.just("trim"), CRASH, st.sampled_from(PAYERS), st.integers(0, 400), st.integers(2, 9)),
    st.tuples(st.just("undo"), CRASH, st.sampled_from(PAYERS), PLACE),
)


class Crash(Exception):
    """The process dies before its transaction commits."""


class Play:
    """One schedule on one store."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        bench.prices, bench.terms = PRICES, PAYING
        self.sent: list[tuple[int, int]] = []
        self.attempts: list[OpenAttempt] = []
        self.bought = 0
        self.rents = 0

    async def run(self, steps: Sequence[Step]) -> None:
        """Every step, and after each of them a look at all books and charges."""
        for name, crash, *arguments in steps:
            with contextlib.suppress(Crash):
                await getattr(self, name)(crash, *arguments)
            await self.bench.store.read(self.check)

    async def write(
        self, verb: Callable[..., Any], items: list[Any], accounts: Sequence[int], crash: bool
    ) -> Any:
        """Run a verb; with a crash, up to right before its commit."""

        def dying(tx: Transaction, given: list[Any]) -> list[Any]:
            verb(tx, given)
            tx.before_commit(_die)
            return [None] * len(given)

        return await self.bench.store.write(dying if crash else verb, items, accounts)

    def check(self, tx: Transaction) -> None:
        """Everything fits, and each message's charge is the one of its state."""
        assert read_ledger_misfits(tx) == []
        assert -self.bought == sum(row[4] for row in tx.all("all_ledgers"))
        heads = tx.all("message_heads", message_ids=[message_id for _, message_id in self.sent])
        for row in heads:
            state, charge = State(row[2]), Charge(row[10])
            expected = (
                Charge.SETTLED if state in SENT else Charge.REFUNDED if state in FAILED else Charge.HELD
            )
            assert expected is charge
        spent = sum(row[8] for row in heads if row[10] == Charge.SETTLED)
        assert spent + self.rents == sum(row[3] for row in tx.all("all_ledgers"))

    async def send(self, crash: bool, account_id: int, count: int, providers: int) -> None:
        """To a few recipients, where there is credit for them all."""
        bench = self.bench
        asked = submission(
            account_id=account_id,
            recipients=phones(count),
            validity_us=300 * SECOND_US,
            guarantee=Guarantee.AT_MOST_ONCE,
        )
        item: Acceptance = acceptance(
            asked, bench.ids, now_us=bench.now_us, candidates=BOTH[:providers], policy=PAYING, prices=PRICES
        )
        (answer,) = await self.write(accept, [item], [account_id], crash)
        if isinstance(answer, Stored):
            self.sent += [(account_id, message_id) for message_id in message_ids(answer)]
        else:
            assert isinstance(answer, Unaffordable)
            assert answer.needed > answer.available

    async def claim(self, crash: bool, provider: str) -> None:
        """What waits for a provider, and what expired meanwhile."""
        if not crash:
            claimed = await self.bench.claim(rooms=(room(provider, 3),), known=frozenset(BOTH))
            self.attempts += claimed.attempts

    async def settle(self, crash: bool, place: int, name: str) -> None:
        """An attempt, of any age."""
        if self.attempts:
            attempt = self.attempts[-1 - place % len(self.attempts)]
            outcomes: dict[str, Outcome] = {
                "accepted": Accepted((f"{attempt.message_id}",)),
                "rejected": Rejected(),
                "not accepted": NotAccepted(),
                "unknown": Unknown(),
            }
            item = self.bench.settlement(attempt, outcomes[name])
            await self.write(settle, [item], [attempt.account_id], crash)

    async def receive(self, crash: bool, place: int, status: str) -> None:
        """A receipt for any message, once or again."""
        if self.attempts:
            attempt = self.attempts[-1 - place % len(self.attempts)]
            item = Report(attempt.provider, receipt(f"{attempt.message_id}", status), self.bench.now_us)
            await self.write(record_receipts, [item], [], crash)

    async def cancel(self, crash: bool, place: int) -> None:
        """Any message."""
        if self.sent:
            account_id, message_id = self.sent[-1 - place % len(self.sent)]
            item = Cancellation(account_id, message_id, self.bench.now_us)
            await self.write(cancel, [item], [account_id], crash)

    async def wait(self, _crash: bool, seconds: int) -> None:
        """Time passes."""
        self.bench.wait(seconds)

    async def buy(self, crash: bool, account_id: int, number: int, paid: bool) -> None:
        """A purchase of few there are, so that it is often one that was there before."""
        now_us, micros = self.bench.now_us, 100 + number
        wish = PurchaseWish(account_id, f"{number}", self.bench.ids.take(1)[0], micros, now_us)
        await self.write(begin_purchases, [wish], [account_id], crash=False)
        before = await self.bench.store.read(lambda tx: tx.all("all_ledgers"))
        end = PurchaseEnd(account_id, f"{number}", paid, "", "EUR", now_us)
        await self.write(end_purchases, [end], [account_id], crash)
        after = await self.bench.store.read(lambda tx: tx.all("all_ledgers"))
        more = sum(row[4] for row in before) - sum(row[4] for row in after)
        assert more in {0, micros if paid else 0}
        self.bought += more

    async def trim(self, crash: bool, account_id: int, seconds: int, rows_max: int) -> None:
        """Entries of some age become one."""
        wish = LedgerTrim(account_id, self.bench.now_us - seconds * SECOND_US, rows_max)
        await self.write(trim_ledgers, [wish], [account_id], crash)

    async def rent(self, crash: bool, account_id: int, place: int) -> None:
        """A keyword that is paid for, often one that somebody has."""
        word = Keyword(account_id, "12345", f"word{place}", self.bench.now_us, paid=RENT)
        (answer,) = await self.write(rent_keywords, [NewKeyword(word, 3)], [account_id], crash)
        if isinstance(answer, Keyword):
            self.rents += RENT.micros

    async def undo(self, crash: bool, account_id: int, place: int) -> None:
        """A keyword that an account does not get after all, often one that it never had."""
        undone = RentUndone(KeywordName(account_id, "12345", f"word{place}"), self.bench.now_us)
        (was_there,) = await self.write(undo_rents, [undone], [account_id], crash)
        if was_there:
            self.rents -= RENT.micros

    async def move(self, crash: bool, account_id: int, other_account_id: int, micros: int) -> None:
        """Between two accounts."""
        if account_id != other_account_id:
            wish = TransferWish(account_id, other_account_id, "", 1, micros, self.bench.now_us)
            await self.write(transfer, [wish], [account_id, other_account_id], crash)


def _die() -> None:
    raise Crash


class LedgerMachine(OpenedStore):
    """The books come to zero after every step."""

    async def keep_books(self, steps: Sequence[Step]) -> None:
        """One schedule on a store of its own."""
        with tempfile.TemporaryDirectory() as place:
            async with self.open_store(Path(place)) as store:
                await self.add_accounts(store)
                await Play(Bench(store)).run(OPENING + list(steps))
                await self.check_invariants(store)

    @pytest.mark.timeout(600)  # a failure is made small before it is shown
    @given(steps=st.lists(STEPS, min_size=90, max_size=110))
    @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
    async def test_any_schedule_keeps_the_books(self, steps: list[Step]) -> None:
        """5,000 steps, a quarter of which end in a crash."""
        await self.keep_books(steps)

    @pytest.mark.soak
    @pytest.mark.timeout(3_600)
    @given(steps=st.lists(STEPS, min_size=150, max_size=250))
    @settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
    async def test_any_long_schedule_keeps_the_books(self, steps: list[Step]) -> None:
        """100,000 steps."""
        await self.keep_books(steps)


OPENING: list[Step] = [
    ("buy", False, 1, 0, True),
    ("buy", False, 2, 1, True),
    ("send", False, 1, 2, 2),
    ("claim", False, "acme"),
]
