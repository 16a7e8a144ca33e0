"""The promises of docs/guarantees.md, kept by a real broker over its socket: I3 to I6, about attempts, receipts and ends."""

from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from tests.acceptance.guarantees.caller import (
    AMBIGUOUS,
    DOWN,
    EARLY,
    ORDINARY,
    QUICK,
    RETRIED,
    SILENT,
    SLOW_SANDBOX,
    TWICE,
    Client,
    end_of,
    error_info,
    facts,
    in_seconds,
    refusal,
)
from tests.acceptance.guarantees.conftest import Connected
from waypost.v1 import channel_pb2
from waypost.v1.status_pb2 import MessageStatus
from waypost.v1.subscribe_pb2 import EventFilter

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
