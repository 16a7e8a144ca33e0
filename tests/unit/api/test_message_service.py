"""MessageService on the wire: one message, and what is done to it."""

from dataclasses import replace

import grpc
import pytest

from broker.api.convert.messages import message_message, timeline_entry
from broker.domain.ids import format_id
from broker.domain.lifecycle import Fact, State
from broker.domain.records import Labels, MessageChange, TimelineRecord
from broker.errors import BrokerError, ErrorReason
from tests.unit.api.fakes import NOW_US
from tests.unit.api.wire import at
from waypost.v1 import message_pb2, message_service_pb2, send_pb2, status_pb2

GET, CANCEL = (f"MessageService/{each}" for each in ("GetMessage", "CancelMessage"))


DELETE, MARK, REDRIVE = (
    f"MessageService/{each}" for each in ("DeleteMessage", "MarkMessage", "RedriveMessage")
)


def test_every_field_of_a_message_is_told(record):
    """As a caller reads it; SENT without receipts is an end."""
    expected = message_pb2.Message(
        message_id=format_id(1000),
        account_id="0000000000001",
        recipient="+447700900123",
        sender="Shop",
        channel=1,
        traffic=3,
        status=4,
        end=True,
        content={"sms": {"text": "hello", "subject": "hi"}},
        encoding=2,
        units=2,
        provider="sandbox",
        attempts=3,
        accept_time=at(0),
        transmit_time=at(1),
        expire_time=at(2),
        end_time=at(3),
        client_reference="order-1",
        campaign=send_pb2.Campaign(id="spring", name="Spring"),
        data="{}",
        tags=["vip"],
        reply_to_message_id=format_id(5),
        origin="crm",
        guarantee=2,
        route_version=9,
        candidates=["sandbox", "second"],
        direction=1,
        read_time=at(4),
        redriven_from_message_id=format_id(6),
    )
    assert expected == message_message(record)


def test_what_a_message_does_not_have_is_absent(record):
    """No content in lists, no end yet, no channel where none was found."""
    bare = message_message(
        replace(record, content=None, ended_at_us=None, channel=None, encoding=None, labels=Labels())
    )
    assert not any(bare.HasField(field) for field in ("content", "end_time", "campaign"))
    assert (0, 0) == (bare.channel, bare.encoding)


