"""The promises of docs/guarantees.md, I1 to I10, kept by a real broker over its socket."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_status import rpc_status

from broker.delivery.keys import hash_secret
from broker.domain.access import Role
from broker.domain.ids import format_id
from broker.storage.keeping import NewAccount, NewKey, create_accounts, create_keys
from broker.storage.sqlite import SqliteEngine
from waypost.v1 import channel_pb2, content_pb2, event_pb2, message_pb2, recipient_pb2, send_pb2
from waypost.v1 import message_service_pb2 as lookups
from waypost.v1.broker_service_pb2_grpc import BrokerServiceStub
from waypost.v1.message_service_pb2_grpc import MessageServiceStub
from waypost.v1.status_pb2 import MessageFact, MessageStatus, Reason
from waypost.v1.subscribe_pb2 import EventFilter, SubscribeRequest, SubscribeResponse

CALL_S_MAX = 20
END_S_MAX = 40
ORDINARY = "+447700904711"
REJECTED, RETRIED, AMBIGUOUS, TWICE, EARLY = (f"+44770090000{digit}" for digit in "13467")
DOWN, SILENT = "+447700900010", "+447700900011"
QUICK = {
    "delivery": {"retry_base_s": 0.1, "retry_cap_s": 0.2, "doubt_first_s": 0.1, "receipt_overdue_s": 0.5}
}
SLOW_SANDBOX = {"sandbox": {"type": "sandbox", "latency_s": 1.5}}

Event = event_pb2.Event


class Client:
    """A caller with a key."""

    def __init__(self, channel: grpc.Channel, key: str) -> None:
        self.metadata = [("authorization", f"Bearer {key}")]
        self.messages = MessageServiceStub(channel)
        self.broker = BrokerServiceStub(channel)
        self._raw_send = channel.unary_unary(
            "/waypost.v1.BrokerService/Send", request_serializer=send_pb2.SendRequest.SerializeToString
        )

    def send(self, *numbers: str, **fields: Any) -> list[send_pb2.SendResult]:
        """The results of one Send of a text."""
        return list(send_pb2.SendResponse.FromString(self.send_raw(text_to(*numbers, **fields))).results)

    def send_one(self, number: str, **fields: Any) -> str:
        """The id of one message."""
        (result,) = self.send(number, **fields)
        return result.message_id

    def send_raw(self, request: send_pb2.SendRequest) -> bytes:
        """An answer as the bytes on the wire."""
        answer: bytes = self._raw_send(request, metadata=self.metadata, timeout=CALL_S_MAX)
        return answer

    def get(self, message_id: str) -> lookups.GetMessageResponse:
        """A message with its timeline."""
        request = lookups.GetMessageRequest(message_id=message_id)
        return self.messages.GetMessage(request, metadata=self.metadata, timeout=CALL_S_MAX)

    def cancel(self, message_id: str) -> lookups.CancelMessageResponse:
        """Cancel a message."""
        request = lookups.CancelMessageRequest(message_id=message_id)
        return self.messages.CancelMessage(request, metadata=self.metadata, timeout=CALL_S_MAX)

    def pages(self, **fields: Any) -> list[list[message_pb2.Message]]:
        """ListMessages from the first page to the last."""
        request = lookups.ListMessagesRequest(**fields)
        pages = []
        while True:
            answer = self.messages.ListMessages(request, metadata=self.metadata, timeout=CALL_S_MAX)
            pages.append(list(answer.messages))
            request.page_token = answer.next_page_token
            if not request.page_token:
                return pages

    def listed(self, **fields: Any) -> list[str]:
        """The ids on all pages."""
        return [message.message_id for page in self.pages(**fields) for message in page]

    def frames(self, **fields: Any) -> Iterator[SubscribeResponse]:
        """The frames of one Subscribe, with a heartbeat every second."""
        request = SubscribeRequest(heartbeat_interval=Duration(seconds=1), **fields)
        stream = self.broker.Subscribe(request, metadata=self.metadata, timeout=END_S_MAX)
        try:
            yield from stream
        finally:
            stream.cancel()

    def events_until(self, count: int, **fields: Any) -> list[Event]:
        """The first so many events from the beginning."""
        events: list[Event] = []
        for frame in self.frames(from_beginning=Empty(), **fields):
            events += frame.events
            if len(events) >= count:
                break
        return events

    def life(self, message_id: str, *, after_end: int = 0) -> list[Event]:
        """The events of a message to its end, and so many more."""
        events: list[Event] = []
        mine = EventFilter(message_ids=[message_id])
        for frame in self.frames(from_beginning=Empty(), filter=mine):
            events += frame.events
            if sum(event.message.end for event in events) > after_end:
                break
        return events

    def all_end(self, message_ids: Iterable[str]) -> None:
        """Wait until all of these have ended."""
        for message_id in message_ids:
            self.life(message_id)


def text_to(*numbers: str, **fields: Any) -> send_pb2.SendRequest:
    """A text to these numbers."""
    return send_pb2.SendRequest(
        recipients=[recipient_pb2.Recipient(phone_number=number) for number in numbers],
        content=content_pb2.Content(sms=content_pb2.SmsContent(text="Hello")),
        **fields,
    )


def facts(events: Iterable[Event]) -> list[str]:
    """What happened, in short."""
    return [MessageFact.Name(event.message.fact).removeprefix("MESSAGE_FACT_") for event in events]


def end_of(events: list[Event]) -> tuple[str, str]:
    """Where it ended, and why."""
    last = events[-1].message
    return (
        MessageStatus.Name(last.status).removeprefix("MESSAGE_STATUS_"),
        Reason.Name(last.reason).removeprefix("REASON_"),
    )


def in_seconds(seconds: float) -> Timestamp:
    """So long from now."""
    return moment(time.time() + seconds)


def moment(seconds: float) -> Timestamp:
    """A time in seconds since 1970."""
    stamp = Timestamp()
    stamp.FromMicroseconds(round(seconds * 1_000_000))
    return stamp


def refusal(error: Any) -> tuple[grpc.StatusCode, str]:
    """The code and our reason of a failed call."""
    return error.code(), error_info(error).reason


def error_info(error: Any) -> error_details_pb2.ErrorInfo:
    """The ErrorInfo that every refusal has."""
    status = rpc_status.from_call(error)
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    (packed,) = [each for each in status.details if each.Is(info.DESCRIPTOR)]
    packed.Unpack(info)
    assert "waypost" == info.domain
    return info


class Connected:
    """Opens clients, and closes their connections at the end of the test."""

    def __init__(self) -> None:
        self._channels: list[grpc.Channel] = []

    def __call__(self, broker: Any, key: str = "") -> Client:
        """A client with a connection of its own; with the admin key if no other is given."""
        self._channels.append(grpc.insecure_channel(broker.address, [("grpc.use_local_subchannel_pool", 1)]))
        return Client(self._channels[-1], key or broker.key)

    def close(self) -> None:
        """Close all."""
        for channel in self._channels:
            channel.close()


@pytest.fixture
def connect() -> Iterator[Connected]:
    """Opens clients."""
    connected = Connected()
    yield connected
    connected.close()


@pytest.fixture
def client(broker: Any, connect: Connected) -> Client:
    """Of the session's broker."""
    return connect(broker)


