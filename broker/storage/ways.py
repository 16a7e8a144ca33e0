"""Messages that go on by another channel: one that fails on a way leaves it instead of ending.

Only messages with `ways_ahead` in their due row are looked up here; all others pay nothing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broker.domain.country import country_of
from broker.domain.decision import Note
from broker.domain.encoding import Encoding
from broker.domain.fallback import ChannelFallback, Going, PlannedWay, Standing, going_on
from broker.domain.lifecycle import Fact
from broker.domain.plan import PlannedMessage
from broker.domain.usage import has_country
from broker.domain.vocabulary import Channel
from broker.storage.agenda import SEPARATOR, Agenda, DueRow, Work
from broker.storage.journal import Journal
from broker.storage.transaction import Row, Transaction


@dataclass(frozen=True, slots=True)
class _Ways:
    """All ways of a message, with the attempts made up to the end of each that it left."""

    ways: tuple[PlannedWay, ...]
    attempts: tuple[int, ...]
    after_us: int | None
    expire_at_us: int


class Ways:
    """The moves from channel to channel within one transaction, at one time."""

    def __init__(self, tx: Transaction, journal: Journal, agenda: Agenda, now_us: int) -> None:
        self._tx = tx
        self._journal = journal
        self._agenda = agenda
        self._now_us = now_us
        self._known: dict[int, _Ways] = {}
        self._left: list[tuple[object, ...]] = []
        self._entered: list[tuple[object, ...]] = []
        self._moved: dict[int, tuple[object, ...]] = {}

    def go_on(self, row: DueRow, fact: Fact, note: Note) -> bool:
        """Let a message go on where `fact` would end it; False where it does end by it, or does not end at all."""
        if not row.ways_ahead:
            return False
        going = going_on(fact, note, self._standing(row), self._now_us)
        if going is not None:
            self._move(row, going)
        return going is not None

    def attempts_on(self, row: DueRow) -> int:
        """The attempts that were made on the way that a message is on."""
        return row.attempt - self._attempts_before(row) if row.way else row.attempt

    def parts_left(self, row: DueRow, provider: str, way: int) -> int:
        """The parts that a provider has not reported delivered, of those that it took on a way."""
        place = {"message_id": row.message_id, "provider": provider, "way": way}
        found = self._tx.one("unreported_parts", **place)
        return int(found[0]) if found else 0

    def back_to(self, row: DueRow, number: int, provider: str) -> None:
        """A message was delivered by a way that it had left: that is how it went. The caller ends it."""
        message_id = row.message_id
        way = self._of(message_id).ways[number]
        head = self._journal.head(message_id)
        self._left.append((message_id, row.way, row.attempt, head.last_sequence))
        self._moved[message_id] = _columns(message_id, way)
        head.provider = provider

    def channel(self, row: DueRow, number: int) -> Channel:
        """The channel of a way of a message."""
        return self._of(row.message_id).ways[number].channel

    def flush(self) -> None:
        """Write it all. What the journal and the agenda have of it is theirs to write."""
        if not self._left:
            return
        self._tx.bulk("leave_ways", self._left)
        self._tx.bulk("enter_ways", self._entered)
        self._tx.bulk("move_messages", list(self._moved.values()))

    def _standing(self, row: DueRow) -> Standing:
        known = self._of(row.message_id)
        return Standing(
            known.ways[row.way].channel, known.ways[row.way + 1 :], known.after_us, known.expire_at_us
        )

    def _attempts_before(self, row: DueRow) -> int:
        return self._of(row.message_id).attempts[row.way - 1]

    def _of(self, message_id: int) -> _Ways:
        known = self._known.get(message_id)
        if known is None:
            rows = self._tx.all("ways_of_message", message_id=message_id)
            attempts = tuple(row[7] for row in rows)
            known = _Ways(tuple(map(_way, rows)), attempts, rows[0][6], rows[0][8])
            self._known[message_id] = known
        return known

    def _move(self, row: DueRow, going: Going) -> None:
        way, message_id = going.way, row.message_id
        self._journal.happen(message_id, Fact.CHANNEL_CHANGED, going.note)
        sequence = self._journal.head(message_id).last_sequence
        self._left.append((message_id, row.way, row.attempt, sequence - 1))
        self._entered.append((message_id, row.way + 1, sequence))
        self._moved[message_id] = _columns(message_id, way)
        known = self._known[message_id]
        attempts = (*known.attempts[: row.way], row.attempt, *known.attempts[row.way + 1 :])
        self._known[message_id] = _Ways(known.ways, attempts, known.after_us, known.expire_at_us)
        row.way, row.ways_ahead = row.way + 1, row.ways_ahead - 1
        row.candidates, row.provider, row.units = way.candidates, way.candidates[0], way.units
        row.hops = row.rounds = row.asked = 0
        row.doubtful = row.doubtful or going.doubtful
        row.work, row.at_us, row.expire_at_us = Work.DISPATCH, self._now_us, going.until_us
        self._agenda.put(row)


def _columns(message_id: int, way: PlannedWay) -> tuple[object, ...]:
    country = country_of(way.recipient) if has_country(way.channel, way.recipient) else ""
    return message_id, way.channel, way.recipient, way.units, way.encoding, country, way.sender


def planned_ways(message: PlannedMessage, after_us: int | None) -> list[tuple[object, ...]]:
    """The rows of a new message that may go on by other channels."""
    result = message.result
    assert result.channel is not None
    first = PlannedWay(
        result.channel, result.recipient, message.candidates, result.units, result.encoding, message.sender
    )
    return [
        (
            message.message_id,
            number,
            way.channel,
            way.recipient,
            way.units,
            way.encoding,
            SEPARATOR.join(way.candidates),
            after_us,
            0,
            None if number else 0,
            None,
            way.sender,
        )
        for number, way in enumerate((first, *message.further))
    ]


def read_ways(tx: Transaction, message_id: int) -> Sequence[PlannedWay]:
    """All ways of a message, in their order; none where it never had but one."""
    return [_way(row) for row in tx.all("ways_of_message", message_id=message_id)]


def read_fallback(tx: Transaction, message_id: int) -> ChannelFallback | None:
    """The wish that gave a message its ways; None where it has but one."""
    rows = tx.all("ways_of_message", message_id=message_id)
    return ChannelFallback(rows[0][6]) if rows else None


def read_addresses_of_ways(tx: Transaction, message_ids: Sequence[int]) -> Mapping[int, list[str]]:
    """The addresses of all ways of those messages that have several, by message."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    for message_id, recipient in tx.all("recipients_of_ways", message_ids=list(message_ids)):
        found[message_id].append(recipient)
    return found


def _way(row: Row) -> PlannedWay:
    encoding = Encoding(row[4]) if row[4] else None
    return PlannedWay(Channel(row[1]), row[2], tuple(row[5].split(SEPARATOR)), row[3], encoding, row[9])
