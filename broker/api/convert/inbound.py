"""What came in → protobuf."""

from __future__ import annotations  # ValueType is a name of the stubs alone

from collections.abc import Mapping
from typing import Any

from broker.api.convert.times import timestamp
from broker.api.convert.words import PB_CHANNELS
from broker.domain.ids import format_id
from broker.domain.inbound import AssignedBy, InboundKind
from broker.domain.records import EventRecord
from waypost.v1 import event_pb2, send_pb2

PB_INBOUND_KINDS: Mapping[int, event_pb2.InboundKind.ValueType] = {
    each: event_pb2.InboundKind.Value(f"INBOUND_KIND_{each.name}") for each in InboundKind
}
PB_INBOUND_ASSIGNMENTS: Mapping[int, event_pb2.InboundAssignment.ValueType] = {
    each: event_pb2.InboundAssignment.Value(f"INBOUND_ASSIGNMENT_{each.name}") for each in AssignedBy
}


def inbound_event(event: EventRecord, told: Mapping[str, Any]) -> event_pb2.InboundEvent:
    """What was received. Of a message that was deleted since, only that there was one."""
    labels = event.labels
    found = event_pb2.InboundEvent(
        message_id=format_id(event.message_id),
        sender=event.sender,
        recipient=event.recipient,
        client_reference=event.client_reference,
        data=event.data,
        channel=PB_CHANNELS[event.channel],
        tags=labels.tags,
    )
    if labels.reply_to_message_id is not None:
        found.reply_to_message_id = format_id(labels.reply_to_message_id)
    if labels.campaign is not None:
        found.campaign.CopyFrom(send_pb2.Campaign(id=labels.campaign.id, name=labels.campaign.name))
    if told:
        found.text = told["text"]
        found.receive_time.CopyFrom(timestamp(told["received_at_us"]))
        found.provider = told["provider"]
        found.provider_message_id = told["provider_message_id"]
        found.kind = PB_INBOUND_KINDS[told["kind"]]
        found.keyword = told.get("keyword", "")
        if "group_id" in told:
            found.joined_group_id = format_id(told["group_id"])
        found.assigned_by = PB_INBOUND_ASSIGNMENTS[told["assigned_by"]]
    return found
