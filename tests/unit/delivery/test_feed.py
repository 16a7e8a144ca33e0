"""The feed over a real store, with the real encoding: what each subscriber sees, and what it costs."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from broker.api.convert.events import encode_event, join_frame
from broker.delivery.feed import Feed, FeedLimits, Start
from broker.delivery.tail import Entry, Tail
from broker.domain.cursor import Cursor, format_cursor, parse_cursor
from broker.domain.records import EventFilter, EventRecord
from broker.domain.submission import Recipient
from broker.errors import BrokerError, ErrorReason
from broker.storage.history import read_events
from broker.storage.store import Store
from broker.storage.transaction import Transaction
from broker.testing.builders import phones
from broker.testing.store_suite import Bench
from waypost.v1 import subscribe_pb2

STORE_ID = b"storeid8"
ALL = EventFilter()
LIMITS = FeedLimits(
    subscribers_max=50, cache_bytes_max=1_000_000, frame_events_max=100, frame_bytes_max=65_536
)
HOUR_S = 3_600.0


@dataclass
class Counted:
    """The real encoding, counted."""

    encoded: int = 0
    joined: int = 0

    def encode(self, event: EventRecord) -> bytes:
        """One event."""
        self.encoded += 1
        return encode_event(event)

    def join(self, events: Sequence[bytes], cursor: str) -> bytes:
        """One frame."""
        self.joined += bool(events)
        return join_frame(events, cursor)


@dataclass
class Reader:
    """A subscriber, and all that it has seen."""

    frames: AsyncGenerator[bytes, None]
    sequences: list[int] = field(default_factory=list)
    message_ids: list[str] = field(default_factory=list)
    cursor: str = ""

    async def read(self) -> int:
        """The next frame; answers how many events it holds."""
        raw = await asyncio.wait_for(anext(self.frames), 10)
        frame = subscribe_pb2.SubscribeResponse.FromString(raw)
        self.sequences += [event.sequence for event in frame.events]
        self.message_ids += [event.message.message_id for event in frame.events]
        self.cursor = frame.cursor
        return len(frame.events)

    async def read_until(self, sequence: int) -> list[int]:
        """Frame after frame, until the cursor is there; answers every sequence seen."""
        while self.position < sequence:
            await self.read()
        return self.sequences

    @property
    def position(self) -> int:
        """Where the cursor stands."""
        cursor = parse_cursor(self.cursor)
        return -1 if cursor is None else cursor.sequence


Open = Callable[..., Any]


@pytest.fixture
def counted() -> Counted:
    """How often was encoded."""
    return Counted()


@pytest.fixture
def build(store: Store, counted: Counted) -> Callable[..., Feed]:
    """A feed that hears of every commit."""

    def feed(limits: FeedLimits = LIMITS, **changes: Any) -> Feed:
        fields = {name: getattr(limits, name) for name in limits.__dataclass_fields__} | changes
        made = Feed(store, STORE_ID, encode=counted.encode, join=counted.join, limits=FeedLimits(**fields))
        store.on_commit(lambda commit: made.hint(commit.accounts_with_events))
        return made

    return feed


@pytest.fixture
async def follow(build: Callable[..., Feed]) -> Any:
    """Subscribe; every stream is closed after the test."""
    readers: list[Reader] = []
    default = build()

    async def subscribe(
        start: Start = "beginning",
        event_filter: EventFilter = ALL,
        *,
        account_id: int = 1,
        heartbeat_s: float = HOUR_S,
        feed: Feed | None = None,
    ) -> Reader:
        reader = Reader((feed or default).follow(account_id, start, event_filter, heartbeat_s))
        readers.append(reader)
        assert await reader.read() == 0
        return reader

    yield subscribe
    for reader in readers:
        await reader.frames.aclose()


async def write_events(bench: Bench, count: int, account_id: int = 4) -> None:
    """Events of messages that end at once, so that their log can be pruned."""
    await bench.send(account_id=account_id, recipients=(Recipient(phone_number="12"),) * count)


async def prune(store: Store, account_id: int, before: int) -> None:
    """Drop the oldest events, as retention will."""

    def verb(tx: Transaction, items: list[tuple[int, int]]) -> list[None]:
        for item in items:
            tx._connection.execute("DELETE FROM events WHERE account_id = ? AND sequence < ?", item)  # type: ignore[attr-defined]
        return [None] * len(items)

    await store.write(verb, [(account_id, before)])


class TestStarts:
    """Where a subscriber begins."""

    async def test_the_first_frame_comes_at_once_and_is_empty(self, follow: Open) -> None:
        """So that a client knows that it is subscribed, and from where."""
        reader = await follow()
        assert format_cursor(Cursor(STORE_ID, 1, 0)) == reader.cursor

    async def test_the_beginning_is_the_oldest_event(self, follow: Open, bench: Bench) -> None:
        """Everything that is kept."""
        await bench.send(recipients=phones(3))
        assert [1, 2, 3] == await (await follow("beginning")).read_until(3)

    async def test_now_is_what_comes_next(self, follow: Open, bench: Bench) -> None:
        """Nothing that was before."""
        await bench.send(recipients=phones(3))
        reader = await follow("now")
        assert 3 == reader.position
        await bench.send()
        assert [4] == await reader.read_until(4)

    async def test_a_cursor_goes_on_after_itself(self, follow: Open, bench: Bench) -> None:
        """Without a gap and without a repetition, wherever a stream was cut off."""
        await bench.send(recipients=phones(7))
        seen: list[int] = []
        for after in (0, 3, 7):
            reader = await follow(Cursor(STORE_ID, 1, after))
            await bench.send()
            seen.append((await reader.read_until(8))[0])
        assert [1, 4, 8] == seen

    @pytest.mark.parametrize("cursor", [Cursor(b"another!", 1, 0), Cursor(STORE_ID, 2, 0)])
    async def test_a_cursor_of_another_store_or_account_is_refused(
        self, follow: Open, cursor: Cursor
    ) -> None:
        """Its number would mean another event here."""
        with pytest.raises(BrokerError) as refusal:
            await follow(cursor)
        assert ErrorReason.CURSOR_INVALID is refusal.value.reason

    async def test_a_cursor_ahead_of_the_log_is_refused_with_the_newest(
        self, follow: Open, bench: Bench
    ) -> None:
        """As after a backup was restored: going on there would hide events."""
        await bench.send()
        with pytest.raises(BrokerError) as refusal:
            await follow(Cursor(STORE_ID, 1, 2))
        assert ErrorReason.CURSOR_AHEAD is refusal.value.reason
        assert {"newest_cursor": format_cursor(Cursor(STORE_ID, 1, 1))} == refusal.value.metadata

    async def test_a_cursor_that_was_pruned_is_refused_with_the_oldest(
        self, follow: Open, bench: Bench, store: Store
    ) -> None:
        """The one that is named works."""
        await write_events(bench, 9)
        await prune(store, 4, 6)
        with pytest.raises(BrokerError) as refusal:
            await follow(Cursor(STORE_ID, 4, 4), account_id=4)
        assert ErrorReason.CURSOR_EXPIRED is refusal.value.reason
        oldest = parse_cursor(refusal.value.metadata["oldest_cursor"])
        reader = await follow(oldest, account_id=4)
        assert [6, 7, 8, 9] == await reader.read_until(9)
        assert [6, 7, 8, 9] == await (await follow("beginning", account_id=4)).read_until(9)


class TestFollowing:
    """What a subscriber sees from then on."""

    async def test_a_commit_wakes_who_waits(self, follow: Open, bench: Bench) -> None:
        """Each of many, without waiting for a heartbeat."""
        readers = [await follow("now") for _ in range(20)]
        await bench.send(recipients=phones(2))
        assert [[1, 2]] * 20 == await asyncio.gather(*[reader.read_until(2) for reader in readers])

    async def test_accounts_see_their_own_events_only(self, follow: Open, bench: Bench) -> None:
        """(I8)."""
        one, two = await follow(account_id=1), await follow(account_id=2)
        await bench.send(account_id=2)
        await bench.send(account_id=1)
        await one.read_until(1)
        await two.read_until(1)
        assert one.message_ids != two.message_ids

    async def test_a_filter_lets_through_what_matches(self, follow: Open, bench: Bench) -> None:
        """And the cursor moves past what does not."""
        wanted = EventFilter(tags=frozenset({"vip"}))
        reader = await follow("beginning", wanted, heartbeat_s=0.001)
        for tags in (("vip",), (), ("vip", "x"), ("x",)):
            await bench.send(tags=tags)
        assert [1, 3] == await reader.read_until(4)

    async def test_a_filter_that_lets_little_through_fills_its_frames_from_many_events(
        self, follow: Open, bench: Bench, build: Callable[..., Feed]
    ) -> None:
        """Up to as many as a frame holds, and from as many events as are looked through at once."""
        for number in range(12):
            await bench.send(tags=("vip",) if number % 2 else ())
        feed = build(frame_events_max=4, page_events_max=10)
        reader = await follow("beginning", EventFilter(tags=frozenset({"vip"})), feed=feed)
        frames = []
        while reader.position < 12:
            frames.append((await reader.read(), reader.position))
        assert [(4, 9), (1, 10), (1, 12)] == frames
        assert [2, 4, 6, 8, 10, 12] == reader.sequences

    async def test_who_has_seen_the_end_looks_again_when_it_is_woken(
        self, follow: Open, bench: Bench, build: Callable[..., Feed], store: Store, monkeypatch: Any
    ) -> None:
        """However much is committed in between: subscribers of a busy account share what each wake-up brings."""
        monkeypatch.setattr("broker.delivery.tail.WAKE_S_MIN", HOUR_S)
        monkeypatch.setattr("broker.delivery.tail.WAKE_S_MAX", HOUR_S)
        feed = build()
        readers = [await follow("now", feed=feed) for _ in range(3)]
        await bench.send()
        assert [[1]] * 3 == [await reader.read_until(1) for reader in readers]  # it was quiet: woken at once
        reading = [asyncio.create_task(reader.read()) for reader in readers]
        reads, read = [], store.read

        async def counted_read(body: Any, *arguments: Any) -> Any:
            reads.append(body)
            return await read(body, *arguments)

        monkeypatch.setattr(store, "read", counted_read)
        for _ in range(5):
            await bench.send()
        assert [] == [body for body in reads if body is read_events]
        assert [False] * 3 == [task.done() for task in reading]
        feed._tails[1].wake()
        assert [5] * 3 == await asyncio.gather(*reading)
        assert 1 == reads.count(read_events)

    async def test_a_filter_that_matches_nothing_still_shows_life(
        self, follow: Open, bench: Bench, build: Callable[..., Feed]
    ) -> None:
        """Heartbeats carry the cursor forward while a long log is passed over."""
        await bench.send(recipients=phones(20))
        feed = build(frame_events_max=1, page_events_max=1)
        nothing = EventFilter(tags=frozenset({"none"}))
        reader = await follow("beginning", nothing, heartbeat_s=0.0, feed=feed)
        positions = []
        for _ in range(5):
            await reader.read()
            positions.append(reader.position)
        assert [1, 2, 3, 4, 5] == positions

    async def test_a_quiet_log_brings_heartbeats(self, follow: Open) -> None:
        """Empty frames with the same cursor."""
        reader = await follow(heartbeat_s=0.001)
        before = reader.cursor
        assert [0, 0, 0] == [await reader.read() for _ in range(3)]
        assert before == reader.cursor

    @pytest.mark.parametrize(
        ("events_max", "bytes_max"), [(1, 65_536), (3, 65_536), (100, 1), (100, 400), (7, 300)]
    )
    async def test_frames_are_cut_and_nothing_is_lost_between_them(
        self, follow: Open, bench: Bench, build: Callable[..., Feed], events_max: int, bytes_max: int
    ) -> None:
        """By number and by size; one event that is too large goes alone."""
        await bench.send(recipients=phones(20))
        feed = build(frame_events_max=events_max, frame_bytes_max=bytes_max)
        reader = await follow(feed=feed)
        sizes = []
        while reader.position < 20:
            sizes.append(await reader.read())
        assert list(range(1, 21)) == reader.sequences
        assert max(sizes) <= events_max
        assert (bytes_max > 1) or max(sizes) == 1

    @pytest.mark.parametrize("cache_bytes_max", [0, 100_000, 1_000_000])
    async def test_readers_of_every_pace_see_every_event(
        self, follow: Open, bench: Bench, build: Callable[..., Feed], monkeypatch: Any, cache_bytes_max: int
    ) -> None:
        """From memory or from the store, whatever the tail has room for, while events are written."""
        monkeypatch.setattr("broker.delivery.feed.TAIL_BYTES_MIN", 3_000)
        feed = build(frame_events_max=5, cache_bytes_max=cache_bytes_max)
        starts = ["beginning", Cursor(STORE_ID, 1, 0), "now"]
        readers = [await follow(starts[number % 3], feed=feed) for number in range(9)]

        async def at_a_pace(reader: Reader, pause: int) -> list[int]:
            while reader.position < 120:
                await reader.read()
                for _ in range(pause):
                    await asyncio.sleep(0)
            return reader.sequences

        reading = [asyncio.create_task(at_a_pace(reader, 10 * n)) for n, reader in enumerate(readers)]
        for _ in range(40):
            await bench.send(recipients=phones(3))
        assert [list(range(1, 121))] * 9 == await asyncio.gather(*reading)

    async def test_a_reader_who_stands_still_slows_nobody(
        self, follow: Open, bench: Bench, build: Callable[..., Feed], monkeypatch: Any
    ) -> None:
        """It reads the log later, from the store, long after the tail went on without it."""
        monkeypatch.setattr("broker.delivery.feed.TAIL_BYTES_MIN", 3_000)
        feed = build(cache_bytes_max=0, frame_events_max=5)
        still, live = await follow(feed=feed), await follow(feed=feed)
        for number in range(1, 31):
            await bench.send(recipients=phones(3))
            await live.read_until(3 * number)
        assert 0 == still.position
        assert list(range(1, 91)) == await still.read_until(90)

    async def test_a_log_that_was_pruned_beneath_a_reader_is_an_error(
        self, follow: Open, bench: Bench, build: Callable[..., Feed], store: Store
    ) -> None:
        """(I7): never a silent gap."""
        await write_events(bench, 9)
        reader = await follow(account_id=4, feed=build(frame_events_max=2, page_events_max=2))
        await reader.read_until(2)
        await prune(store, 4, 6)
        with pytest.raises(BrokerError) as refusal:
            await reader.read_until(9)
        assert ErrorReason.CURSOR_EXPIRED is refusal.value.reason
        assert {"oldest_cursor": format_cursor(Cursor(STORE_ID, 4, 5))} == refusal.value.metadata
        assert [1, 2] == reader.sequences


class TestEnd:
    """Where the log ended, as those near the head know it."""

    @staticmethod
    def tail(during: Callable[[Tail], None], count: int = 1) -> Tail:
        """A tail over a log of so many events; something happens while it is read."""

        async def read_page(_account_id: int, after: int, _events_max: int) -> tuple[list[Entry], int]:
            during(made)
            records = [cast("EventRecord", SimpleNamespace(sequence=after + n)) for n in range(1, count + 1)]
            return [Entry(record, b"") for record in records], 100_000

        made = Tail(1, read_page, 10)
        return made

    async def test_the_log_ends_where_a_look_found_less_than_it_asked_for(self) -> None:
        """Until the next wake-up, which tells of more."""
        tail = self.tail(lambda _tail: None)
        await tail.page(0, 10)
        assert (True, False) == (tail.ends_at(1), tail.ends_at(0))
        tail.wake()
        assert not tail.ends_at(1)

    async def test_a_look_that_a_wake_up_overtook_has_found_no_end(self) -> None:
        """What woke them may be behind what was read, and its wake-up is over."""
        tail = self.tail(Tail.wake)
        await tail.page(0, 10)
        assert not tail.ends_at(1)

    async def test_a_look_that_found_all_it_asked_for_has_found_no_end(self) -> None:
        """There may be more."""
        tail = self.tail(lambda _tail: None, count=10)
        await tail.page(0, 10)
        assert not tail.ends_at(10)


class TestCost:
    """What many subscribers share, and where it ends."""

    async def test_an_event_is_encoded_once_for_all(
        self, follow: Open, bench: Bench, counted: Counted
    ) -> None:
        """And a frame joined once for all who share a filter."""
        wanted = EventFilter(tags=frozenset({"vip"}))
        readers = [await follow("now") for _ in range(10)] + [await follow("now", wanted) for _ in range(10)]
        await bench.send(recipients=phones(5), tags=("vip",))
        await asyncio.gather(*[reader.read_until(5) for reader in readers])
        assert (5, 2) == (counted.encoded, counted.joined)

    async def test_only_so_many_may_subscribe(self, follow: Open, build: Callable[..., Feed]) -> None:
        """A place is free again when its stream ends."""
        feed = build(subscribers_max=2)
        first, _ = await follow(feed=feed), await follow(feed=feed, account_id=2)
        with pytest.raises(BrokerError) as refusal:
            await follow(feed=feed)
        assert ErrorReason.SUBSCRIBERS_FULL is refusal.value.reason
        await first.frames.aclose()
        await follow(feed=feed)
        assert 2 == feed.subscribers

    async def test_a_refused_subscriber_takes_no_place(
        self, follow: Open, build: Callable[..., Feed]
    ) -> None:
        """A client that retries a bad cursor does not lock itself out."""
        feed = build(subscribers_max=1)
        for _ in range(3):
            with pytest.raises(BrokerError, match="CURSOR_AHEAD"):
                await follow(Cursor(STORE_ID, 1, 5), feed=feed)
        assert 0 == feed.subscribers

    async def test_an_account_without_subscribers_costs_nothing(
        self, follow: Open, build: Callable[..., Feed], bench: Bench, counted: Counted
    ) -> None:
        """Its tail goes with the last of them, and its events are not read."""
        feed = build()
        reader = await follow(feed=feed)
        await reader.frames.aclose()
        await bench.send()
        assert ({}, 0) == (feed._tails, counted.encoded)

    async def test_a_tail_keeps_to_its_bytes(
        self, follow: Open, build: Callable[..., Feed], bench: Bench, monkeypatch: Any
    ) -> None:
        """However many events pass."""
        monkeypatch.setattr("broker.delivery.feed.TAIL_BYTES_MIN", 10_000)
        feed = build(cache_bytes_max=0)
        reader = await follow(feed=feed)
        for number in range(1, 21):
            await bench.send(recipients=phones(4))
            await reader.read_until(4 * number)
            assert feed._tails[1]._bytes <= 10_000

    async def test_closing_ends_every_stream(self, follow: Open, build: Callable[..., Feed]) -> None:
        """With the reason to go elsewhere, for those who wait and those who come."""
        feed = build()
        readers = [await follow(feed=feed) for _ in range(3)]
        waiting = [asyncio.create_task(reader.read()) for reader in readers]
        await asyncio.sleep(0.01)
        feed.close()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        late = await follow(feed=feed)
        ends += await asyncio.gather(late.read(), return_exceptions=True)
        assert [ErrorReason.DRAINING] * 4 == [getattr(end, "reason", end) for end in ends]
