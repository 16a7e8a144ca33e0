"""EventRecord → bytes of a SubscribeResponse.

An event is encoded once, already as the `events` entry of a frame: tag, length, bytes. A frame for any
subscriber is then a join of such entries and its cursor.
"""

from __future__ import annotations  # ValueType is a name of the stubs alone

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

from google.protobuf.timestamp_pb2 import Timestamp

from broker.api.convert.ids import account_text
from broker.api.convert.labels import campaign_message
from broker.api.convert.other_events import other_event_message
from broker.api.convert.prices import price_message
from broker.api.convert.times import timestamp
from broker.api.convert.words import PB_CHANNELS, PB_FACTS, PB_REASONS, PB_STATUSES
from broker.domain.ids import format_id
from broker.domain.lifecycle import Fact
from broker.domain.records import NO_LABELS, EventRecord, Labels, MessageChange
from waypost.v1 import event_pb2, status_pb2

# Field number << 3 | wire type 2 (length-delimited); a test compares them with the descriptor.
EVENTS_TAG = b"\x0a"
CURSOR_TAG = b"\x12"

_DELETED = Fact.DELETED  # looked up for every event


def encode_event(event: EventRecord) -> bytes:
    """The event as one entry of a frame."""
    body = event_message(event).SerializeToString()
    return EVENTS_TAG + _varint(len(body)) + body


def join_frame(events: Sequence[bytes], cursor: str) -> bytes:
    """A serialised SubscribeResponse of encoded events and the cursor after them."""
    text = cursor.encode()
    return b"".join((*events, CURSOR_TAG, _varint(len(text)), text))


def event_message(event: EventRecord) -> event_pb2.Event:
    """The event as protobuf.

    Most fields of most events are empty. They are left out here rather than set to nothing, and the
    inner message is given as its fields, because both halve the time that protobuf takes.
    """
    change = event.change
    if change is None:
        return other_event_message(event)
    fields: dict[str, Any] = {
        "message_id": format_id(event.message_id),
        "recipient": event.recipient,
        "channel": PB_CHANNELS[event.channel],
        "fact": PB_FACTS[change.fact],
        "status": shown_status(change),
        "previous_status": PB_STATUSES[change.previous_state],
        "provider": change.provider,
        "attempt": change.attempt,
        "units": event.units,
        "end": change.end,
    }
    if event.contact_id is not None:
        fields["contact_id"] = format_id(event.contact_id)
    if event.sender:
        fields["sender"] = event.sender
    if change.provider_message_ids:
        fields["provider_message_ids"] = change.provider_message_ids
    if change.reason is not None or change.provider_code or change.part:
        _add_explanation(fields, change)
    if event.price is not None:
        fields["price"] = price_message(event.price)
    if event.client_reference:
        fields["client_reference"] = event.client_reference
    if event.data:
        fields["data"] = event.data
    if event.labels is not NO_LABELS:
        _add_labels(fields, event.labels)
    return event_pb2.Event(
        sequence=event.sequence,
        time=_timestamp(event.time_us),
        account_id=account_text(event.account_id),
        message=cast("Any", fields),
    )


def shown_status(change: MessageChange) -> status_pb2.MessageStatus.ValueType:
    """Where the message stood after a change, as clients see it: DELETED is shown instead of its end."""
    return status_pb2.MESSAGE_STATUS_DELETED if change.fact is _DELETED else PB_STATUSES[change.state]


def _add_explanation(fields: dict[str, Any], change: MessageChange) -> None:
    fields["reason"] = PB_REASONS[change.reason]
    fields["detail"] = change.detail
    fields["part"] = change.part
    fields["provider_code"] = change.provider_code
    fields["provider_text"] = change.provider_text
    if change.next_attempt_at_us is not None:
        fields["next_attempt_time"] = timestamp(change.next_attempt_at_us)
    if change.next_provider:
        fields["next_provider"] = change.next_provider
    if change.previous_channel is not None:
        fields["previous_channel"] = PB_CHANNELS[change.previous_channel]


def _add_labels(fields: dict[str, Any], labels: Labels) -> None:
    fields["campaign"] = campaign_message(labels.campaign)
    fields["tags"] = labels.tags
    fields["reply_to_message_id"] = optional_id(labels.reply_to_message_id)
    fields["origin"] = labels.origin
    fields["broadcast_id"] = optional_id(labels.broadcast_id)
    fields["redriven_from_message_id"] = optional_id(labels.redriven_from_message_id)


@lru_cache(maxsize=64)  # the events of one commit share their time
def _timestamp(time_us: int) -> Timestamp:
    return timestamp(time_us)


def optional_id(number: int | None) -> str:
    """An id, empty where there is none."""
    return "" if number is None else format_id(number)


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    digits = bytearray()
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)
