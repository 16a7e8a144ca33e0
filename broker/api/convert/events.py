"""EventRecord → bytes of a SubscribeResponse.

An event is encoded once, already as the `events` entry of a frame: tag, length, bytes. A frame for any
subscriber is then a join of such entries and its cursor.
"""

from collections.abc import Sequence

from broker.api.convert.ids import account_text
from broker.api.convert.times import timestamp
from broker.api.convert.words import PB_CHANNELS, PB_FACTS, PB_REASONS, PB_STATUSES
from broker.domain.ids import format_id
from broker.domain.records import EventRecord
from broker.domain.submission import Campaign
from waypost.v1 import event_pb2, send_pb2

# Field number << 3 | wire type 2 (length-delimited); a test compares them with the descriptor.
EVENTS_TAG = b"\x0a"
CURSOR_TAG = b"\x12"


def encode_event(event: EventRecord) -> bytes:
    """The event as one entry of a frame."""
    body = event_message(event).SerializeToString()
    return EVENTS_TAG + _varint(len(body)) + body


def join_frame(events: Sequence[bytes], cursor: str) -> bytes:
    """A serialised SubscribeResponse of encoded events and the cursor after them."""
    text = cursor.encode()
    return b"".join((*events, CURSOR_TAG, _varint(len(text)), text))


def event_message(event: EventRecord) -> event_pb2.Event:
    """The event as protobuf."""
    change, labels = event.change, event.labels
    message = event_pb2.MessageEvent(
        message_id=format_id(event.message_id),
        recipient=event.recipient,
        sender=event.sender,
        channel=PB_CHANNELS[event.channel],
        fact=PB_FACTS[change.fact],
        status=PB_STATUSES[change.state],
        previous_status=PB_STATUSES[change.previous_state],
        end=change.end,
        reason=PB_REASONS[change.reason],
        detail=change.detail,
        provider=change.provider,
        provider_message_ids=change.provider_message_ids,
        part=change.part,
        provider_code=change.provider_code,
        provider_text=change.provider_text,
        attempt=change.attempt,
        units=event.units,
        client_reference=event.client_reference,
        campaign=campaign_message(labels.campaign),
        data=event.data,
        tags=labels.tags,
        reply_to_message_id=optional_id(labels.reply_to_message_id),
        origin=labels.origin,
        next_attempt_time=None if change.next_attempt_at_us is None else timestamp(change.next_attempt_at_us),
    )
    return event_pb2.Event(
        sequence=event.sequence,
        time=timestamp(event.time_us),
        account_id=account_text(event.account_id),
        message=message,
    )


def campaign_message(campaign: Campaign | None) -> send_pb2.Campaign | None:
    """A campaign, absent where there is none."""
    return None if campaign is None else send_pb2.Campaign(id=campaign.id, name=campaign.name)


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
