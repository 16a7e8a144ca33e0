"""Events from protobuf, and the cursor of each.

The broker gives one cursor for a frame of many events, valid after the last of them. So that a program
can stop after any event, an event within a frame gets the cursor before the frame and its own sequence:
"<cursor>~<sequence>". Who resumes there asks for the frame again and skips what it had.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple, TypedDict

from waypost.events import (
    BalanceEvent,
    BroadcastEvent,
    ClickEvent,
    Event,
    EventFields,
    InboundEvent,
    MessageEvent,
    OptInEvent,
)
from waypost.v1 import event_pb2, subscribe_pb2
from waypost.wire.broadcasts import broadcast_of
from waypost.wire.sends import campaign_of, price_of, texts
from waypost.wire.times import time_of
from waypost.wire.words import (
    BROADCAST_STATES,
    CHANNELS,
    FACTS,
    INBOUND_ASSIGNMENTS,
    INBOUND_KINDS,
    OPT_IN_STATES,
    REASONS,
    STATUSES,
)

EVENT_KINDS: Mapping[type[Event], event_pb2.EventKind.ValueType] = {
    MessageEvent: event_pb2.EVENT_KIND_MESSAGE,
    InboundEvent: event_pb2.EVENT_KIND_INBOUND,
    ClickEvent: event_pb2.EVENT_KIND_CLICK,
    OptInEvent: event_pb2.EVENT_KIND_OPT_IN,
    BalanceEvent: event_pb2.EVENT_KIND_BALANCE,
    BroadcastEvent: event_pb2.EVENT_KIND_BROADCAST,
}

_WITHIN = "~"


class Place(NamedTuple):
    """Where to go on: after a frame, or after one event of the frame that follows.

    cursor: the broker's.
    sequence: events up to this one were had already. 0: the cursor says it all.
    """

    cursor: str
    sequence: int = 0

    @property
    def text(self) -> str:
        """The place as a program keeps it."""
        return f"{self.cursor}{_WITHIN}{self.sequence}" if self.sequence else self.cursor


def place_of(cursor: str) -> Place:
    """The place that an event's cursor means. Raises ValueError when it is none."""
    frame, within, sequence = cursor.partition(_WITHIN)
    if not frame or (within and not (sequence.isascii() and sequence.isdigit())):
        raise ValueError("not a cursor of an event")
    return Place(frame, int(sequence) if within else 0)


def subscribe_message(
    kinds: Iterable[type[Event]],
    only: Mapping[str, str | Iterable[str]],
    *,
    from_beginning: bool,
    account_id: str,
) -> subscribe_pb2.SubscribeRequest:
    """What to follow, from its start. Raises TypeError for a field, ValueError for a kind, that is none."""
    request = subscribe_pb2.SubscribeRequest(account_id=account_id)
    request.filter.kinds.extend(map(_kind_number, kinds))
    for field, values in only.items():
        if field not in EventFields.__annotations__:
            raise TypeError(f"events are not picked by {field!r}; see EventFields")
        getattr(request.filter, field).extend(texts(values))
    if from_beginning:
        request.from_beginning.SetInParent()
    return request


def _kind_number(kind: type[Event]) -> event_pb2.EventKind.ValueType:
    number = EVENT_KINDS.get(kind)
    if number is None:
        raise ValueError(f"{kind.__name__} is no kind of events to ask for")
    return number


def events_of(frame: subscribe_pb2.SubscribeResponse, after: Place) -> Iterator[Event]:
    """The events of the frame that follows a place, but for those that were had already."""
    last = len(frame.events) - 1
    for index, event in enumerate(frame.events):
        if event.sequence > after.sequence:
            place = Place(frame.cursor) if index == last else Place(after.cursor, event.sequence)
            yield _event(event, place.text)


def place_after(frame: subscribe_pb2.SubscribeResponse, before: Place) -> Place:
    """The place after the frame that follows a place."""
    passed = bool(frame.events) and frame.events[-1].sequence >= before.sequence
    return Place(frame.cursor, 0 if passed else before.sequence)


def _event(event: event_pb2.Event, cursor: str) -> Event:
    make = _EVENTS.get(event.WhichOneof("payload") or "")
    if make is not None:
        return make(event, cursor)
    return Event(**_head(event, cursor))


class _Head(TypedDict):
    """What every event has."""

    sequence: int
    time: datetime
    account_id: str
    cursor: str


