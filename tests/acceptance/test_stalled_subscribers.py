"""Subscribers that stop reading cost the broker next to nothing, and nobody else notices them."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import psutil
import pytest
from google.protobuf.empty_pb2 import Empty

from waypost.v1 import content_pb2, recipient_pb2, send_pb2, subscribe_pb2
from waypost.v1.broker_service_pb2_grpc import BrokerServiceStub

EVENTS_PER_MESSAGE = 4
"""ACCEPTED, ATTEMPTED, HANDED_OVER, DELIVERED."""

MESSAGES_PER_REQUEST = 50
MESSAGES_PER_FRAME = 500
FRAMES_AHEAD = 2
SETTLE_S_MAX = 300
MEBIBYTE = 1024 * 1024

# A process of its own, so that only the broker's memory is measured, and a connection for each subscriber,
# as with so many clients. Each reads the first frame, which comes at once, and never reads again.
STALLED = """
import sys

import grpc
from waypost.v1.broker_service_pb2_grpc import BrokerServiceStub
from waypost.v1.subscribe_pb2 import SubscribeRequest

address, key, count = sys.argv[1:]
options = [("grpc.use_local_subchannel_pool", 1)]
channels = [grpc.insecure_channel(address, options) for _ in range(int(count))]
metadata = [("authorization", "Bearer " + key)]
streams = [BrokerServiceStub(channel).Subscribe(SubscribeRequest(), metadata=metadata) for channel in channels]
for stream in streams:
    next(stream)
print("stalled", flush=True)
sys.stdin.readline()
print(sum(stream.is_active() for stream in streams), flush=True)
"""


class Stalled:
    """A process full of subscribers that do not read."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def still_open(self) -> int:
        """How many of the streams are open; the process ends with that answer."""
        told, _ = self._process.communicate("how many?\n", timeout=60)
        return int(told)


@contextmanager
def stalled_subscribers(broker: Any, count: int) -> Iterator[Stalled]:
    """So many subscribers that have stopped reading."""
    process = subprocess.Popen(
        [sys.executable, "-c", STALLED, broker.address, broker.key, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert "stalled" == process.stdout.readline().strip()
            yield Stalled(process)
        finally:
            process.kill()


class Reader:
    """Reads every event from the first, and remembers what came in which order."""

    def __init__(self, channel: grpc.Channel, metadata: Any, events_due: int) -> None:
        self.sequences: list[int] = []
        self.ended = 0
        self._events_due = events_due
        self._stream = BrokerServiceStub(channel).Subscribe(
            subscribe_pb2.SubscribeRequest(from_beginning=Empty()), metadata=metadata, timeout=SETTLE_S_MAX
        )
        self._first = next(self._stream)

    def read(self) -> None:
        """Read until all that is due was read."""
        for frame in self._stream:
            self.sequences += [event.sequence for event in frame.events]
            self.ended += sum(event.message.end for event in frame.events)
            if len(self.sequences) >= self._events_due:
                self._stream.cancel()
                return


def send_all(channel: grpc.Channel, metadata: Any, messages: int, watch: Any) -> None:
    """Send so many messages, a frame at a time, and call `watch` at each answer."""
    room = threading.Semaphore(FRAMES_AHEAD)

    def frames() -> Iterator[send_pb2.SendStreamRequest]:
        for start in range(0, messages, MESSAGES_PER_FRAME):
            room.acquire()
            yield frame_of(range(start, start + MESSAGES_PER_FRAME))

    for answer in BrokerServiceStub(channel).SendStream(frames(), metadata=metadata, timeout=SETTLE_S_MAX):
        assert all(each.WhichOneof("outcome") == "response" for each in answer.responses), answer
        room.release()
        watch()


def frame_of(numbers: range) -> send_pb2.SendStreamRequest:
    """A frame with a message to each of these numbers."""
    return send_pb2.SendStreamRequest(
        requests=[
            send_pb2.SendRequest(
                recipients=[
                    recipient_pb2.Recipient(phone_number=f"+4477{number % 10_000:04}5555")
                    for number in numbers[start : start + MESSAGES_PER_REQUEST]
                ],
                content=content_pb2.Content(sms=content_pb2.SmsContent(text="Hello")),
            )
            for start in range(0, len(numbers), MESSAGES_PER_REQUEST)
        ]
    )


def memory_grows(broker: Any, *, subscribers: int, events: int) -> int:
    """By how many bytes the broker's memory grows at most, while events pass that stalled subscribers do not read."""
    metadata = [("authorization", f"Bearer {broker.key}")]
    resident = psutil.Process(broker.process.pid).memory_info
    with (
        stalled_subscribers(broker, subscribers) as stalled,
        grpc.insecure_channel(broker.address) as channel,
    ):
        live, sleeper = Reader(channel, metadata, events), Reader(channel, metadata, events)
        reading = threading.Thread(target=live.read)
        before = resident().rss
        peaks = [before]

        def watch() -> None:
            peaks.append(resident().rss)

        reading.start()
        send_all(channel, metadata, events // EVENTS_PER_MESSAGE, watch)
        while reading.is_alive():
            reading.join(0.2)
            watch()
        every = list(range(1, events + 1))
        assert every == live.sequences
        assert events // EVENTS_PER_MESSAGE == live.ended
        # Who stalled and reads again gets all of it as well.
        sleeper.read()
        assert every == sleeper.sequences
        assert subscribers == stalled.still_open()
    return max(peaks) - before


def test_a_few_stalled_subscribers_cost_little_and_a_live_reader_misses_nothing(broker_factory: Any) -> None:
    """20 of them, while 4,000 events pass."""
    assert memory_grows(broker_factory(), subscribers=20, events=4_000) < 60 * MEBIBYTE


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_two_hundred_stalled_subscribers_cost_little_and_a_live_reader_misses_nothing(
    broker_factory: Any,
) -> None:
    """200 of them, while 100,000 events pass."""
    assert memory_grows(broker_factory(), subscribers=200, events=100_000) < 100 * MEBIBYTE
