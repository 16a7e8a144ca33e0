"""kill -9 in the middle of a broadcast, again and again: nobody is missing, and nobody is there twice."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import grpc
import pytest

from waypost.v1 import broadcast_pb2, broadcast_service_pb2, event_pb2, status_pb2, subscribe_pb2
from waypost.v1.broadcast_service_pb2_grpc import BroadcastServiceStub
from waypost.v1.broker_service_pb2_grpc import BrokerServiceStub

SEED = 48
ENDS_S_MAX = 120.0
SETTINGS = {
    "delivery": {"doubt_first_s": 0.2, "question_cap_s": 1.0, "receipt_overdue_s": 1.0},
    "broadcasts": {"batch_max": 50, "ahead_max": 200},
    "providers": {"sandbox": {"type": "sandbox", "latency_s": 0.01, "receipt_delay_s": 0.05}},
}
COMPLETED = broadcast_pb2.BROADCAST_STATE_COMPLETED


def numbers(count: int) -> list[str]:
    """Recipients who all get theirs."""
    return [f"+49151{at:07d}5" for at in range(count)]


def metadata(broker: Any) -> Sequence[tuple[str, str]]:
    """What each call carries."""
    return (("authorization", f"Bearer {broker.key}"),)


def state_of(broker: Any, channel: grpc.Channel, broadcast_id: str) -> broadcast_pb2.Broadcast:
    """The broadcast as it is."""
    request = broadcast_service_pb2.GetBroadcastRequest(broadcast_id=broadcast_id)
    return (
        BroadcastServiceStub(channel).GetBroadcast(request, metadata=metadata(broker), timeout=20).broadcast
    )


def begun_events(
    broker: Any, channel: grpc.Channel, broadcast_id: str, count: int
) -> list[event_pb2.MessageEvent]:
    """The event with which each message of the broadcast begins, from the whole log."""
    request = subscribe_pb2.SubscribeRequest(filter={"broadcast_ids": [broadcast_id], "kinds": [1]})
    request.from_beginning.SetInParent()
    found: list[event_pb2.MessageEvent] = []
    ended = 0
    stream = BrokerServiceStub(channel).Subscribe(request, metadata=metadata(broker), timeout=60)
    for frame in stream:
        for event in frame.events:
            if event.message.previous_status == status_pb2.MESSAGE_STATUS_UNSPECIFIED:
                found.append(event.message)
            ended += event.message.end and event.message.fact != status_pb2.MESSAGE_FACT_LATE_RECEIPT
        if ended >= count:
            break
    stream.cancel()
    return found


def completed_after_kills(crash_broker: Callable[..., Any], recipients: int, kills: int) -> None:
    """Play it."""
    chance = random.Random(SEED)
    broker = crash_broker(**SETTINGS)
    broker.start()
    wanted = numbers(recipients)
    with grpc.insecure_channel(broker.address) as channel:
        request = broadcast_pb2.BroadcastRequest(
            request_id="once",
            audience={"recipients": [{"phone_number": each} for each in wanted]},
            content={"sms": {"text": "hello"}},
        )
        made = BrokerServiceStub(channel).Broadcast(request, metadata=metadata(broker), timeout=20).broadcast
    for _ in range(kills):
        time.sleep(0.1 + 0.4 * chance.random())
        broker.kill()
        broker.start()
    with grpc.insecure_channel(broker.address) as channel:
        again = BrokerServiceStub(channel).Broadcast(request, metadata=metadata(broker), timeout=20).broadcast
        assert made.broadcast_id == again.broadcast_id
        until = time.monotonic() + ENDS_S_MAX
        while (now := state_of(broker, channel, made.broadcast_id)).state != COMPLETED:
            assert time.monotonic() < until, now
            time.sleep(0.2)
        begun = begun_events(broker, channel, made.broadcast_id, recipients)
    assert Counter(wanted) == Counter(each.recipient for each in begun)
    assert (recipients, 0, recipients) == (now.accepted, now.refused, now.sent)
    assert now.delivered + now.failed == recipients
    assert broker.stop() == 0


def test_a_killed_broadcast_reaches_everybody_once(crash_broker: Callable[..., Any]) -> None:
    """Three kills while it is gathered, expanded and handed over."""
    completed_after_kills(crash_broker, recipients=1_500, kills=3)


@pytest.mark.soak
def test_a_large_broadcast_survives_many_kills(crash_broker: Callable[..., Any]) -> None:
    """As many recipients as a request may name."""
    completed_after_kills(crash_broker, recipients=10_000, kills=10)
