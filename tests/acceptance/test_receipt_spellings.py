"""Receipts by the thousand in every spelling, early, twice and out of order: none lost, none on another's message.

The upstream of this test is the worst that still names recipients: it counts its ids from a small number, so
that one message's hexadecimal is another's decimal, and it spells them anew in every receipt.
"""

import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import Accepted, Receipt, ReceiptStatus
from broker.domain.spelling import IdSpelling
from broker.domain.submission import Recipient
from broker.storage.dispatching import OpenAttempt, settle
from broker.storage.keeping import NewAccount, create_accounts
from broker.storage.migrate import load_migrations, migrate
from broker.storage.parking import read_parked_count
from broker.storage.sqlite import SqliteEngine
from broker.storage.store import Store
from broker.testing.builders import NOW_US
from broker.testing.store_suite import Bench
from broker.testing.store_suite.invariants import check_store

NUMERIC = IdSpelling.NUMERIC
ANSWERED = ("{0:08X}", "{0}", "{0:010x}", "{0:012}")
REPORTED = ("{0:X}", "{0:x}", "{0}", "{0:09X}", "{0:011x}", "{0:013}")
FIRST_ID = 1_000
CHUNK = 500
"""Messages with the upstream at once."""

BEFORE, TWICE, FAILED = 1 / 3, 0.05, 0.1
AT_ONCE = 100
"""Receipts in one call."""


@dataclass
class Sent:
    """What the upstream answers to a message, and what it will say about it."""

    answer: Accepted
    receipts: list[Receipt]
    end: State


@dataclass
class Upstream:
    """Takes messages and tells what becomes of them, all from one seed."""

    chance: random.Random
    newest: int = FIRST_ID

    def take(self, attempt: OpenAttempt) -> Sent:
        """One to three ids, and for each a receipt that it was passed on and one of its end, some of them twice."""
        numbers = [self._next() for _ in range(self.chance.randint(1, 3))]
        style = self.chance.choice(ANSWERED)
        failed = self.chance.choice(numbers) if self.chance.random() < FAILED else None
        receipts = []
        for number in numbers:
            end = ReceiptStatus.DELIVERY_FAILED if number == failed else ReceiptStatus.DELIVERED
            for status in (ReceiptStatus.SENT, end):
                spelled = self.chance.choice(REPORTED).format(number)
                recipient = attempt.message.recipient.removeprefix(self.chance.choice(("", "+", "+44")))
                receipt = Receipt(spelled, status, recipient, code=attempt.message.message_id)
                receipts += [receipt] * (2 if self.chance.random() < TWICE else 1)
        answer = Accepted(tuple(style.format(number) for number in numbers))
        return Sent(answer, receipts, State.DELIVERED if failed is None else State.DELIVERY_FAILED)

    def _next(self) -> int:
        """Others use it too, so that ids soon have five digits."""
        self.newest += self.chance.randint(1, 15)
        return self.newest


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A store with one account."""
    engine = SqliteEngine(tmp_path)
    connection = engine.connect()
    migrate(connection, load_migrations(), NOW_US)
    connection.close()
    store = Store(engine)
    await store.write(create_accounts, [NewAccount(1, "test", NOW_US)], [1])
    yield Bench(store)
    await store.close()


async def report(bench: Bench, receipts: Sequence[Receipt]) -> None:
    """Report receipts, many in a call."""
    for start in range(0, len(receipts), AT_ONCE):
        await bench.report(*receipts[start : start + AT_ONCE], spelling=NUMERIC)


async def send_chunk(bench: Bench, upstream: Upstream, phones: "count[int]") -> dict[int, Sent]:
    """Messages taken, and everything about them told: a third of it before the answer, all of it shuffled."""
    for _ in range(CHUNK // 100):
        await bench.send(
            recipients=tuple(Recipient(phone_number=f"+4477{next(phones):08}") for _ in range(100))
        )
    attempts = (await bench.claim(CHUNK)).attempts
    sent = {attempt.message_id: upstream.take(attempt) for attempt in attempts}
    receipts = [receipt for each in sent.values() for receipt in each.receipts]
    upstream.chance.shuffle(receipts)
    early = round(len(receipts) * BEFORE)
    await report(bench, receipts[:early])
    items = [
        bench.settlement(attempt, sent[attempt.message_id].answer, spelling=NUMERIC) for attempt in attempts
    ]
    await bench.store.write(settle, items, [1])
    await report(bench, receipts[early:])
    return sent


@pytest.mark.parametrize(
    "receipts_min", [5_000, pytest.param(100_000, marks=[pytest.mark.soak, pytest.mark.timeout(900)])]
)
async def test_no_receipt_is_lost_or_mistaken(bench: Bench, receipts_min: int) -> None:
    """Each message has every receipt about it, no other, and the end that they tell."""
    upstream, phones = Upstream(random.Random(receipts_min)), count()
    sent: dict[int, Sent] = {}
    while sum(len(each.receipts) for each in sent.values()) < receipts_min:
        sent |= await send_chunk(bench, upstream, phones)

    told: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for event in await bench.events():
        if event.change.fact not in {Fact.ACCEPTED, Fact.ATTEMPTED, Fact.HANDED_OVER}:
            told[event.message_id][event.change.provider_code] += 1
    expected = {
        message_id: Counter({each.receipts[0].code: len(each.receipts)}) for message_id, each in sent.items()
    }
    assert expected == told
    ends = {message_id: each.end for message_id, each in sent.items()}
    assert ends == await bench.states(list(sent))
    assert 0 == await bench.store.read(read_parked_count)
    await bench.store.read(check_store, [1])  # no state went backwards
