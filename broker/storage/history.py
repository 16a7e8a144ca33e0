"""Reading messages and events, and the one verb of callers on a stored message: cancel."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson

from broker.domain.decision import Note
from broker.domain.encoding import Encoding
from broker.domain.lifecycle import Fact, State
from broker.domain.price import Price
from broker.domain.records import (
    NO_LABELS,
    EventRecord,
    LinkRecord,
    MessageChange,
    MessageRecord,
    TimelineRecord,
)
from broker.domain.submission import NO_TOKENS
from broker.domain.vocabulary import Channel, Direction, EventKind, Guarantee, Reason, Traffic
from broker.storage.agenda import SEPARATOR, UNSENT, Agenda
from broker.storage.dispatching import read_tokens
from broker.storage.documents import StoredContent, load_content, load_labels
from broker.storage.journal import Journal
from broker.storage.links import read_links
from broker.storage.transaction import Row, Transaction
from broker.storage.ways import read_ways

TIMELINE_EVENTS_MAX = 1_000
_MESSAGE = EventKind.MESSAGE


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A caller's wish to end a message."""

    account_id: int
    message_id: int
    now_us: int


@dataclass(frozen=True, slots=True)
class Cancelled:
    """It was cancelled."""


@dataclass(frozen=True, slots=True)
class NotCancellable:
    """A provider was given it, or it has ended."""

    state: State


@dataclass(frozen=True, slots=True)
class NoSuchMessage:
    """The account has no such message."""


def cancel(tx: Transaction, items: list[Cancellation]) -> list[Cancelled | NotCancellable | NoSuchMessage]:
    """End messages that surely no provider has: those that wait for dispatch."""
    journal, agenda = Journal(tx, items[0].now_us), Agenda(tx)
    message_ids = [item.message_id for item in items]
    journal.load(message_ids)
    agenda.load(message_ids)
    answers: list[Cancelled | NotCancellable | NoSuchMessage] = []
    for item in items:
        head, due = journal.find(item.message_id), agenda.get(item.message_id)
        if head is None or head.account_id != item.account_id:
            answers.append(NoSuchMessage())
        elif due is None or due.work not in UNSENT or due.doubtful:
            answers.append(NotCancellable(head.state))
        else:
            journal.happen(item.message_id, Fact.CANCELLED, Note(Reason.CANCELLED_BY_SENDER))
            agenda.done(item.message_id)
            answers.append(Cancelled())
    journal.flush()
    agenda.flush()
    return answers


def read_message(
    tx: Transaction, account_id: int, message_id: int
) -> tuple[MessageRecord, list[TimelineRecord]] | None:
    """A message with its content and its history, oldest event first."""
    row = tx.one("message_by_id", account_id=account_id, message_id=message_id)
    if row is None:
        return None
    channel = Channel(row[4]) if row[4] else None
    stored = load_content(row[27])
    links = read_links(tx, [message_id]).get(message_id, ()) if stored.link_domain else ()
    content = None if row[23] is not None else said_to(tx, message_id, channel, stored, links)
    candidates = tuple(row[29].split(SEPARATOR)) if row[29] else ()
    ahead = read_ways(tx, message_id)[-row[30] :] if row[30] else ()
    fallback_channels = tuple(way.channel for way in ahead)
    message = replace(message_of(row, content, candidates, fallback_channels), links=links)
    events = tx.all("timeline", account_id=account_id, last_sequence=row[28], events_max=TIMELINE_EVENTS_MAX)
    return message, [TimelineRecord(event[0], event[1], _change(event, event[16])) for event in events]


def said_to(
    tx: Transaction,
    message_id: int,
    channel: Channel | None,
    content: StoredContent,
    links: Sequence[LinkRecord] = (),
) -> dict[str, object] | None:
    """What the recipient is told on its channel, where it has one with content; without `links` those stay long."""
    if channel is None or channel not in content.documents:
        return None
    own = NO_TOKENS
    if content.tokens is not None:
        own = read_tokens(tx, [message_id]).get(message_id, NO_TOKENS)
    return content.said_on(channel, own, {each.url: each.short_url for each in links})


def read_events(tx: Transaction, account_id: int, after: int, events_max: int) -> list[EventRecord]:
    """The account's events after a sequence, in order."""
    rows = tx.all("events_after", account_id=account_id, after=after, events_max=events_max)
    return [_event(account_id, row) for row in rows]


