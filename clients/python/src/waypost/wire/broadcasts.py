"""Broadcasts and files of recipients to protobuf and back."""

from typing import Any

from waypost.broadcasts import Broadcast, BroadcastFields, RefusedLine, Upload
from waypost.sending import Body, SendRequest
from waypost.v1 import broadcast_pb2
from waypost.v1 import broadcast_service_pb2 as pb
from waypost.wire.sends import request_message, texts
from waypost.wire.times import time_of
from waypost.wire.words import BROADCAST_STATES, FILE_FORMATS, REASONS

_OWN = frozenset({
    "to",
    "group_ids",
    "upload_id",
    "name",
    "messages_per_minute",
    "draft",
    "upstream_provider",
})
_FIELDS = broadcast_pb2.BroadcastRequest.DESCRIPTOR.fields_by_name


def broadcast_message(content: Body, fields: BroadcastFields) -> broadcast_pb2.BroadcastRequest:
    """A broadcast to ask for. Raises TypeError for a field that it does not have."""
    if unknown := fields.keys() - BroadcastFields.__annotations__.keys():
        raise TypeError(f"a broadcast has no {', '.join(sorted(unknown))}; see BroadcastFields")
    alike: dict[str, Any] = {name: given for name, given in fields.items() if name not in _OWN}
    sent = request_message(SendRequest(content, to=fields.get("to", ()), **alike))
    same: dict[str, Any] = {
        descriptor.name: given for descriptor, given in sent.ListFields() if descriptor.name in _FIELDS
    }
    return broadcast_pb2.BroadcastRequest(
        audience=broadcast_pb2.Audience(
            recipients=sent.recipients,
            group_ids=texts(fields.get("group_ids", ())),
            upload_id=fields.get("upload_id", ""),
        ),
        name=fields.get("name", ""),
        messages_per_minute=fields.get("messages_per_minute", 0),
        draft=fields.get("draft", False),
        upstream_provider=fields.get("upstream_provider", ""),
        **same,
    )


def broadcast_of(message: broadcast_pb2.Broadcast) -> Broadcast:
    """A broadcast as it is."""
    has = message.HasField
    return Broadcast(
        broadcast_id=message.broadcast_id,
        account_id=message.account_id,
        name=message.name,
        state=BROADCAST_STATES.word(message.state),
        expected=message.expected,
        accepted=message.accepted,
        refused=message.refused,
        sent=message.sent,
        delivered=message.delivered,
        failed=message.failed,
        duplicates=message.duplicates,
        messages_per_minute=message.messages_per_minute,
        create_time=time_of(message.create_time),
        schedule_time=time_of(message.schedule_time) if has("schedule_time") else None,
        start_time=time_of(message.start_time) if has("start_time") else None,
        end_time=time_of(message.end_time) if has("end_time") else None,
        detail=message.detail,
        upstream_provider=message.upstream_provider,
        upstream_id=message.upstream_id,
        refusals={REASONS.word(each.reason): each.recipients for each in message.refusals},
    )


def upload_of(answer: pb.UploadAudienceResponse) -> Upload:
    """What a file came to."""
    return Upload(
        upload_id=answer.upload_id,
        usable=answer.usable,
        recipients=answer.rows,
        refused=answer.refused_rows,
        refused_lines=tuple(map(refused_line_of, answer.refused)),
        format=FILE_FORMATS.word(answer.format),
        encoding=answer.encoding,
        delimiter=answer.delimiter,
        columns=tuple(answer.columns),
    )


def refused_line_of(row: pb.RefusedRow) -> RefusedLine:
    """A line that became no recipient."""
    return RefusedLine(row.line, row.problem)