async def test_a_message_comes_with_its_timeline(api, record, event):
    """Oldest first, every field."""
    api.history.records[1, 1000] = record
    api.history.timeline = [TimelineRecord(3, NOW_US, event.change)]
    response = await api.call(
        GET,
        message_service_pb2.GetMessageRequest(message_id=format_id(1000).lower()),
        message_service_pb2.GetMessageResponse,
    )
    expected = message_pb2.TimelineEntry(
        sequence=3,
        time=at(0),
        fact=7,
        status=3,
        previous_status=1,
        detail="later",
        attempt=2,
        provider="sandbox",
        provider_message_ids=["a", "b"],
        part=1,
        provider_code="503",
        provider_text="busy",
        next_attempt_time={"seconds": NOW_US // 1_000_000 + 1, "nanos": 500_000_000},
    )
    assert (message_message(record), [expected]) == (response.message, list(response.timeline))
    assert expected == timeline_entry(api.history.timeline[0])


@pytest.mark.parametrize("method", [GET, CANCEL])
@pytest.mark.parametrize(
    ("message_id", "code", "reason"),
    [
        ("", grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
        ("nonsense", grpc.StatusCode.NOT_FOUND, "MESSAGE_NOT_FOUND"),
        (format_id(5), grpc.StatusCode.NOT_FOUND, "MESSAGE_NOT_FOUND"),
        (format_id(2000), grpc.StatusCode.NOT_FOUND, "MESSAGE_NOT_FOUND"),
    ],
)
async def test_a_message_that_is_not_there_is_not_found(api, record, method, message_id, code, reason):
    """Nor another account's, 2000; only no id at all is a broken rule."""
    api.history.records[2, 2000] = record
    refusal = await api.call(method, message_service_pb2.GetMessageRequest(message_id=message_id))
    assert (code, reason) == (refusal.code, refusal.reason)


async def test_a_cancelled_message_is_answered_as_it_is_then(api, record):
    """The record that history gives."""
    api.history.records[1, 1000] = replace(record, state=State.CANCELLED)
    response = await api.call(
        CANCEL,
        message_service_pb2.CancelMessageRequest(message_id=format_id(1000)),
        message_service_pb2.CancelMessageResponse,
    )
    assert (10, True) == (response.message.status, response.message.end)


async def test_a_message_that_cannot_be_cancelled_is_a_failed_precondition(api):
    """With what it stumbled over."""
    api.history.refusal = BrokerError(
        ErrorReason.MESSAGE_NOT_CANCELLABLE, metadata={"message_id": "X", "status": "SENT"}
    )
    refusal = await api.call(CANCEL, message_service_pb2.CancelMessageRequest(message_id=format_id(1)))
    (violation,) = refusal.precondition.violations
    assert (grpc.StatusCode.FAILED_PRECONDITION, "MESSAGE_NOT_CANCELLABLE") == (refusal.code, refusal.reason)
    assert ("MESSAGE_NOT_CANCELLABLE", "X") == (violation.type, violation.subject)


async def test_a_deleted_message_is_shown_as_deleted(api, record):
    """With the time of that, and still at an end."""
    api.history.records[1, 1000] = replace(record, deleted_at_us=NOW_US + 9)
    response = await api.call(
        DELETE,
        message_service_pb2.DeleteMessageRequest(message_id=format_id(1000)),
        message_service_pb2.DeleteMessageResponse,
    )
    expected = (status_pb2.MESSAGE_STATUS_DELETED, True, at(9))
    assert expected == (response.message.status, response.message.end, response.message.delete_time)


def test_the_event_of_a_deletion_shows_deleted(record):
    """After the end that it had."""
    change = MessageChange(Fact.DELETED, State.DELIVERED, State.DELIVERED)
    entry = timeline_entry(TimelineRecord(4, NOW_US, change))
    assert (22, 11, 5) == (entry.fact, entry.status, entry.previous_status)


@pytest.mark.parametrize(("mark", "read"), [(1, True), (2, False)])
async def test_a_message_is_marked(api, record, mark, read):
    """Read or unread, and is answered as it is then."""
    api.history.records[1, 1000] = record
    response = await api.call(
        MARK,
        message_service_pb2.MarkMessageRequest(message_id=format_id(1000), mark=mark),
        message_service_pb2.MarkMessageResponse,
    )
    assert ([read], at(4)) == (api.history.marks, response.message.read_time)


async def test_a_mark_must_be_one(api):
    """Unspecified is a broken rule, and so is a number that nobody knows."""
    for mark in (0, 9):
        refusal = await api.call(
            MARK, message_service_pb2.MarkMessageRequest(message_id=format_id(1), mark=mark)
        )
        assert (grpc.StatusCode.INVALID_ARGUMENT, {"mark"}) == (refusal.code, refusal.violations.keys())


async def test_a_message_is_sent_again(api, record):
    """With everything that was asked for; the new message is the answer."""
    api.redriver.answer = record
    request = message_service_pb2.RedriveMessageRequest(
        message_id=format_id(7), account_id=format_id(2), request_id="again", validity={"seconds": 60}
    )
    response = await api.call(REDRIVE, request, message_service_pb2.RedriveMessageResponse, key="admin-key")
    assert [(2, 7, "again", 60_000_000)] == api.redriver.calls
    assert message_message(record) == response.message


@pytest.mark.parametrize(
    ("fields", "broken"),
    [
        ({"request_id": "x" * 129}, "request_id"),
        ({"request_id": "a\nb"}, "request_id"),
        ({"validity": {"seconds": 0}}, "validity"),
        ({"validity": {"seconds": 700_000}}, "validity"),
        ({"message_id": ""}, "message_id"),
    ],
)
async def test_a_redrive_that_breaks_a_rule_is_refused_with_its_field(api, fields, broken):
    """As a Send would be."""
    request = message_service_pb2.RedriveMessageRequest(**({"message_id": format_id(7)} | fields))
    refusal = await api.call(REDRIVE, request)
    assert (grpc.StatusCode.INVALID_ARGUMENT, {broken}) == (refusal.code, refusal.violations.keys())
    assert [] == api.redriver.calls


@pytest.mark.parametrize("method", [DELETE, MARK, REDRIVE])
async def test_a_key_that_only_reads_changes_nothing(api, method):
    """Nor does it learn whether there is such a message."""
    refusal = await api.call(
        method, message_service_pb2.GetMessageRequest(message_id=format_id(1)), key="read-key"
    )
    assert (grpc.StatusCode.PERMISSION_DENIED, "ROLE_INSUFFICIENT") == (refusal.code, refusal.reason)
