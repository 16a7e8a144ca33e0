"""Stored messages and measured texts, from protobuf."""

from collections.abc import Iterable

from waypost.messages import Analysis, ForcingCharacter, Message, Part, TimelineEntry
from waypost.v1 import message_pb2, message_service_pb2
from waypost.wire.contents import content_of
from waypost.wire.sends import campaign_of, price_of
from waypost.wire.times import time_of
from waypost.wire.words import (
    channel_of,
    encoding_of,
    fact_of,
    guarantee_of,
    previous_status_of,
    reason_of,
    status_of,
    traffic_of,
)


def message_of(message: message_pb2.Message, timeline: Iterable[message_pb2.TimelineEntry] = ()) -> Message:
    """A message as it stands, with what happened to it."""
    has = message.HasField
    return Message(
        message_id=message.message_id,
        account_id=message.account_id,
        broadcast_id=message.broadcast_id,
        contact_id=message.contact_id,
        recipient=message.recipient,
        sender=message.sender,
        channel=channel_of(message.channel),
        traffic=traffic_of(message.traffic),
        guarantee=guarantee_of(message.guarantee),
        status=status_of(message.status),
        end=message.end,
        reason=reason_of(message.reason),
        content=content_of(message.content) if has("content") else None,
        encoding=encoding_of(message.encoding),
        units=message.units,
        price=price_of(message.price) if has("price") else None,
        provider=message.provider,
        attempts=message.attempts,
        accept_time=time_of(message.accept_time),
        transmit_time=time_of(message.transmit_time) if has("transmit_time") else None,
        expire_time=time_of(message.expire_time) if has("expire_time") else None,
        end_time=time_of(message.end_time) if has("end_time") else None,
        client_reference=message.client_reference,
        campaign=campaign_of(message.campaign) if has("campaign") else None,
        data=message.data,
        tags=tuple(message.tags),
        reply_to_message_id=message.reply_to_message_id,
        origin=message.origin,
        timeline=tuple(map(_entry, timeline)),
    )


def _entry(entry: message_pb2.TimelineEntry) -> TimelineEntry:
    planned = entry.HasField("next_attempt_time")
    return TimelineEntry(
        sequence=entry.sequence,
        time=time_of(entry.time),
        fact=fact_of(entry.fact),
        status=status_of(entry.status),
        previous_status=previous_status_of(entry.previous_status),
        reason=reason_of(entry.reason),
        detail=entry.detail,
        attempt=entry.attempt,
        provider=entry.provider,
        provider_message_ids=tuple(entry.provider_message_ids),
        part=entry.part,
        provider_code=entry.provider_code,
        provider_text=entry.provider_text,
        next_attempt_time=time_of(entry.next_attempt_time) if planned else None,
    )


def analysis_of(response: message_service_pb2.AnalyzeMessageResponse) -> Analysis:
    """A text, measured."""
    return Analysis(
        units=response.units,
        encoding=encoding_of(response.encoding),
        length=response.length,
        within_maximum=response.within_maximum,
        credit_cost_micros=response.credit_cost,
        parts=tuple(Part(each.text, each.length) for each in response.parts),
        forcing_characters=tuple(
            ForcingCharacter(each.character, each.index) for each in response.forcing_characters
        ),
    )
