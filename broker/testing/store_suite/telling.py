# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of events that move no message."""

from typing import Any

from broker.domain.records import NO_LABELS
from broker.domain.vocabulary import EventKind
from broker.storage.following import read_log_page
from broker.storage.journal import Journal
from broker.storage.transaction import Transaction
from broker.testing.builders import NOW_US
from broker.testing.store_suite.bench import Bench
from broker.testing.store_suite.opening import OpenedStore

URL = "https://example.com/a"
Tell = tuple[EventKind, dict[str, Any], int]


def tell(tx: Transaction, items: list[Tell]) -> list[int]:
    """A verb that says something of account 1."""
    journal = Journal(tx, NOW_US)
    sequences = [journal.tell(1, *item) for item in items]
    journal.flush()
    return sequences


class TellingCases(OpenedStore):
    """What is told stands in the account's log between the changes of messages."""

    async def test_it_has_its_place_in_the_log(self, bench: Bench) -> None:
        """Numbered like any other, without a gap."""
        await bench.send()
        told = await bench.store.write(tell, [(EventKind.CLICK, {"url": URL}, 0)], [1])
        await bench.send()
        events = await bench.events()
        assert ([2], [1, 2, 3]) == (told, [each.sequence for each in events])
        kinds = [EventKind.MESSAGE, EventKind.CLICK, EventKind.MESSAGE]
        assert kinds == [each.kind for each in events]

    async def test_what_came_of_a_message_has_its_labels(self, bench: Bench) -> None:
        """So that who follows a reference, a campaign or a message also gets it."""
        (message_id,) = await bench.send(client_reference="order-1", tags=("vip",))
        await bench.store.write(tell, [(EventKind.CLICK, {"url": URL}, message_id)], [1])
        (event,) = await bench.events(after=1)
        assert (message_id, "order-1", ("vip",)) == (
            event.message_id,
            event.client_reference,
            event.labels.tags,
        )
        assert (None, {"url": URL}, NOW_US) == (event.change, event.told, event.time_us)

    async def test_what_came_of_none_has_none(self, bench: Bench) -> None:
        """It is about the account."""
        await bench.store.write(tell, [(EventKind.BALANCE, {"mark_micros": 5}, 0)], [1])
        (event,) = await bench.events()
        assert (0, "", "", NO_LABELS, None) == (
            event.message_id,
            event.recipient,
            event.client_reference,
            event.labels,
            event.channel,
        )

    async def test_it_is_no_part_of_a_message(self, bench: Bench) -> None:
        """Its timeline and state stay as they were."""
        (message_id,) = await bench.send()
        before = await bench.message(message_id), await bench.timeline(message_id)
        await bench.store.write(tell, [(EventKind.CLICK, {"url": URL}, message_id)], [1])
        assert before == (await bench.message(message_id), await bench.timeline(message_id))

    async def test_callers_are_told_of_it(self, bench: Bench) -> None:
        """Whoever follows the log for webhooks sees its kind."""
        await bench.store.write(tell, [(EventKind.INBOUND, {"text": "hi"}, 0)], [1])
        page = await bench.store.read(read_log_page, 1, 0, 10)
        assert [(EventKind.INBOUND, None, "")] == [(e.kind, e.fact, e.url) for e in page.events]