def _head(event: event_pb2.Event, cursor: str) -> _Head:
    return _Head(
        sequence=event.sequence, time=time_of(event.time), account_id=event.account_id, cursor=cursor
    )


def _message_event(event: event_pb2.Event, cursor: str) -> MessageEvent:
    message = event.message
    has = message.HasField
    return MessageEvent(
        **_head(event, cursor),
        message_id=message.message_id,
        broadcast_id=message.broadcast_id,
        contact_id=message.contact_id,
        recipient=message.recipient,
        sender=message.sender,
        channel=CHANNELS.optional(message.channel),
        fact=FACTS.word(message.fact),
        status=STATUSES.word(message.status),
        previous_status=STATUSES.optional(message.previous_status),
        end=message.end,
        reason=REASONS.optional(message.reason),
        detail=message.detail,
        provider=message.provider,
        provider_message_ids=tuple(message.provider_message_ids),
        part=message.part,
        provider_code=message.provider_code,
        provider_text=message.provider_text,
        attempt=message.attempt,
        units=message.units,
        price=price_of(message.price) if has("price") else None,
        client_reference=message.client_reference,
        campaign=campaign_of(message.campaign) if has("campaign") else None,
        data=message.data,
        tags=tuple(message.tags),
        reply_to_message_id=message.reply_to_message_id,
        origin=message.origin,
        redriven_from_message_id=message.redriven_from_message_id,
        next_attempt_time=time_of(message.next_attempt_time) if has("next_attempt_time") else None,
        next_provider=message.next_provider,
        previous_channel=CHANNELS.optional(message.previous_channel),
    )


def _broadcast_event(event: event_pb2.Event, cursor: str) -> BroadcastEvent:
    return BroadcastEvent(
        **_head(event, cursor),
        broadcast=broadcast_of(event.broadcast.broadcast),
        previous_state=BROADCAST_STATES.word(event.broadcast.previous_state),
    )


def _inbound_event(event: event_pb2.Event, cursor: str) -> InboundEvent:
    inbound = event.inbound
    has = inbound.HasField
    return InboundEvent(
        **_head(event, cursor),
        message_id=inbound.message_id,
        sender=inbound.sender,
        recipient=inbound.recipient,
        text=inbound.text,
        receive_time=time_of(inbound.receive_time) if has("receive_time") else None,
        provider=inbound.provider,
        provider_message_id=inbound.provider_message_id,
        reply_to_message_id=inbound.reply_to_message_id,
        client_reference=inbound.client_reference,
        campaign=campaign_of(inbound.campaign) if has("campaign") else None,
        data=inbound.data,
        channel=CHANNELS.optional(inbound.channel),
        kind=INBOUND_KINDS.optional(inbound.kind),
        assigned_by=INBOUND_ASSIGNMENTS.optional(inbound.assigned_by),
        keyword=inbound.keyword,
        joined_group_id=inbound.joined_group_id,
        tags=tuple(inbound.tags),
    )


def _click_event(event: event_pb2.Event, cursor: str) -> ClickEvent:
    click = event.click
    return ClickEvent(
        **_head(event, cursor),
        message_id=click.message_id,
        url=click.url,
        short_url=click.short_url,
        click_time=time_of(click.click_time),
        client_reference=click.client_reference,
        campaign=campaign_of(click.campaign) if click.HasField("campaign") else None,
        data=click.data,
        tags=tuple(click.tags),
    )


def _opt_in_event(event: event_pb2.Event, cursor: str) -> OptInEvent:
    told, record = event.opt_in, event.opt_in.record
    return OptInEvent(
        **_head(event, cursor),
        sender=record.sender,
        recipient=record.recipient,
        state=OPT_IN_STATES.word(record.state),
        previous_state=OPT_IN_STATES.optional(told.previous_state),
        message=record.message,
        message_id=told.message_id,
    )


def _balance_event(event: event_pb2.Event, cursor: str) -> BalanceEvent:
    return BalanceEvent(
        **_head(event, cursor),
        balance=price_of(event.balance.balance),
        threshold=price_of(event.balance.threshold),
    )


_EVENTS: Mapping[str, Callable[[event_pb2.Event, str], Event]] = {
    "message": _message_event,
    "inbound": _inbound_event,
    "click": _click_event,
    "opt_in": _opt_in_event,
    "balance": _balance_event,
    "broadcast": _broadcast_event,
}
