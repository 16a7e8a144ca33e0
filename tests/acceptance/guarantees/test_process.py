"""The promises of docs/guarantees.md, kept by a real broker over its socket: I10, about limits, and the life of the process."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_status import rpc_status

from tests.acceptance.guarantees.caller import (
    CALL_S_MAX,
    END_S_MAX,
    ORDINARY,
    QUICK,
    REJECTED,
    SLOW_SANDBOX,
    Client,
    end_of,
    facts,
    moment,
    refusal,
    text_to,
)
from tests.acceptance.guarantees.conftest import Connected
from waypost.v1 import message_pb2, send_pb2
from waypost.v1 import message_service_pb2 as lookups
from waypost.v1.subscribe_pb2 import SubscribeResponse

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
