"""Stored messages and their timelines → protobuf."""

from __future__ import annotations  # ValueType is a name of the stubs alone

from broker.api.convert.content import content_message
from broker.api.convert.events import optional_id, shown_status
from broker.api.convert.ids import account_text
from broker.api.convert.labels import campaign_message
from broker.api.convert.prices import price_message
from broker.api.convert.templates import version_message
from broker.api.convert.times import optional_timestamp, timestamp
from broker.api.convert.words import (
    PB_CHANNELS,
    PB_DIRECTIONS,
    PB_ENCODINGS,
    PB_FACTS,
    PB_GUARANTEES,
    PB_REASONS,
    PB_STATUSES,
    PB_TRAFFICS,
)
from broker.domain.ids import format_id
from broker.domain.lifecycle import ENDS
from broker.domain.records import LinkRecord, MessageRecord, TimelineRecord
from waypost.v1 import message_pb2, status_pb2


def message_message(record: MessageRecord) -> message_pb2.Message:
    """A message as it stands now; with content where the record has it."""
    labels = record.labels
    content = None
    if record.content is not None and record.channel is not None:
        content = content_message(record.channel, record.content)
    return message_pb2.Message(
        message_id=format_id(record.message_id),
        account_id=account_text(record.account_id),
        contact_id=optional_id(record.contact_id),
        recipient=record.recipient,
        sender=record.sender,
        channel=PB_CHANNELS[record.channel],
        traffic=PB_TRAFFICS[record.traffic],
        status=_status(record),
        end=record.state in ENDS,
        reason=PB_REASONS[record.reason],
        content=content,
        encoding=PB_ENCODINGS[record.encoding],
        units=record.units,
        price=price_message(record.price),
        provider=record.provider,
        attempts=record.attempts,
        accept_time=timestamp(record.accepted_at_us),
        transmit_time=timestamp(record.transmit_at_us),
        expire_time=timestamp(record.expire_at_us),
        end_time=optional_timestamp(record.ended_at_us),
        client_reference=record.client_reference,
        campaign=campaign_message(labels.campaign),
        data=record.data,
        tags=labels.tags,
        reply_to_message_id=optional_id(labels.reply_to_message_id),
        origin=labels.origin,
        guarantee=PB_GUARANTEES[record.guarantee],
        template=None if labels.template is None else version_message(labels.template),
        route_version=record.route_version,
        candidates=record.candidates,
        direction=PB_DIRECTIONS[record.direction],
        delete_time=optional_timestamp(record.deleted_at_us),
        read_time=optional_timestamp(record.read_at_us),
        broadcast_id=optional_id(labels.broadcast_id),
        redriven_from_message_id=optional_id(labels.redriven_from_message_id),
        fallback_channels=[PB_CHANNELS[each] for each in record.fallback_channels],
        links=[_link(each) for each in record.links],
    )


def _link(record: LinkRecord) -> message_pb2.Link:
    return message_pb2.Link(
        url=record.url,
        short_url=record.short_url,
        target_url=record.target,
        clicks=record.clicks,
        last_click_time=optional_timestamp(record.last_click_at_us),
    )


def _status(record: MessageRecord) -> status_pb2.MessageStatus.ValueType:
    """Where it stands, as clients see it: a deleted message is DELETED, whatever its end was."""
    if record.deleted_at_us is not None:
        return status_pb2.MESSAGE_STATUS_DELETED
    return PB_STATUSES[record.state]


def timeline_entry(record: TimelineRecord) -> message_pb2.TimelineEntry:
    """One thing that happened to a message."""
    change = record.change
    return message_pb2.TimelineEntry(
        sequence=record.sequence,
        time=timestamp(record.time_us),
        fact=PB_FACTS[change.fact],
        status=shown_status(change),
        previous_status=PB_STATUSES[change.previous_state],
        reason=PB_REASONS[change.reason],
        detail=change.detail,
        attempt=change.attempt,
        provider=change.provider,
        provider_message_ids=change.provider_message_ids,
        part=change.part,
        provider_code=change.provider_code,
        provider_text=change.provider_text,
        next_attempt_time=optional_timestamp(change.next_attempt_at_us),
        next_provider=change.next_provider,
        previous_channel=PB_CHANNELS[change.previous_channel],
    )
