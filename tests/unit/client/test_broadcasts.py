"""Broadcasts of the client as protobuf, and back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from waypost import (
    BroadcastState,
    Campaign,
    Channel,
    FileFormat,
    Guarantee,
    Options,
    Reason,
    Recipient,
    Traffic,
)
from waypost.broadcasts import BroadcastFields
from waypost.v1 import broadcast_pb2
from waypost.v1 import broadcast_service_pb2 as pb
from waypost.wire.broadcasts import broadcast_message, broadcast_of, upload_of

AT = datetime(2026, 12, 24, 18, tzinfo=UTC)
WHOLE: BroadcastFields = {
    "to": ["+447700900123", Recipient(email="a@example.org", tokens={"name": "Ada"})],
    "group_ids": "g",
    "upload_id": "u",
    "name": "spring",
    "messages_per_minute": 60,
    "draft": True,
    "upstream_provider": "ogangi",
    "sender_pool": "shop",
    "traffic": Traffic.TRANSACTIONAL,
    "channels": Channel.SMS,
    "guarantee": Guarantee.AT_MOST_ONCE,
    "schedule_time": AT,
    "validity": timedelta(hours=1),
    "client_reference": "ref",
    "campaign": Campaign("c", "Spring"),
    "data": "{}",
    "tags": "vip",
    "callback_url": "https://example.com/a",
    "provider": "sandbox",
    "options": Options(ignore_quiet_hours=True),
    "tokens": {"shop": "Ours"},
    "origin": "crm",
    "request_id": "r",
    "account_id": "a",
}


def test_all_that_can_be_asked_for_goes_out() -> None:
    """Whom by name, by group and by file; all else as in a SendRequest."""
    expected = broadcast_pb2.BroadcastRequest(
        request_id="r",
        account_id="a",
        name="spring",
        content={"sms": {"text": "Hi $name$"}},
        sender_pool="shop",
        traffic=1,
        channels=[1],
        guarantee=2,
        schedule_time={"seconds": int(AT.timestamp())},
        validity={"seconds": 3_600},
        client_reference="ref",
        campaign={"id": "c", "name": "Spring"},
        data="{}",
        tags=["vip"],
        callback_url="https://example.com/a",
        provider="sandbox",
        options={"ignore_quiet_hours": True},
        tokens={"shop": "Ours"},
        origin="crm",
        messages_per_minute=60,
        draft=True,
        upstream_provider="ogangi",
    )
    expected.audience.recipients.add(phone_number="+447700900123")
    expected.audience.recipients.add(email="a@example.org", tokens={"name": "Ada"})
    expected.audience.group_ids.append("g")
    expected.audience.upload_id = "u"
    assert expected == broadcast_message("Hi $name$", WHOLE)


def test_nothing_that_a_broadcast_can_be_asked_for_is_left_out() -> None:
    """The client has every field of the protocol."""
    fields = set(broadcast_pb2.BroadcastRequest.DESCRIPTOR.fields_by_name)
    assert fields - {"audience", "content"} | {"to", "group_ids", "upload_id"} == set(
        BroadcastFields.__annotations__
    )


def test_a_field_that_a_broadcast_does_not_have_is_no_field() -> None:
    """As one of a SendRequest alone."""
    wrong: Any = {"to": "+447700900123", "validate_only": True}
    with pytest.raises(TypeError, match="validate_only"):
        broadcast_message("Hi", wrong)


def test_a_request_without_a_request_id_gets_one() -> None:
    """So that it can be repeated."""
    first, second = (broadcast_message("Hi", {"upload_id": "u"}).request_id for _ in range(2))
    assert first != second


def test_a_broadcast_comes_back_whole() -> None:
    """With its refusals; times that are not set are None."""
    shown = broadcast_pb2.Broadcast(
        broadcast_id="b", state=6, expected=10, refused=2, refusals=[{"reason": 1, "recipients": 2}]
    )
    made = broadcast_of(shown)
    assert (BroadcastState.COMPLETED, 10, 2, True) == (made.state, made.expected, made.refused, made.is_over)
    assert [2] == list(made.refusals.values())
    assert all(isinstance(each, Reason) for each in made.refusals)
    assert (None, None, None) == (made.schedule_time, made.start_time, made.end_time)
    running = broadcast_of(broadcast_pb2.Broadcast(state=3, start_time={"seconds": int(AT.timestamp())}))
    assert (False, AT) == (running.is_over, running.start_time)


def test_what_a_file_came_to_comes_back_whole() -> None:
    """With the first of its bad lines."""
    answer = pb.UploadAudienceResponse(
        upload_id="u",
        usable=True,
        rows=2,
        refused_rows=1,
        format=1,
        encoding="utf-8",
        delimiter=",",
        columns=["phone_number", "name"],
        refused=[{"line": 3, "problem": "has no address"}],
    )
    upload = upload_of(answer)
    assert ("u", True, 2, 1, FileFormat.CSV) == (
        upload.upload_id,
        upload.usable,
        upload.recipients,
        upload.refused,
        upload.format,
    )
    assert [(3, "has no address")] == [(each.line, each.problem) for each in upload.refused_lines]
    assert ("phone_number", "name") == upload.columns
