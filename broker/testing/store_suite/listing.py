# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of lists: by any of what messages are found by, and the index that makes them fast."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from broker.domain.correlation import MessageFilter
from broker.domain.lifecycle import State
from broker.domain.records import MessageRecord
from broker.domain.submission import Campaign, Recipient
from broker.domain.vocabulary import Channel, Direction, Traffic
from broker.storage.indexing import Indexed, read_indexes_behind
from broker.storage.listing import IndexProgress, ListLimits, MessageQuery, read_page
from broker.testing.builders import NOW_US, SECOND_US, phones, submission
from broker.testing.store_suite.bench import Bench
from broker.testing.store_suite.opening import OpenedStore

UNINDEXED, INDEXED = "unindexed", "indexed"

FOUND_BY: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "recipient": (
        {"recipients": (Recipient(phone_number="+447700900999"),)},
        {"recipients": frozenset({"+447700900999"})},
    ),
    "client_reference": ({"client_reference": "order-1"}, {"client_references": frozenset({"order-1"})}),
    "data": ({"data": '{"a": 1}'}, {"data": frozenset({'{"a": 1}'})}),
    "long data": ({"data": "x" * 2_048}, {"data": frozenset({"x" * 2_048})}),
    "sender": ({"sender": "Shop"}, {"senders": frozenset({"Shop"})}),
    "campaign": ({"campaign": Campaign("spring", "Spring")}, {"campaigns": frozenset({"spring"})}),
    "tag": ({"tags": ("vip", 'ü\\"')}, {"tags": frozenset({'ü\\"'})}),
    "reply_to": ({"reply_to_message_id": 77}, {"reply_to_message_ids": frozenset({77})}),
    "origin": ({"origin": "crm"}, {"origins": frozenset({"crm"})}),
    "traffic": ({"traffic": Traffic.PASSCODE}, {"traffics": frozenset({Traffic.PASSCODE})}),
}


