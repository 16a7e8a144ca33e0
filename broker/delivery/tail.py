"""The recent events of one account in memory: encoded once, and shared by all who read near the head."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from broker.domain.records import EventFilter, EventRecord, facets_of

RECORD_BYTES = 1_000
"""What an event costs in memory besides its encoding, roughly."""

SHARED_FRAMES_MAX = 64
SHARED_PAGES_MAX = 16
WAKE_PER_SUBSCRIBER_S = 0.001
WAKE_S_MIN, WAKE_S_MAX = 0.005, 0.1
"""Subscribers are woken this long after each other at least: on a busy broker each wake-up shares more events."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event and its bytes."""

    record: EventRecord
    encoded: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """`encoded` is None where the filter let nothing through; `position` is after what was looked at."""

    encoded: bytes | None
    position: int


class Page:
    """Consecutive events, at least one. Subscribers at the same place share it, and so its look-up tables."""

    __slots__ = ("_tables", "entries")

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self._tables: dict[str, defaultdict[object, list[Entry]]] = {}

    @property
    def first(self) -> int:
        """The sequence of the first event."""
        return self.entries[0].record.sequence

    @property
    def last(self) -> int:
        """The sequence of the last event."""
        return self.entries[-1].record.sequence

    def matching(self, event_filter: EventFilter) -> Sequence[Entry]:
        """The events that pass, in order.

        A hundred subscribers that each want their own few events must not look at every event a hundred
        times: those with a wanted value are found in a table, and only they are put to the whole filter.
        """
        narrow = event_filter.narrowest
        if narrow is None:
            candidates: Sequence[Entry] = self.entries
        else:
            facet, wanted = narrow
            candidates = self._candidates(facet, wanted)
        if event_filter.matches_all:
            return candidates
        return [entry for entry in candidates if event_filter.matches(entry.record)]

    def _candidates(self, facet: str, wanted: frozenset[object]) -> Sequence[Entry]:
        table = self._tables.get(facet)
        if table is None:
            table = self._tables[facet] = defaultdict(list)
            for entry in self.entries:
                for each in facets_of(facet, entry.record):
                    table[each].append(entry)
        found = [table[each] for each in table.keys() & wanted]
        if len(found) == 1:
            return found[0]
        return sorted({id(entry): entry for entries in found for entry in entries}.values(), key=_sequence)


def _sequence(entry: Entry) -> int:
    return entry.record.sequence


class Tail:
    """The recent events of one account, dense up to the newest one read."""

    def __init__(
        self,
        account_id: int,
        read_page: Callable[[int, int, int], Awaitable[tuple[list[Entry], int]]],
        page_events_max: int,
    ) -> None:
        self.account_id = account_id
        self.subscribers = 0
        self._frames: OrderedDict[tuple[int, EventFilter], Frame] = OrderedDict()
        self._pages: OrderedDict[tuple[int, int], Page] = OrderedDict()
        self._read_page = read_page
        self._page_events_max = page_events_max
        self._entries: list[Entry] = []
        self._bytes = 0
        self._reading = asyncio.Lock()
        self._woken = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._woken_at = 0.0
        self._end: int | None = None

    def next_wake(self) -> asyncio.Event:
        """Set at the next wake-up; take it before looking, so that none is missed."""
        return self._woken

    def hint(self) -> None:
        """Wake the subscribers: at once where it was quiet, and the more there are the less often."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            apart_s = min(WAKE_S_MAX, max(WAKE_S_MIN, WAKE_PER_SUBSCRIBER_S * self.subscribers))
            self._timer = loop.call_at(max(loop.time(), self._woken_at + apart_s), self.wake)

    def wake(self) -> None:
        """Wake the subscribers now."""
        self._timer = None
        self._woken_at = asyncio.get_running_loop().time()
        self._end = None
        self._woken.set()
        self._woken = asyncio.Event()

    def ends_at(self, sequence: int) -> bool:
        """Whether the log ended here at the last look, and nobody was woken since: what comes now brings a wake-up."""
        return sequence == self._end

    def shared(self, after: int, event_filter: EventFilter) -> Frame | None:
        """The frame that another subscriber with this filter got from the same place."""
        return self._frames.get((after, event_filter))

    def share(self, after: int, event_filter: EventFilter, frame: Frame) -> None:
        """Keep a frame for those who follow."""
        self._frames[after, event_filter] = frame
        if len(self._frames) > SHARED_FRAMES_MAX:
            self._frames.popitem(last=False)

    async def page(self, after: int, events_max: int) -> Page | None:
        """Events after a sequence: from memory near the head, else from the store; None at the head."""
        page = self._recent(after, events_max)
        if page is not None:
            return page
        if self._entries and after < self._entries[0].record.sequence - 1:  # far behind, and alone there
            entries, _ = await self._read_page(self.account_id, after, events_max)
            return Page(entries) if entries else None
        async with self._reading:  # at the head many ask the same; one reads for all
            page = self._recent(after, events_max)
            if page is not None:
                return page
            asked, woken = max(events_max, self._page_events_max), self._woken
            entries, bytes_max = await self._read_page(self.account_id, after, asked)
            whole = 0 < len(entries) < asked and woken is self._woken
            self._end = entries[-1].record.sequence if whole else None
            self._keep(entries, after, bytes_max)
        return Page(entries[:events_max]) if entries else None

    def _recent(self, after: int, events_max: int) -> Page | None:
        entries = self._entries
        if not entries:
            return None
        skip = after + 1 - entries[0].record.sequence
        if skip < 0 or skip >= len(entries):
            return None
        page = self._pages.get((after, events_max))
        if page is None:
            page = self._pages[after, events_max] = Page(entries[skip : skip + events_max])
            if len(self._pages) > SHARED_PAGES_MAX:
                self._pages.popitem(last=False)
        return page

    def _keep(self, entries: list[Entry], after: int, bytes_max: int) -> None:
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
