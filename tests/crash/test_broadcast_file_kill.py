"""kill -9 from the upload of a file to the last delivery: all of its recipients get one message, and one end."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw
import grpc
import pytest

from waypost.v1 import broadcast_pb2
from waypost.v1 import broadcast_service_pb2 as pb
from waypost.v1.broadcast_service_pb2_grpc import BroadcastServiceStub
from waypost.v1.broker_service_pb2_grpc import BrokerServiceStub

COMPLETED = broadcast_pb2.BROADCAST_STATE_COMPLETED
KILLED_AT = (0.0, 0.2, 0.5, 0.8)
"""How much of the audience has messages when the process is killed; before, once in the middle of the upload."""

CHUNK_LINES = 10_000
SETTINGS = {
    "delivery": {"doubt_first_s": 0.2, "question_cap_s": 1.0, "receipt_overdue_s": 2.0},
    "providers": {"sandbox": {"type": "sandbox"}},
}
MEMORY_KB_MAX = 400_000
IN_FLIGHT_MAX = 5_000
"""`delivery.in_flight_max`: so many messages are with the sandbox, which is killed as well, at a kill."""


def number(at: int) -> str:
    """A recipient who gets theirs."""
    return f"+49151{at:07d}5"


def chunks(lines: int) -> Iterator[bytes]:
    """The file."""
    yield b"phone,name\n"
    for start in range(0, lines, CHUNK_LINES):
        some = range(start, min(start + CHUNK_LINES, lines))
        yield "".join(f"{number(at)},Name {at}\n" for at in some).encode()


class Sender:
    """Who sends a broadcast to a file, while the broker dies under it."""

    def __init__(self, broker: Any, recipients: int) -> None:
        self.broker = broker
        self.recipients = recipients
        self.memory_kb: list[int] = []

    def look_at_memory(self) -> None:
        """Note the most that the process had so far."""
        status = Path(f"/proc/{self.broker.pid}/status").read_text(encoding="ascii")
        self.memory_kb += [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]

    def kill(self) -> None:
        """Kill the broker, and start it again."""
        self.look_at_memory()
        self.broker.kill()
        self.broker.start()

    def upload(self, *, killed: bool) -> str | None:
        """Upload the file; None where the broker was killed halfway."""
        halfway = threading.Event()

        def parts() -> Iterator[pb.UploadAudienceRequest]:
            yield pb.UploadAudienceRequest(file=pb.AudienceFile())
            for at, chunk in enumerate(chunks(self.recipients)):
                if killed and at * CHUNK_LINES * 2 > self.recipients:
                    halfway.set()
                yield pb.UploadAudienceRequest(chunk=chunk)

        with grpc.insecure_channel(self.broker.address) as channel:
            call = BroadcastServiceStub(channel).UploadAudience
            if not killed:
                answer = call(parts(), metadata=self._metadata, timeout=600)
                assert (self.recipients, 0, True) == (answer.rows, answer.refused_rows, answer.usable)
                upload_id: str = answer.upload_id
                return upload_id
            answered = call.future(parts(), metadata=self._metadata, timeout=600)
            assert halfway.wait(60)
            self.kill()
            assert isinstance(answered.exception(60), grpc.RpcError)
            return None

    def begin(self, upload_id: str | None) -> broadcast_pb2.Broadcast:
        """Make the broadcast, or be told of it again."""
        request = broadcast_pb2.BroadcastRequest(
            request_id="once",
            audience=broadcast_pb2.Audience(upload_id=upload_id or ""),
            content={"sms": {"text": "Hi $name$"}},
        )
        with grpc.insecure_channel(self.broker.address) as channel:
            answer = BrokerServiceStub(channel).Broadcast(request, metadata=self._metadata, timeout=60)
        return answer.broadcast

    def wait(
        self, broadcast_id: str, until: float, enough: Callable[[broadcast_pb2.Broadcast], bool]
    ) -> broadcast_pb2.Broadcast:
        """Look at the broadcast until it is far enough."""
        look = pb.GetBroadcastRequest(broadcast_id=broadcast_id)
        with grpc.insecure_channel(self.broker.address) as channel:
            stub = BroadcastServiceStub(channel)
            while True:
                now: broadcast_pb2.Broadcast = stub.GetBroadcast(
                    look, metadata=self._metadata, timeout=60
                ).broadcast
                if enough(now):
                    return now
                assert time.monotonic() < until, now
                time.sleep(0.05)

    @property
    def _metadata(self) -> Sequence[tuple[str, str]]:
        return (("authorization", f"Bearer {self.broker.key}"),)


def stored(data_dir: Path, statement: str) -> Iterator[tuple[Any, ...]]:
    """What a store that nobody serves has."""
    connection = apsw.Connection(str(data_dir / "waypost.db"))
    yield from connection.execute(statement)
    connection.close()


def check_everybody_has_one_message(data_dir: Path, recipients: int) -> None:
    """Nobody is missing, and nobody is there twice."""
    counts = bytearray(recipients)
    for (recipient,) in stored(data_dir, "SELECT recipient FROM messages"):
        counts[int(recipient.removeprefix("+49151")[:-1])] += 1
    assert Counter({1: recipients}) == Counter(counts)


def check_each_message_ended_once(data_dir: Path, recipients: int) -> None:
    """By its events: one that begins it, and one that ends it."""
    begun, ended = "previous_state IS NULL", "state IN (5, 6, 7, 8, 9, 10, 12) AND previous_state <> state"
    for which in (begun, ended):
        counted = f"SELECT count(*), count(DISTINCT message_id) FROM events WHERE kind = 1 AND {which}"
        assert [(recipients, recipients)] == list(stored(data_dir, counted))


def killed_from_the_file_to_the_end(broker: Any, recipients: int, seconds_max: float) -> Sender:
    """Play it."""
    until = time.monotonic() + seconds_max
    sender = Sender(broker, recipients)
    broker.start()
    assert sender.upload(killed=True) is None
    made = sender.begin(sender.upload(killed=False))
    for share in KILLED_AT:
        sender.wait(made.broadcast_id, until, lambda now, least=share * recipients: now.accepted >= least)
        sender.kill()
    ended = sender.wait(made.broadcast_id, until, lambda now: now.state == COMPLETED)
    assert (recipients, recipients, 0) == (ended.expected, ended.accepted, ended.refused)
    assert recipients == ended.sent == ended.delivered + ended.failed
    assert ended.failed <= IN_FLIGHT_MAX * (1 + len(KILLED_AT))
    sender.look_at_memory()
    assert broker.stop() == 0
    check_everybody_has_one_message(broker.data_dir, recipients)
    check_each_message_ended_once(broker.data_dir, recipients)
    assert max(sender.memory_kb) < MEMORY_KB_MAX
    return sender


def test_a_file_is_sent_to_once_however_often_the_broker_is_killed(crash_broker: Callable[..., Any]) -> None:
    """Five kills: while it comes in, when it begins, and three times while it is sent."""
    killed_from_the_file_to_the_end(crash_broker(**SETTINGS), recipients=2_000, seconds_max=120.0)


@pytest.mark.soak
@pytest.mark.timeout(2_700)
def test_a_million_recipients_survive_five_kills(crash_broker: Callable[..., Any]) -> None:
    """The same with a million: some ten minutes on an idle machine. Memory stays below 400 MB."""
    began = time.monotonic()
    sender = killed_from_the_file_to_the_end(crash_broker(**SETTINGS), 1_000_000, seconds_max=2_400.0)
    seconds = time.monotonic() - began
    print(f"\na million in {seconds:.0f} s, {max(sender.memory_kb) // 1_000} MB at most")