def read_log_bounds(tx: Transaction, account_id: int) -> tuple[int, int]:
    """The oldest sequence that is kept (one past the head when none is) and the head's."""
    head = tx.one("account_last_sequence", account_id=account_id)
    last = int(head[0]) if head else 0
    oldest = tx.one("oldest_sequence", account_id=account_id)
    return (int(oldest[0]) if oldest else last + 1), last


def message_of(
    row: Row,
    content: dict[str, object] | None = None,
    candidates: tuple[str, ...] = (),
    fallback_channels: tuple[Channel, ...] = (),
) -> MessageRecord:
    """A row of the statements that read messages."""
    return MessageRecord(
        message_id=row[0],
        account_id=row[1],
        recipient=row[2],
        sender=row[3],
        channel=Channel(row[4]) if row[4] else None,
        traffic=Traffic(row[5]),
        guarantee=Guarantee(row[6]),
        state=State(row[7]),
        reason=Reason[row[8]] if row[8] else None,
        encoding=Encoding(row[9]) if row[9] else None,
        units=row[10],
        provider=row[11],
        attempts=row[12],
        accepted_at_us=row[13],
        transmit_at_us=row[14],
        expire_at_us=row[15],
        ended_at_us=row[16],
        client_reference=row[17],
        data=row[18],
        labels=load_labels(row[19]),
        content=content,
        contact_id=row[20],
        route_version=row[21],
        candidates=candidates,
        fallback_channels=fallback_channels,
        direction=_DIRECTIONS[row[22]],
        deleted_at_us=row[23],
        read_at_us=row[24],
        price=None if row[25] is None else Price(row[25], row[26]),
    )


def _change(row: Row, told: str | None) -> MessageChange:
    return MessageChange(
        fact=_FACTS[row[3]],
        state=_STATES[row[4]],
        previous_state=_STATES[row[5]] if row[5] else None,
        reason=Reason[row[6]] if row[6] else None,
        detail=row[7] or "",
        attempt=row[8],
        provider=row[9] or "",
        provider_message_ids=tuple(row[10].split("\n")) if row[10] else (),
        part=row[11],
        provider_code=row[12] or "",
        provider_text=row[13] or "",
        next_attempt_at_us=row[14],
        next_provider=row[15] or "",
        previous_channel=_previous_channel(told) if row[3] == _CHANNEL_CHANGED else None,
    )


def _previous_channel(told: str | None) -> Channel | None:
    number = orjson.loads(told or "{}").get("previous_channel")  # erased with the message
    return None if number is None else _CHANNELS[number]


def _event(account_id: int, row: Row) -> EventRecord:
    if row[24] != _MESSAGE:
        return _other_event(account_id, row)
    return EventRecord(
        account_id=account_id,
        sequence=row[0],
        time_us=row[1],
        message_id=row[2],
        change=_change(row, row[25]),
        recipient=row[16],
        sender=row[17],
        channel=_CHANNELS[row[18]] if row[18] else None,
        units=row[19],
        client_reference=row[20],
        data=row[21],
        labels=load_labels(row[22]),
        contact_id=row[23],
        price=None if row[26] is None else Price(row[26], row[27]),
    )


def _other_event(account_id: int, row: Row) -> EventRecord:
    came_of_message = row[16] is not None
    return EventRecord(
        account_id=account_id,
        sequence=row[0],
        time_us=row[1],
        message_id=row[2],
        change=None,
        recipient=row[16] or "",
        sender=row[17] or "",
        channel=_CHANNELS[row[18]] if row[18] else None,
        units=0,
        client_reference=row[20] or "",
        data=row[21] or "",
        labels=load_labels(row[22]) if came_of_message else NO_LABELS,
        kind=EventKind(row[24]),
        told=orjson.loads(row[25]),
        contact_id=row[23],
    )


# A dictionary is several times faster than calling the enumeration, and this runs for every event.
_FACTS = {int(fact): fact for fact in Fact}
_CHANNEL_CHANGED = int(Fact.CHANNEL_CHANGED)
_STATES = {int(state): state for state in State}
_CHANNELS = {int(channel): channel for channel in Channel}
_DIRECTIONS = {int(direction): direction for direction in Direction}
