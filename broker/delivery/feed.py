"""The feed: each subscriber follows its account's event log from its own cursor.

The store is the truth: a commit only hints that there is more to read. For each account with
subscribers the feed keeps the recent events encoded (its *tail*), so that those near the head share one
read and one encoding, and those with the same filter share the frame. Whoever is further behind reads
the log in pages. A subscriber that does not read holds one frame and nothing else.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from broker.delivery.tail import Entry, Frame, Page, Tail
from broker.delivery.waking import set_within
from broker.domain.cursor import Cursor, format_cursor
from broker.domain.records import EventFilter, EventRecord
from broker.errors import BrokerError, ErrorReason
from broker.storage.history import read_events, read_log_bounds
from broker.storage.store import Store

TAIL_BYTES_MIN = 65_536

EncodeEvent = Callable[[EventRecord], bytes]
JoinFrame = Callable[[Sequence[bytes], str], bytes]
Start = Cursor | Literal["beginning", "now"]


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """How much is streamed at once and kept.

    Up to `page_events_max` are read and looked through at once: a filter that lets few events through fills its frames
    from as many.
    """

    subscribers_max: int
    cache_bytes_max: int
    frame_events_max: int
    frame_bytes_max: int
    page_events_max: int = 500


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
        self._tails: dict[int, Tail] = {}
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
            tail = self._tails[account_id] = Tail(account_id, self._read_page, self._limits.page_events_max)
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
        self, tail: Tail, position: int, event_filter: EventFilter, heartbeat_s: float
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
            if frame is None or tail.ends_at(position):
                await set_within(woken, beat_at - loop.time())
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

    async def _frame(self, tail: Tail, position: int, event_filter: EventFilter) -> Frame | None:
        """The next frame after `position`, None when there are no more events."""
        shared = tail.shared(position, event_filter)
        if shared is not None:
            return shared
        page = await tail.page(position, self._look_events_max(event_filter))
        if page is None:
            return None
        if page.first != position + 1:
            raise self._expired(tail.account_id, page.first)
        shared = tail.shared(position, event_filter)
        if shared is not None:  # at the head all waited for the same page, and one of them was first
            return shared
        frame = self._build(tail.account_id, page, event_filter)
        tail.share(position, event_filter, frame)
        return frame

    def _look_events_max(self, event_filter: EventFilter) -> int:
        """How many events to look through for a frame: more than it holds, where the filter lets few through."""
        most = self._limits.frame_events_max
        return most if event_filter.narrowest is None else max(most, self._limits.page_events_max)

    def _build(self, account_id: int, page: Page, event_filter: EventFilter) -> Frame:
        chosen: list[bytes] = []
        size = 0
        position = page.last
        for entry in page.matching(event_filter):
            size += len(entry.encoded)
            if chosen and (
                size > self._limits.frame_bytes_max or len(chosen) == self._limits.frame_events_max
            ):
                position = entry.record.sequence - 1
                break
            chosen.append(entry.encoded)
        if not chosen:
            return Frame(None, position)
        return Frame(self._join(chosen, self._cursor(account_id, position)), position)

    async def _read_page(self, account_id: int, after: int, events_max: int) -> tuple[list[Entry], int]:
        """A page from the store, and how many bytes a tail may keep."""
        records = await self._store.read(read_events, account_id, after, events_max)
        entries = [Entry(record, self._encode(record)) for record in records]
        return entries, max(TAIL_BYTES_MIN, self._limits.cache_bytes_max // max(1, len(self._tails)))