# I1: OK from Send means that it is on disk.


def test_i1_what_send_answered_survives_a_kill(broker_factory: Any, connect: Connected) -> None:
    """Killed right after the answer, the broker knows the message when it is back, and delivers it."""
    broker = broker_factory()
    message_id = connect(broker).send_one(ORDINARY)
    broker.kill()
    broker.restart()
    assert ("DELIVERED", "UNSPECIFIED") == end_of(connect(broker).life(message_id))


def test_i1_what_was_only_validated_is_not_stored(client: Client) -> None:
    """validate_only answers without an id, and no message comes of it."""
    (result,) = client.send(ORDINARY, validate_only=True)
    assert ("", "+447700904711") == (result.message_id, result.recipient)
    marker = client.send_one(ORDINARY)
    (newest, *_) = client.pages(page_size=1)[0]
    assert marker == newest.message_id


# I2: a request_id with the same payload gets the same answer, with another ALREADY_EXISTS.


def test_i2_a_repeated_request_gets_the_first_answer_also_after_a_restart(
    broker_factory: Any, connect: Connected
) -> None:
    """Byte for byte, and no second message comes of it."""
    broker = broker_factory()
    request = text_to(ORDINARY, REJECTED, "no number", request_id="once", tags=["a", "B"])
    first = connect(broker).send_raw(request)
    connect(broker).all_end(each.message_id for each in send_pb2.SendResponse.FromString(first).results)
    assert first == connect(broker).send_raw(request)
    broker.restart()
    client = connect(broker)
    assert first == client.send_raw(request)
    assert 3 == len(client.listed())


def test_i2_a_request_id_with_another_payload_already_exists(client: Client) -> None:
    """The caller is told which request_id it was; nothing is sent."""
    client.send(ORDINARY, request_id="i2-other")
    with pytest.raises(grpc.RpcError) as refused:
        client.send(ORDINARY, request_id="i2-other", data="changed")
    assert (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED") == refusal(refused.value)
    assert {"request_id": "i2-other"} == dict(error_info(refused.value).metadata)


def test_i2_one_request_sent_by_many_at_once_is_one_message(client: Client) -> None:
    """Callers that race with one request_id all get the same answer."""
    request = text_to(ORDINARY, request_id="i2-race")
    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(lambda _: client.send_raw(request), range(32)))
    assert 1 == len(answers)