class ListingCases(OpenedStore):
    """Messages of an account, newest first."""

    async def test_pages_go_from_the_newest_to_the_oldest(self, bench: Bench) -> None:
        """Each message once, in pages no longer than asked for."""
        sent = await bench.send(recipients=phones(5))
        pages = await bench.pages(page_size=2)
        assert sent[::-1] == [each for page in pages for each in page]
        assert 2 == max(map(len, pages))

    async def test_an_empty_account_has_one_empty_page(self, bench: Bench) -> None:
        """And no next one; nor has an account that does not exist."""
        assert [[]] == await bench.pages()
        assert [[]] == await bench.pages(99, tags=frozenset({"vip"}))

    @pytest.mark.parametrize("how", [UNINDEXED, INDEXED])
    async def test_pages_show_one_account(self, bench: Bench, how: str) -> None:
        """Others' messages between ours are passed over."""
        await bench.accept(*[submission(account_id=1 + number % 2, sender="Shop") for number in range(6)])
        ours = [event.message_id for event in await bench.events(2)]
        if how == INDEXED:
            await bench.index(1)
            await bench.index(2)
        assert [ours[::-1]] == await bench.pages(2)
        assert [ours[::-1]] == await bench.pages(2, senders=frozenset({"Shop"}))

    async def test_pages_can_be_of_some_states(self, bench: Bench) -> None:
        """Any of those asked for."""
        (bad,) = await bench.send(recipients=(Recipient(phone_number="12"),))
        (scheduled,) = await bench.send(schedule_at_us=NOW_US + 60 * SECOND_US)
        await bench.send()
        wanted = frozenset({State.REJECTED, State.SCHEDULED})
        assert [[scheduled, bad]] == await bench.pages(states=wanted)

    async def test_pages_can_be_of_a_time_of_acceptance(self, bench: Bench) -> None:
        """From the start on, up to but without the end, by milliseconds; also beside another wish."""
        sent = []
        for _ in range(4):
            bench.ids = type(bench.ids)(bench.now_us)
            sent += await bench.send(sender="Shop")
            await bench.index(span_messages=1)
            bench.wait(10)
        wanted: dict[str, Any] = {"start_us": NOW_US + 10 * SECOND_US, "end_us": NOW_US + 30 * SECOND_US}
        assert [[sent[2], sent[1]]] == await bench.pages(**wanted)
        assert [[sent[2], sent[1]]] == await bench.pages(**wanted, senders=frozenset({"Shop"}))

    async def test_a_page_shows_a_message_without_its_content(self, bench: Bench) -> None:
        """Everything else is as the message itself says."""
        (message_id,) = await bench.send(tags=("a",))
        (listed,) = (await bench.store.read(read_page, MessageQuery(1, MessageFilter(), None, 10))).messages
        whole = await bench.message(message_id)
        assert listed.content is None
        assert (whole.labels, whole.state, whole.recipient) == (listed.labels, listed.state, listed.recipient)

    @pytest.mark.parametrize("how", [UNINDEXED, INDEXED])
    @pytest.mark.parametrize("by", FOUND_BY)
    async def test_a_message_is_found_by(self, bench: Bench, by: str, how: str) -> None:
        """Whatever its caller attached, whether it is in the index or not yet; and nothing else is."""
        changes, wanted = FOUND_BY[by]
        before = await bench.send()
        found = await bench.send(**changes)
        after = await bench.send()
        if how == INDEXED:
            await bench.index()
        assert [found] == await bench.pages(**wanted)
        assert [[*after, *found, *before]] == await bench.pages()

    @pytest.mark.parametrize("how", [UNINDEXED, INDEXED])
    async def test_a_message_is_found_by_the_provider_of_its_last_attempt(
        self, bench: Bench, how: str
    ) -> None:
        """Not by one that never had it."""
        sent = await bench.sent("x")
        await bench.send(sender="Shop")
        if how == INDEXED:
            await bench.index()
        assert [[sent]] == await bench.pages(providers=frozenset({"acme"}))
        assert [[]] == await bench.pages(providers=frozenset({"other"}))

    async def test_a_message_is_found_by_a_provider_that_came_later(self, bench: Bench) -> None:
        """The index meets the attempt after it has met the message."""
        (message_id,) = await bench.send()
        await bench.index()
        await bench.claim()
        assert [[message_id]] == await bench.pages(providers=frozenset({"acme"}))
        await bench.index()
        assert [[message_id]] == await bench.pages(providers=frozenset({"acme"}))

    async def test_messages_are_of_channels_and_directions(self, bench: Bench) -> None:
        """Everything that is sent goes out."""
        (message_id,) = await bench.send()
        for channels, directions, expected in (
            ({Channel.SMS}, {Direction.OUTBOUND}, [message_id]),
            ({Channel.EMAIL}, {Direction.OUTBOUND}, []),
            ({Channel.SMS}, {Direction.INBOUND}, []),
        ):
            found = await bench.pages(channels=frozenset(channels), directions=frozenset(directions))
            assert [expected] == found

    async def test_every_page_of_every_filter_is_what_a_look_at_each_message_finds(
        self, bench: Bench
    ) -> None:
        """Several wishes at once, any of several values, with some of the log indexed, over many spans."""
        dice = random.Random(11)  # noqa: S311 - the same dice each time
        for _ in range(40):
            await bench.accept(*[submission(account_id=1, **_any_fields(dice)) for _ in range(3)])
            if dice.random() < 0.5:
                await bench.index(events_max=dice.randint(1, 9), span_messages=4)
        assert 1 < len(
            await bench.store.read(lambda tx: tx.all("spans_between", account_id=1, before_id=(1 << 63) - 1))
        )
        stored = [
            await bench.message(each) for each in sorted({e.message_id for e in await bench.events()})[::-1]
        ]
        for _ in range(150):
            wanted = _any_wishes(dice)
            expected = [each.message_id for each in stored if _fits(each, wanted)]
            limits = ListLimits(rows_max=dice.choice([1, 20, 10_000]))
            pages = await bench.pages(page_size=dice.choice([1, 3, 100]), limits=limits, **wanted)
            assert expected == [each for page in pages for each in page], wanted

    async def test_a_page_that_has_looked_at_enough_is_short(self, bench: Bench) -> None:
        """And has a next one, so that nothing is missed."""
        sent = await bench.send(recipients=phones(300))
        (wanted,) = await bench.send(client_reference="a", schedule_at_us=NOW_US + 60 * SECOND_US)
        sent += await bench.send(recipients=phones(300))
        await bench.index()
        pages = await bench.pages(states=frozenset({State.SCHEDULED}), limits=ListLimits(rows_max=100))
        assert [wanted] == [each for page in pages for each in page]
        assert 2 < len(pages)

    async def test_a_list_says_how_far_the_index_is(self, bench: Bench) -> None:
        """And whether anything may be missing: not as long as what it lacks is looked through."""
        wanted = MessageFilter(senders=frozenset({"Shop"}))
        sent = await bench.send(recipients=phones(4), sender="Shop")
        assert Indexed(1, 3) == await bench.index(events_max=1)
        page = await bench.store.read(read_page, MessageQuery(1, wanted, None, 10))
        assert IndexProgress(1, NOW_US, 3, whole=True) == page.index
        assert 4 == len(page.messages)
        page = await bench.store.read(
            read_page, MessageQuery(1, wanted, None, 10), ListLimits(unindexed_events_max=2)
        )
        assert IndexProgress(1, NOW_US, 3, whole=False) == page.index
        assert sent[:1] == [each.message_id for each in page.messages]

    async def test_a_list_that_needs_no_index_is_whole(self, bench: Bench) -> None:
        """However far the index is behind."""
        sent = await bench.send(recipients=phones(4))
        await bench.index(events_max=1)
        limits = ListLimits(rows_max=2, unindexed_events_max=0)
        assert sent[::-1] == [each for page in await bench.pages(limits=limits) for each in page]
        page = await bench.store.read(read_page, MessageQuery(1, MessageFilter(), None, 10), limits)
        assert page.index.whole

    async def test_the_index_is_filled_in_batches(self, bench: Bench) -> None:
        """Each says how far it came; at the head there is nothing to do."""
        await bench.send(recipients=phones(5))
        assert [1] == await bench.store.read(read_indexes_behind)
        found = [await bench.index(events_max=2) for _ in range(4)]
        assert [Indexed(2, 3), Indexed(4, 1), Indexed(5, 0), Indexed(5, 0)] == found
        assert [] == await bench.store.read(read_indexes_behind)

    async def test_an_account_without_events_needs_no_index(self, bench: Bench) -> None:
        """Nor does one that there is not."""
        assert [Indexed(0, 0), Indexed(0, 0)] == [await bench.index(1), await bench.index(99)]


