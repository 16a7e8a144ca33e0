"""The feed: each subscriber follows its account's event log from its own cursor.

The store is the truth: a commit only hints that there is more to read. For each account with
subscribers the feed keeps the recent events encoded (its *tail*), so that those near the head share one
read and one encoding, and those with the same filter share the frame. Whoever is further behind reads
the log in pages. A subscriber that does not read holds one frame and nothing else.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from broker.domain.cursor import Cursor, format_cursor
from broker.domain.records import EventFilter, EventRecord
from broker.errors import BrokerError, ErrorReason
from broker.storage.history import read_events, read_log_bounds
from broker.storage.store import Store

TAIL_BYTES_MIN = 65_536
RECORD_BYTES = 1_000
"""What an event costs in memory besides its encoding, roughly."""

SHARED_FRAMES_MAX = 64
WAKE_PER_SUBSCRIBER_S = 0.0005
WAKE_S_MAX = 0.05

EncodeEvent = Callable[[EventRecord], bytes]
JoinFrame = Callable[[Sequence[bytes], str], bytes]
Start = Cursor | Literal["beginning", "now"]


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """How much is streamed at once and kept."""

    subscribers_max: int
    cache_bytes_max: int
    frame_events_max: int
    frame_bytes_max: int


@dataclass(frozen=True, slots=True)
class _Entry:
    record: EventRecord
    encoded: bytes


@dataclass(frozen=True, slots=True)
class _Frame:
    """`encoded` is None where the filter let nothing through; `position` is after what was looked at."""

    encoded: bytes | None
    position: int


class Feed:
    """Serves every Subscribe of this process."""

    def __init__(
        self, store: Store, store_id: bytes, *, encode: EncodeEvent, join: JoinFrame, limits: FeedLimits
    ) -> None:
        self._store = store
        self._store_id = store_id
        self._encode = encode
        self._join = join
        self._limits = limits
        self._tails: dict[int, _Tail] = {}
        self._closed = False

    def hint(self, accounts: frozenset[int]) -> None:
        """These accounts may have new events."""
        for account_id in accounts & self._tails.keys():
            self._tails[account_id].hint()

    def close(self) -> None:
        """End every stream with DRAINING."""
        self._closed = True
        for tail in self._tails.values():
            tail.wake()

    @property
    def subscribers(self) -> int:
        """Open streams."""
        return sum(tail.subscribers for tail in self._tails.values())

    async def follow(
        self, account_id: int, start: Start, event_filter: EventFilter, heartbeat_s: float
    ) -> AsyncGenerator[bytes, None]:
        """Serialised frames: an empty one at once, then events as they are committed, and heartbeats.

        Raises BrokerError: CURSOR_INVALID, CURSOR_EXPIRED, CURSOR_AHEAD, SUBSCRIBERS_FULL, DRAINING.
        """
        if self.subscribers >= self._limits.subscribers_max:
            raise BrokerError(ErrorReason.SUBSCRIBERS_FULL, retry_after_s=5)
        tail = self._tails.get(account_id)
        if tail is None:
            tail = self._tails[account_id] = _Tail(account_id, self._read_page)
        tail.subscribers += 1
        try:
            position = await self._position(account_id, start)
            yield self._join((), self._cursor(account_id, position))
            async for frame in self._frames(tail, position, event_filter, heartbeat_s):
                yield frame
        finally:
            tail.subscribers -= 1
            if not tail.subscribers:
                self._tails.pop(account_id, None)

    async def _frames(
        self, tail: "_Tail", position: int, event_filter: EventFilter, heartbeat_s: float
    ) -> AsyncGenerator[bytes, None]:
        loop = asyncio.get_running_loop()
        beat_at = loop.time() + heartbeat_s
        while not self._closed:
            woken = tail.next_wake()
            frame = await self._frame(tail, position, event_filter)
            if frame is not None:
                position = frame.position
                if frame.encoded is not None:
                    yield frame.encoded
                    beat_at = loop.time() + heartbeat_s
            # Also while there is more to read: a filter that lets nothing through must not look like a dead stream.
            if loop.time() >= beat_at:
                yield self._join((), self._cursor(tail.account_id, position))
                beat_at = loop.time() + heartbeat_s
            if frame is None:
                await _wait(woken, beat_at - loop.time())
        raise BrokerError(ErrorReason.DRAINING, retry_after_s=1)

    async def _position(self, account_id: int, start: Start) -> int:
        oldest, last = await self._store.read(read_log_bounds, account_id)
        if start == "now":
            return last
        if start == "beginning":
            return oldest - 1
        if start.account_id != account_id or start.store_id != self._store_id:
            raise BrokerError(ErrorReason.CURSOR_INVALID)
        if start.sequence > last:
            raise BrokerError(
                ErrorReason.CURSOR_AHEAD, metadata={"newest_cursor": self._cursor(account_id, last)}
            )
        if start.sequence < oldest - 1:
            raise self._expired(account_id, oldest)
        return start.sequence

    def _expired(self, account_id: int, oldest: int) -> BrokerError:
        return BrokerError(
            ErrorReason.CURSOR_EXPIRED, metadata={"oldest_cursor": self._cursor(account_id, oldest - 1)}
        )

    def _cursor(self, account_id: int, sequence: int) -> str:
        return format_cursor(Cursor(self._store_id, account_id, sequence))

    async def _frame(self, tail: "_Tail", position: int, event_filter: EventFilter) -> _Frame | None:
        """The next frame after `position`, None when there are no more events."""
        shared = tail.frames.get((position, event_filter))
        if shared is not None:
            return shared
        entries = await tail.page(position, self._limits.frame_events_max)
        if not entries:
            return None
        if entries[0].record.sequence != position + 1:
            raise self._expired(tail.account_id, entries[0].record.sequence)
        frame = self._build(tail.account_id, entries, event_filter)
        tail.frames[position, event_filter] = frame
        if len(tail.frames) > SHARED_FRAMES_MAX:
            tail.frames.popitem(last=False)
        return frame

    def _build(self, account_id: int, entries: Sequence[_Entry], event_filter: EventFilter) -> _Frame:
        chosen: list[bytes] = []
        size = 0
        position = entries[0].record.sequence - 1
        matches, all_match = event_filter.matches, event_filter.matches_all
        for entry in entries:
            if all_match or matches(entry.record):
                size += len(entry.encoded)
                if chosen and size > self._limits.frame_bytes_max:
                    break
                chosen.append(entry.encoded)
            position = entry.record.sequence
        if not chosen:
            return _Frame(None, position)
        return _Frame(self._join(chosen, self._cursor(account_id, position)), position)

    async def _read_page(self, account_id: int, after: int) -> tuple[list[_Entry], int]:
        """A page from the store, and how many bytes a tail may keep."""
        records = await self._store.read(read_events, account_id, after, self._limits.frame_events_max)
        entries = [_Entry(record, self._encode(record)) for record in records]
        return entries, max(TAIL_BYTES_MIN, self._limits.cache_bytes_max // max(1, len(self._tails)))


class _Tail:
    """The recent events of one account, dense up to the newest one read."""

    def __init__(
        self, account_id: int, read_page: Callable[[int, int], Awaitable[tuple[list[_Entry], int]]]
    ) -> None:
        self.account_id = account_id
        self.subscribers = 0
        self.frames: OrderedDict[tuple[int, EventFilter], _Frame] = OrderedDict()
        self._read_page = read_page
        self._entries: list[_Entry] = []
        self._bytes = 0
        self._reading = asyncio.Lock()
        self._woken = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def next_wake(self) -> asyncio.Event:
        """Set at the next wake-up; take it before looking, so that none is missed."""
        return self._woken

    def hint(self) -> None:
        """Wake the subscribers soon: the more there are, the more events each wake-up shares."""
        if self._timer is None:
            delay_s = min(WAKE_S_MAX, WAKE_PER_SUBSCRIBER_S * self.subscribers)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self.wake)

    def wake(self) -> None:
        """Wake the subscribers now."""
        self._timer = None
        self._woken.set()
        self._woken = asyncio.Event()

    async def page(self, after: int, events_max: int) -> list[_Entry]:
        """Events after a sequence: from memory near the head, else from the store."""
        recent = self._recent(after, events_max)
        if recent:
            return recent
        async with self._reading:  # at the head many ask the same; one reads for all
            recent = self._recent(after, events_max)
            if recent:
                return recent
            entries, bytes_max = await self._read_page(self.account_id, after)
            self._keep(entries, after, bytes_max)
        return entries

    def _recent(self, after: int, events_max: int) -> list[_Entry]:
        entries = self._entries
        if not entries:
            return []
        skip = after + 1 - entries[0].record.sequence
        if skip < 0 or skip >= len(entries):
            return []
        return entries[skip : skip + events_max]

    def _keep(self, entries: list[_Entry], after: int, bytes_max: int) -> None:
        """Append a page that follows the tail; a page from further back is not kept."""
        if self._entries and after < self._entries[-1].record.sequence:
            return
        if self._entries and after > self._entries[-1].record.sequence:
            self._entries.clear()
            self._bytes = 0
        for entry in entries:
            self._entries.append(entry)
            self._bytes += len(entry.encoded) + RECORD_BYTES
        if self._bytes > bytes_max:
            self._trim(bytes_max // 2)

    def _trim(self, bytes_max: int) -> None:
        """Drop the oldest, more than needed at once: cutting the front of a list moves the rest."""
        drop = 0
        while self._bytes > bytes_max and drop < len(self._entries):
            self._bytes -= len(self._entries[drop].encoded) + RECORD_BYTES
            drop += 1
        del self._entries[:drop]


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await event.wait()
    except TimeoutError:
        return