def test_i2_a_refused_request_is_not_remembered(client: Client) -> None:
    """Its request_id is free for the corrected one."""
    with pytest.raises(grpc.RpcError) as refused:
        client.send(request_id="i2-corrected")
    assert (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST") == refusal(refused.value)
    assert client.send_one(ORDINARY, request_id="i2-corrected")


def test_i2_one_bad_request_of_a_frame_leaves_the_others_alone(client: Client) -> None:
    """Each request of a frame has its own answer, in order."""
    frame = send_pb2.SendStreamRequest(
        requests=[
            text_to(ORDINARY, request_id="i2-frame"),
            text_to(),
            text_to(ORDINARY, request_id="i2-frame"),
            text_to(ORDINARY, request_id="i2-frame", data="changed"),
        ]
    )
    stream = client.broker.SendStream(iter([frame]), metadata=client.metadata, timeout=CALL_S_MAX)
    ((first, bad, repeated, reused),) = [answer.responses for answer in stream]
    assert first.response.results[0].message_id
    assert first == repeated
    assert ["INVALID_REQUEST", "REQUEST_ID_REUSED"] == [bad.error.reason, reused.error.reason]


# I3: an attempt is recorded before the provider is called; one without an outcome is unknown, never tried again.


@pytest.mark.parametrize("guarantee", ["GUARANTEE_AT_LEAST_ONCE", "GUARANTEE_AT_MOST_ONCE"])
def test_i3_an_attempt_that_a_kill_cut_short_is_asked_about_and_not_repeated(
    broker_factory: Any, connect: Connected, guarantee: channel_pb2.Guarantee.ValueType
) -> None:
    """After the restart the provider tells that it had taken the message."""
    broker = broker_factory({**QUICK, "providers": SLOW_SANDBOX})
    client = connect(broker)
    message_id = client.send_one(ORDINARY, guarantee=guarantee)
    mine = EventFilter(message_ids=[message_id])
    assert ["ACCEPTED", "ATTEMPTED"] == facts(client.events_until(2, filter=mine))
    broker.kill()
    broker.restart()
    lived = connect(broker).life(message_id)
    assert ["ACCEPTED", "ATTEMPTED", "DOUBTED", "HANDED_OVER", "DELIVERED"] == facts(lived)
    assert [0, 1, 1, 1, 1] == [event.message.attempt for event in lived]


@pytest.mark.parametrize("guarantee", ["GUARANTEE_AT_LEAST_ONCE", "GUARANTEE_AT_MOST_ONCE"])
def test_i3_a_lost_answer_is_asked_about_and_the_message_not_sent_twice(
    client: Client, guarantee: channel_pb2.Guarantee.ValueType
) -> None:
    """Whatever the guarantee, since this provider can be asked."""
    lived = client.life(client.send_one(AMBIGUOUS, guarantee=guarantee))
    assert ["ACCEPTED", "ATTEMPTED", "DOUBTED", "HANDED_OVER", "DELIVERED"] == facts(lived)


def test_i3_what_was_surely_not_taken_is_tried_again(client: Client) -> None:
    """A refused attempt, then one that succeeds."""
    lived = client.life(client.send_one(RETRIED))
    expected = ["ACCEPTED", "ATTEMPTED", "DEFERRED", "ATTEMPTED", "HANDED_OVER", "DELIVERED"]
    assert expected == facts(lived)


# I4: a receipt that matches nothing yet is kept until it does.


def test_i4_a_receipt_before_the_submit_answer_is_not_lost(client: Client) -> None:
    """It waits for the answer that names the message."""
    lived = client.life(client.send_one(EARLY))
    assert ["ACCEPTED", "ATTEMPTED", "HANDED_OVER", "DELIVERED"] == facts(lived)


# I5: an end is final; late evidence is appended.


def test_i5_a_receipt_after_the_end_is_noted_and_changes_nothing(client: Client) -> None:
    """The provider reports DELIVERED twice; the second is a LATE_RECEIPT."""
    lived = client.life(client.send_one(TWICE), after_end=1)
    assert ["DELIVERED", "LATE_RECEIPT"] == facts(lived)[-2:]
    assert 1 == sum(
        event.message.status != event.message.previous_status for event in lived if event.message.end
    )
    assert ("DELIVERED", "UNSPECIFIED") == end_of(lived)


def test_i5_a_scheduled_message_can_be_cancelled_and_is_never_sent(client: Client) -> None:
    """When its time has come, its neighbour is sent and it is not."""
    kept, cancelled = client.send(ORDINARY, ORDINARY, schedule_time=in_seconds(3))
    for each in (kept, cancelled):
        assert "MESSAGE_STATUS_SCHEDULED" == MessageStatus.Name(each.status)
    assert "MESSAGE_STATUS_CANCELLED" == MessageStatus.Name(
        client.cancel(cancelled.message_id).message.status
    )
    assert ("DELIVERED", "UNSPECIFIED") == end_of(client.life(kept.message_id))
    lived = client.life(cancelled.message_id)
    assert ["SCHEDULED", "CANCELLED"] == facts(lived)
    assert ("CANCELLED", "CANCELLED_BY_SENDER") == end_of(lived)
    assert 2 == len(client.get(cancelled.message_id).timeline)


def test_i5_what_was_dispatched_or_has_ended_cannot_be_cancelled(client: Client) -> None:
    """FAILED_PRECONDITION, with the status that forbids it."""
    delivered, cancelled = client.send_one(ORDINARY), client.send_one(ORDINARY, schedule_time=in_seconds(60))
    client.life(delivered)
    client.cancel(cancelled)
    for message_id, status in ((delivered, "DELIVERED"), (cancelled, "CANCELLED")):
        with pytest.raises(grpc.RpcError) as refused:
            client.cancel(message_id)
        assert (grpc.StatusCode.FAILED_PRECONDITION, "MESSAGE_NOT_CANCELLABLE") == refusal(refused.value)
        assert status == error_info(refused.value).metadata["status"]


def test_i5_a_message_with_a_provider_cannot_be_cancelled(broker_factory: Any, connect: Connected) -> None:
    """Also while the provider has not answered yet."""
    client = connect(broker_factory({"providers": SLOW_SANDBOX}))
    message_id = client.send_one(ORDINARY)
    client.events_until(2, filter=EventFilter(message_ids=[message_id]))
    with pytest.raises(grpc.RpcError) as refused:
        client.cancel(message_id)
    assert (grpc.StatusCode.FAILED_PRECONDITION, "MESSAGE_NOT_CANCELLABLE") == refusal(refused.value)
    assert "DELIVERED" == end_of(client.life(message_id))[0]


# I6: nothing stays open past its validity.


def test_i6_what_no_provider_took_in_time_expires(broker_factory: Any, connect: Connected) -> None:
    """The provider is down for as long as the message is valid."""
    client = connect(broker_factory({"delivery": QUICK["delivery"] | {"attempts_max": 100}}))
    lived = client.life(client.send_one(DOWN, validity=Duration(seconds=2)))
    assert ("EXPIRED", "VALIDITY_PASSED") == end_of(lived)
    assert {"ACCEPTED", "ATTEMPTED", "DEFERRED", "LAPSED"} == set(facts(lived))


def test_i6_what_no_receipt_came_for_in_time_is_unknown(broker_factory: Any, connect: Connected) -> None:
    """It was handed over, so nobody may claim that it was not delivered."""
    client = connect(broker_factory(QUICK))
    lived = client.life(client.send_one(SILENT, validity=Duration(seconds=2)))
    assert ("UNKNOWN", "NO_RECEIPT") == end_of(lived)
    assert ["ACCEPTED", "ATTEMPTED", "HANDED_OVER", "LOST"] == facts(lived)


def test_i6_attempts_end_when_they_are_used_up(broker_factory: Any, connect: Connected) -> None:
    """As many attempts as the settings allow, then SENDING_FAILED."""
    client = connect(broker_factory({"delivery": QUICK["delivery"] | {"attempts_max": 3}}))
    lived = client.life(client.send_one(DOWN))
    assert ("SENDING_FAILED", "ATTEMPTS_EXHAUSTED") == end_of(lived)
    assert ["ACCEPTED", *["ATTEMPTED", "DEFERRED"] * 2, "ATTEMPTED", "EXHAUSTED"] == facts(lived)


def test_i6_validity_counts_from_the_schedule(client: Client) -> None:
    """A message is not sent before its time, and its validity begins there."""
    at = in_seconds(2)
    message_id = client.send_one(ORDINARY, schedule_time=at, validity=Duration(seconds=60))
    lived = client.life(message_id)
    assert ["SCHEDULED", "ATTEMPTED", "HANDED_OVER", "DELIVERED"] == facts(lived)
    assert at.ToMicroseconds() <= lived[1].time.ToMicroseconds()
    message = client.get(message_id).message
    assert (at, 60_000_000) == (
        message.transmit_time,
        message.expire_time.ToMicroseconds() - at.ToMicroseconds(),
    )


# I7: cursors have no gaps; a reader gets an error, never a silent loss.


def test_i7_each_cursor_resumes_right_after_its_frame(client: Client) -> None:
    """Whoever reconnects after any frame gets the rest, and nothing twice."""
    client.all_end(each.message_id for each in client.send(*[ORDINARY] * 20))
    count = 40
    read: list[Event] = []
    cursor = ""
    while len(read) < count:
        start: dict[str, Any] = {"after_cursor": cursor} if cursor else {"from_beginning": Empty()}
        frame = next(frame for frame in client.frames(**start) if frame.events)
        cursor = frame.cursor
        read += frame.events
    assert client.events_until(len(read))[: len(read)] == read
    assert list(range(1, len(read) + 1)) == [event.sequence for event in read]


def test_i7_a_cursor_that_is_none_is_invalid(client: Client, broker_factory: Any, connect: Connected) -> None:
    """Garbage, a damaged one, and another broker's."""
    ours = next(client.frames()).cursor
    foreign = next(connect(broker_factory()).frames()).cursor
    for cursor in ("garbage", "é", ours[:-4], "B" + ours[1:], foreign):
        with pytest.raises(grpc.RpcError) as refused:
            next(client.frames(after_cursor=cursor))
        assert (grpc.StatusCode.INVALID_ARGUMENT, "CURSOR_INVALID") == refusal(refused.value)


def test_i7_a_cursor_ahead_of_the_log_is_out_of_range(
    broker_factory: Any, connect: Connected, tmp_path: Path
) -> None:
    """As after a backup was restored: the reader has seen what the broker no longer knows."""
    broker = broker_factory()
    client = connect(broker)
    client.life(client.send_one(ORDINARY))
    assert 0 == broker.stop()
    shutil.copytree(broker.data_dir, tmp_path / "backup")
    broker.restart()
    client = connect(broker)
    client.life(client.send_one(ORDINARY))
    ahead = next(client.frames()).cursor
    assert 0 == broker.stop()
    shutil.rmtree(broker.data_dir)
    shutil.copytree(tmp_path / "backup", broker.data_dir)
    broker.restart()
    client = connect(broker)
    with pytest.raises(grpc.RpcError) as refused:
        next(client.frames(after_cursor=ahead))
    assert (grpc.StatusCode.OUT_OF_RANGE, "CURSOR_AHEAD") == refusal(refused.value)
    newest = error_info(refused.value).metadata["newest_cursor"]
    assert newest == next(client.frames(after_cursor=newest)).cursor


LABELLED: dict[str, Any] = {
    "client_reference": "i7-reference",
    "campaign": send_pb2.Campaign(id="i7-campaign", name="Seven"),
    "tags": ["I7-Tag", "other"],
    "data": "i7 data",
    "reply_to_message_id": format_id(7),
}


@pytest.mark.parametrize(
    "wanted",
    [
        {"client_references": ["i7-reference", "none"]},
        {"campaigns": ["i7-campaign"]},
        {"tags": ["nobody", "i7-tag"]},
        {"data": ["i7 data"]},
        {"reply_to_message_ids": [format_id(7)]},
        {"kinds": ["EVENT_KIND_MESSAGE"], "client_references": ["i7-reference"]},
    ],
    ids=lambda wanted: next(iter(wanted)),
)
def test_i7_each_filter_lets_its_messages_through_and_no_others(
    client: Client, wanted: dict[str, Any]
) -> None:
    """Of two messages, one with labels and one without, exactly the events of the labelled one come."""
    plain, labelled = client.send_one(ORDINARY), client.send_one(ORDINARY, **LABELLED)
    client.all_end([plain, labelled])
    expected = [entry.sequence for entry in client.get(labelled).timeline]
    seen: list[Event] = []
    for frame in client.frames(from_beginning=Empty(), filter=EventFilter(**wanted)):
        seen += frame.events
        if frame.events and frame.events[-1].sequence >= expected[-1]:
            break
    assert expected == [event.sequence for event in seen if event.message.message_id == labelled]
    assert plain not in {event.message.message_id for event in seen}


def test_i7_the_message_id_filter_lets_its_messages_through_and_no_others(client: Client) -> None:
    """Two of three."""
    first, _, third = client.send(*[ORDINARY] * 3)
    chosen = [first.message_id, third.message_id]
    events = client.events_until(8, filter=EventFilter(message_ids=chosen))
    assert 8 == len(events)
    assert set(chosen) == {event.message.message_id for event in events}


def test_i7_a_kind_that_there_is_none_of_gets_heartbeats_whose_cursor_moves_on(client: Client) -> None:
    """A reader whose filter lets nothing through still resumes near the head of the log."""
    frames = client.frames(filter=EventFilter(kinds=["EVENT_KIND_INBOUND"]))
    first = next(frames)
    message_id = client.send_one(ORDINARY)
    last = client.life(message_id)[-1].sequence
    moved = next(frame for frame in frames if frame.cursor != first.cursor)
    later = next(frames)
    assert [] == [*first.events, *moved.events, *later.events]
    marker = client.send_one(ORDINARY)
    after = next(frame for frame in client.frames(after_cursor=later.cursor) if frame.events)
    assert last < after.events[0].sequence
    assert marker == after.events[0].message.message_id


# I8: accounts are isolated.


@pytest.fixture
def two_accounts(broker_factory: Any, connect: Connected) -> tuple[Client, Client, Client, str]:
    """The default account's admin, another account's sender and its reader, and the default account's id."""
    broker = broker_factory()
    account = connect(broker).life(connect(broker).send_one(ORDINARY))[0].account_id
    assert 0 == broker.stop()
    secrets = {Role.SEND: f"wp_{format_id(8)}_sender", Role.READ: f"wp_{format_id(9)}_reader"}
    engine = SqliteEngine(broker.data_dir)
    connection = engine.connect()
    connection.write(lambda tx: create_accounts(tx, [NewAccount(5, "other", 0)]), [5])
    keys = [
        NewKey(number, 5, role, hash_secret(secret), 0)
        for number, (role, secret) in zip((8, 9), secrets.items(), strict=True)
    ]
    connection.write(lambda tx: create_keys(tx, keys), [5])
    connection.close()
    engine.close()
    broker.restart()
    return connect(broker), connect(broker, secrets[Role.SEND]), connect(broker, secrets[Role.READ]), account


def test_i8_anothers_message_is_as_unknown_as_none(two_accounts: tuple[Client, Client, Client, str]) -> None:
    """The very same refusal, whether it is there or not."""
    owner, other, _, _ = two_accounts
    message_id = owner.send_one(ORDINARY, schedule_time=in_seconds(60))
    for ask in (other.get, other.cancel):
        refusals = []
        for asked in (message_id, format_id(1)):
            with pytest.raises(grpc.RpcError) as refused:
                ask(asked)
            refusals.append((
                refused.value.code(),
                refused.value.details(),
                rpc_status.from_call(refused.value),
            ))
        assert grpc.StatusCode.NOT_FOUND == refusals[0][0]
        assert refusals[0] == refusals[1]
    assert [] == other.listed()
    assert "MESSAGE_STATUS_SCHEDULED" == MessageStatus.Name(owner.get(message_id).message.status)


def test_i8_each_account_has_its_own_log_and_request_ids(
    two_accounts: tuple[Client, Client, Client, str],
) -> None:
    """Sequences start at 1, request_ids do not collide, and a cursor is good for its account only."""
    owner, other, _, account = two_accounts
    owner.send(ORDINARY, request_id="same")
    own = other.send_one(REJECTED, request_id="same")
    events = other.life(own)
    assert [1, 2, 3] == [event.sequence for event in events]
    assert {own} == {event.message.message_id for event in other.events_until(3)}
    with pytest.raises(grpc.RpcError) as refused:
        next(other.frames(after_cursor=next(owner.frames()).cursor))
    assert (grpc.StatusCode.INVALID_ARGUMENT, "CURSOR_INVALID") == refusal(refused.value)
    for wanted in (account, format_id(6)):
        with pytest.raises(grpc.RpcError) as refused:
            other.send(ORDINARY, account_id=wanted)
        assert (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND") == refusal(refused.value)


def test_i8_a_key_opens_what_its_role_allows(
    two_accounts: tuple[Client, Client, Client, str], broker_factory: Any, connect: Connected
) -> None:
    """A reader may not send, and no key or a wrong one opens nothing."""
    _, other, reader, _ = two_accounts
    message_id = other.send_one(ORDINARY)
    assert message_id == reader.get(message_id).message.message_id
    with pytest.raises(grpc.RpcError) as refused:
        reader.send(ORDINARY)
    assert (grpc.StatusCode.PERMISSION_DENIED, "ROLE_INSUFFICIENT") == refusal(refused.value)
    other.metadata = [("authorization", f"Bearer wp_{format_id(8)}_guessed")]
    with pytest.raises(grpc.RpcError) as refused:
        other.get(message_id)
    assert (grpc.StatusCode.UNAUTHENTICATED, "KEY_INVALID") == refusal(refused.value)
    other.metadata = []
    with pytest.raises(grpc.RpcError) as refused:
        other.get(message_id)
    assert (grpc.StatusCode.UNAUTHENTICATED, "KEY_MISSING") == refusal(refused.value)


# I9: no body, secret or full address in the log.


def test_i9_nothing_that_a_caller_said_is_in_the_log_or_the_metrics(
    broker_factory: Any, connect: Connected
) -> None:
    """Not after deliveries, refusals, failures, a kill and a drain."""
    private = "Quetzalcoatl"
    broker = broker_factory({
        "delivery": QUICK["delivery"] | {"attempts_max": 2},
        "server": {"http_listen": "127.0.0.1:0"},
    })
    client = connect(broker)
    secret = broker.key.rpartition("_")[2]
    numbers = [ORDINARY, REJECTED, AMBIGUOUS, TWICE, DOWN]
    request = text_to(*numbers, f"+{private}", request_id=private, client_reference=private, data=private)
    request.content.sms.text = f"{private} speaks"
    request.content.email.MergeFrom(content_pb2.EmailContent(subject=private, text=private))
    request.recipients.add(email=f"{private}@example.org", client_reference=private)
    client.send_raw(request)
    client.send(ORDINARY, sender=private * 3)
    request.data += "!"
    for broken in (request, text_to(*numbers, provider=private), text_to(*numbers, data=private * 999)):
        with pytest.raises(grpc.RpcError):
            client.send_raw(broken)
    with pytest.raises(grpc.RpcError):
        connect(broker, f"{broker.key}{private}").get(private)
    client.all_end(client.listed())
    client.send(*numbers)
    broker.kill()
    broker.restart()
    connect(broker).all_end(connect(broker).listed())
    with urlopen(f"http://{broker.ready['http_address']}/metrics", timeout=CALL_S_MAX) as answer:
        metrics = answer.read().decode()
    assert 0 == broker.stop()
    log = broker.log.read_text()
    assert '"broker.ready"' in log
    assert "waypost" in metrics
    # The local part of an address and the last ten digits of a number are enough to know a person by.
    assert [] == [
        said for said in (private, secret, *(number[-10:] for number in numbers)) if said in log + metrics
    ]


# I10: everything has a limit, and who meets it is told.


def test_i10_one_subscriber_too_many_is_told_to_come_back(broker_factory: Any, connect: Connected) -> None:
    """RESOURCE_EXHAUSTED with a delay; when one has left, there is room again."""
    client = connect(broker_factory({"feed": {"subscribers_max": 2}}))
    staying, leaving = client.frames(), client.frames()
    next(staying)
    next(leaving)
    with pytest.raises(grpc.RpcError) as refused:
        next(client.frames())
    assert (grpc.StatusCode.RESOURCE_EXHAUSTED, "SUBSCRIBERS_FULL") == refusal(refused.value)
    retry = error_details_pb2.RetryInfo()
    status = rpc_status.from_call(refused.value)
    assert [True] == [each.Unpack(retry) for each in status.details if each.Is(retry.DESCRIPTOR)]
    assert retry.retry_delay.seconds
    leaving.close()
    assert next(frame for _ in range(100) for frame in _first_frame(client)).cursor


def _first_frame(client: Client) -> list[SubscribeResponse]:
    """The first frame; none while the broker has not noticed yet that somebody left."""
    try:
        return [next(client.frames())]
    except grpc.RpcError:
        time.sleep(0.05)
        return []


@pytest.mark.parametrize(
    "broken",
    [
        text_to(*[ORDINARY] * 101),
        text_to(ORDINARY, request_id="x" * 129),
        text_to(ORDINARY, data="x" * 2_049),
        text_to(ORDINARY, tags=[str(number) for number in range(11)]),
        text_to(ORDINARY, validity=Duration(seconds=7 * 86_400 + 1)),
        text_to(ORDINARY, schedule_time=moment(4_000_000_000)),
    ],
    ids=["recipients", "request_id", "data", "tags", "validity", "schedule_time"],
)
def test_i10_a_request_past_a_limit_is_refused_by_name(client: Client, broken: send_pb2.SendRequest) -> None:
    """INVALID_ARGUMENT, naming the field."""
    with pytest.raises(grpc.RpcError) as refused:
        client.send_raw(broken)
    assert (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST") == refusal(refused.value)
    assert refused.value.details().startswith((
        "recipients",
        "request_id",
        "data",
        "tags",
        "validity",
        "schedule",
    ))


# The life of the process: drain, one owner of the data, and lists.


class Streaming:
    """A caller in the middle of a SendStream: a frame of five after each answer."""

    def __init__(self, client: Client) -> None:
        self.accepted: list[str] = []
        self.under_way = threading.Event()
        self._client = client
        self._room = threading.Semaphore(4)
        self._over = False

    def run(self) -> Any:
        """How the stream ended."""
        client = self._client
        try:
            for answer in client.broker.SendStream(
                self._frames(), metadata=client.metadata, timeout=END_S_MAX
            ):
                self.accepted += [each.response.results[0].message_id for each in answer.responses]
                if len(self.accepted) >= 50:
                    self.under_way.set()
                self._room.release()
        except grpc.RpcError as error:
            return error
        finally:
            self._over = True
            self._room.release()
        return None

    def _frames(self) -> Iterator[send_pb2.SendStreamRequest]:
        while self._room.acquire() and not self._over:
            time.sleep(0.01)
            yield send_pb2.SendStreamRequest(requests=[text_to(ORDINARY)] * 5)


class Following:
    """A subscriber in the middle of its stream."""

    def __init__(self, client: Client) -> None:
        self.under_way = threading.Event()
        self._client = client

    def run(self) -> Any:
        """How the stream ended."""
        try:
            for _ in self._client.frames():
                self.under_way.set()
        except grpc.RpcError as error:
            return error
        return None


def test_a_drain_ends_streams_as_unavailable_and_keeps_what_was_accepted(
    broker_factory: Any, connect: Connected
) -> None:
    """SIGTERM lets open attempts settle; exit code 0; after a restart everything accepted is there and ends."""
    broker = broker_factory({**QUICK, "providers": SLOW_SANDBOX})
    streaming, following = Streaming(connect(broker)), Following(connect(broker))
    with ThreadPoolExecutor() as threads:
        ends = [threads.submit(each.run) for each in (streaming, following)]
        assert streaming.under_way.wait(CALL_S_MAX)
        assert following.under_way.wait(CALL_S_MAX)
        assert 0 == broker.stop()
        for end in ends:
            assert (grpc.StatusCode.UNAVAILABLE, "DRAINING") == refusal(end.result())
    broker.restart()
    client = connect(broker)
    accepted = streaming.accepted
    assert set() == set(accepted) - set(client.listed(page_size=1_000))
    lived = client.life(accepted[0])
    assert ["ACCEPTED", "ATTEMPTED", "HANDED_OVER", "DELIVERED"] == facts(lived)
    assert "DELIVERED" == end_of(client.life(accepted[-1]))[0]


def test_a_drain_waits_for_nobody_who_only_watches(broker_factory: Any, connect: Connected) -> None:
    """A health watch and an idle connection do not hold the broker up, however long a drain may take."""
    broker = broker_factory({"server": {"drain_s": 600.0}})
    idle = connect(broker)
    idle.send(ORDINARY)
    with grpc.insecure_channel(broker.address) as channel:
        watch = HealthStub(channel).Watch(HealthCheckRequest(), timeout=600)
        assert HealthCheckResponse.SERVING == next(watch).status
        assert 0 == broker.stop()


def test_a_second_broker_on_the_same_data_is_refused(broker: Any, client: Client) -> None:
    """It says why and exits; the first goes on."""
    second = subprocess.run(
        [
            sys.executable,
            *("-m", "broker", "serve", "--listen", "127.0.0.1:0", "--data-dir", str(broker.data_dir)),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 0 != second.returncode
    assert str(broker.data_dir) in second.stderr
    assert "Traceback" not in second.stderr
    assert client.send_one(ORDINARY)


def test_messages_are_listed_newest_first_page_by_page(broker_factory: Any, connect: Connected) -> None:
    """Every message once, in pages of the size that was asked for, and by status."""
    client = connect(broker_factory())
    sent = [client.send_one(number) for number in [ORDINARY, REJECTED] * 12]
    client.all_end(sent)
    pages = client.pages(page_size=10)
    assert sent[::-1] == [message.message_id for page in pages for message in page]
    assert [10, 10, 4] == [len(page) for page in pages if page]
    rejected = message_pb2.MessageFilter(statuses=["MESSAGE_STATUS_REJECTED"])
    assert sent[1::2][::-1] == client.listed(page_size=5, filter=rejected)
    token = client.messages.ListMessages(
        lookups.ListMessagesRequest(page_size=1), metadata=client.metadata, timeout=CALL_S_MAX
    ).next_page_token
    with pytest.raises(grpc.RpcError) as refused:
        client.listed(page_token=token, filter=rejected)
    assert (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST") == refusal(refused.value)


def test_messages_are_listed_by_the_time_they_were_accepted(broker_factory: Any, connect: Connected) -> None:
    """From a time on, and before a time, also for messages from before and after restarts."""
    broker = broker_factory()
    messages: list[message_pb2.Message] = []
    for _ in range(4):
        client = connect(broker)
        messages += [client.get(client.send_one(ORDINARY)).message for _ in range(2)]
        broker.restart()
    client = connect(broker)
    times = [message.accept_time.ToMicroseconds() for message in messages]
    assert all(earlier < later for earlier, later in pairwise(times))
    for time_us, message in zip(times, messages, strict=True):
        since = message_pb2.MessageFilter(start_time=message.accept_time)
        before = message_pb2.MessageFilter(end_time=message.accept_time)
        newest_first = messages[::-1]
        assert [
            each.message_id for each in newest_first if each.accept_time.ToMicroseconds() >= time_us
        ] == client.listed(filter=since)
        assert [
            each.message_id for each in newest_first if each.accept_time.ToMicroseconds() < time_us
        ] == client.listed(filter=before)