_REFERENCES, _TAGS, _SENDERS = ("", "r1", "r2", "r3"), ("a", "b", "c"), ("", "Shop", "Bank")


def _any_fields(dice: random.Random) -> dict[str, Any]:
    return {
        "recipients": tuple(
            Recipient(phone_number=f"+44770090000{dice.randint(0, 9)}") for _ in range(dice.randint(1, 3))
        ),
        "client_reference": dice.choice(_REFERENCES),
        "tags": tuple(dice.sample(_TAGS, dice.randint(0, 3))),
        "sender": dice.choice(_SENDERS),
        "campaign": dice.choice([None, Campaign("spring"), Campaign("autumn", "Autumn")]),
        "data": dice.choice(["", "d" * 200, "d" * 200 + "e"]),
        "schedule_at_us": dice.choice([None, NOW_US + 60 * SECOND_US]),
    }


_WISHES: Mapping[str, tuple[Any, ...]] = {
    "recipients": tuple(f"+44770090000{number}" for number in range(9)),
    "client_references": _REFERENCES[1:],
    "tags": _TAGS,
    "senders": _SENDERS[1:],
    "campaigns": ("spring", "autumn", "winter"),
    "data": ("d" * 200, "d" * 200 + "e"),
    "states": (State.ACCEPTED, State.SCHEDULED),
}
_HAS: Mapping[str, Callable[[MessageRecord], tuple[Any, ...]]] = {
    "recipients": lambda message: (message.recipient,),
    "client_references": lambda message: (message.client_reference,),
    "tags": lambda message: message.labels.tags,
    "senders": lambda message: (message.sender,),
    "campaigns": lambda message: (message.labels.campaign and message.labels.campaign.id,),
    "data": lambda message: (message.data,),
    "states": lambda message: (message.state,),
}


def _any_wishes(dice: random.Random) -> dict[str, Any]:
    names = dice.sample(sorted(_WISHES), dice.randint(0, 3))
    return {name: frozenset(dice.sample(_WISHES[name], dice.randint(1, 2))) for name in names}


def _fits(message: MessageRecord, wanted: Mapping[str, frozenset[Any]]) -> bool:
    return all(not values.isdisjoint(_HAS[name](message)) for name, values in wanted.items())
