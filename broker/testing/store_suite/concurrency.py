# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of many at once: writers of several accounts, and readers who must miss nothing."""

import asyncio
from collections.abc import Sequence

import pytest

from broker.domain.lifecycle import ENDS
from broker.domain.outcome import Accepted
from broker.domain.records import EventRecord
from broker.storage.acceptance import Repeated, Stored
from broker.storage.dispatching import settle
from broker.storage.history import Cancelled, read_events
from broker.storage.store import Store
from broker.testing.builders import IdCounter, phones, submission
from broker.testing.store_suite.bench import ACCOUNTS, Bench, message_ids, receipt
from broker.testing.store_suite.opening import OpenedStore

RECIPIENTS = 3
EVENTS_EACH = 4
"""ACCEPTED, ATTEMPTED, HANDED_OVER, DELIVERED."""


class Done(asyncio.Event):
    """Set when nobody writes any more."""


async def follow(store: Store, account_id: int, page: int, done: Done) -> list[EventRecord]:
    """Read the log from its beginning with a cursor, until the writers are done and all is read."""
    seen: list[EventRecord] = []
    while True:
        finished = done.is_set()
        found = await store.read(read_events, account_id, len(seen), page)
        assert list(range(len(seen) + 1, len(seen) + len(found) + 1)) == [each.sequence for each in found]
        seen += found
        if finished and not found:
            return seen
        await asyncio.sleep(0)


class Worker:
    """Claims, settles and reports, until every message that was promised has ended."""

    def __init__(self, bench: Bench, messages: int) -> None:
        self.bench = bench
        self.left = messages

    async def run(self) -> None:
        """Work on whatever is due."""
        while self.left > 0:
            claimed = await self.bench.claim(7)
            if not claimed.attempts:
                await asyncio.sleep(0)
                continue
            self.left -= len(claimed.attempts)
            items = [
                self.bench.settlement(each, Accepted((each.message.message_id,))) for each in claimed.attempts
            ]
            accounts = {each.account_id for each in claimed.attempts}
            assert [True] * len(items) == await self.bench.store.write(settle, items, accounts)
            await self.bench.report(*[receipt(each.message.message_id) for each in claimed.attempts])


async def write(bench: Bench, account_id: int, calls: int) -> None:
    """Send one submission after the other."""
    for _ in range(calls):
        await bench.send(account_id=account_id, recipients=phones(RECIPIENTS))


class ConcurrencyCases(OpenedStore):
    """Writers and readers side by side."""

    async def check_readers(self, bench: Bench, writers: int, calls: int) -> None:
        """Every reader sees every event of its account, once and in order, while they are written."""
        done = Done()
        accounts: Sequence[int] = [ACCOUNTS[number % len(ACCOUNTS)] for number in range(writers)]
        readers = [
            asyncio.create_task(follow(bench.store, account_id, page, done))
            for account_id in ACCOUNTS
            for page in (1, 5, 1_000)
        ]
        worker = Worker(bench, writers * calls * RECIPIENTS)
        await asyncio.gather(worker.run(), *[write(bench, account_id, calls) for account_id in accounts])
        done.set()
        seen = await asyncio.gather(*readers)
        each = calls * RECIPIENTS * EVENTS_EACH * writers // len(ACCOUNTS)
        assert [each] * len(readers) == [len(events) for events in seen]
        ended = {event.message_id for events in seen for event in events if event.moved.state in ENDS}
        assert writers * calls * RECIPIENTS == len(ended)

    async def test_no_event_is_ever_hidden_from_a_reader(self, bench: Bench) -> None:
        """Twelve writers, twelve readers, four accounts."""
        await self.check_readers(bench, writers=12, calls=6)

    @pytest.mark.soak
    @pytest.mark.timeout(1_800)
    async def test_no_event_is_ever_hidden_from_a_reader_for_long(self, bench: Bench) -> None:
        """The same with many more."""
        await self.check_readers(bench, writers=100, calls=60)

    async def test_equal_requests_at_once_are_stored_once(self, bench: Bench) -> None:
        """One of many callers stores it, the others get its answer."""
        asked = submission(request_id="r1", recipients=phones(2))
        answers = [each for (each,) in await asyncio.gather(*[bench.accept(asked) for _ in range(20)])]
        kinds = [type(each) for each in answers]
        assert (1, 19) == (kinds.count(Stored), kinds.count(Repeated))
        assert 1 == len({tuple(message_ids(each)) for each in answers})
        assert 2 == len(await bench.events())

    async def test_claims_at_once_share_no_message(self, bench: Bench) -> None:
        """Each message is handed to one of them."""
        sent = await bench.send(recipients=phones(40))
        claims = await asyncio.gather(*[bench.claim(7) for _ in range(8)])
        taken = [attempt.message_id for each in claims for attempt in each.attempts]
        assert sent == sorted(taken)

    async def test_an_outcome_and_a_cancellation_at_once_agree(self, bench: Bench) -> None:
        """Whoever commits first, the message has one end and the other is told."""
        ids = await bench.send(recipients=phones(20))
        claiming = asyncio.create_task(bench.claim(20))
        cancelled = await asyncio.gather(*[bench.cancel(each) for each in ids])
        taken = {attempt.message_id for attempt in (await claiming).attempts}
        refused = {each for each, answer in zip(ids, cancelled, strict=True) if answer != Cancelled()}
        assert taken == refused

    async def test_ids_of_many_writers_keep_apart(self, bench: Bench) -> None:
        """Two benches with counters of their own write to one log."""
        other = Bench(bench.store, ids=IdCounter(bench.now_us + 60_000_000))
        await asyncio.gather(write(bench, 1, 5), write(other, 1, 5))
        assert 10 * RECIPIENTS == len({event.message_id for event in await bench.events()})
