"""kill -9 while a broadcast is handed over to Ogangi: it is there once or not at all, and what nobody can tell is said.

The broker is a process and Ogangi a server on a socket. Ogangi tells a broadcast by its own id alone, so after a lost
answer nobody can say whether it has it.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from broker.testing.upstream import Answer, Hang, Hold, Late, Request, Say, Upstream
from waypost.v1 import broadcast_pb2, broadcast_service_pb2, event_pb2, subscribe_pb2
from waypost.v1.broadcast_service_pb2_grpc import BroadcastServiceStub
from waypost.v1.broker_service_pb2_grpc import BrokerServiceStub
from waypost_ogangi.fake import FakeOgangi
from waypost_ogangi.settings import OgangiSettings

SEED = 52
BROADCASTS_A_KILL = 4
ENDS_S_MAX = 60.0
ADA, GRACE = "+18133210984", "+13056708084"
CREATE = "createBroadcastFromJson"
UNKNOWN, COMPLETED = broadcast_pb2.BROADCAST_STATE_UNKNOWN, broadcast_pb2.BROADCAST_STATE_COMPLETED
IN_DOUBT = "nobody can tell whether ogangi took it; it is not handed over again"
TABLE = {
    "instance_id": "1234",
    "user_name": "ada",
    "public_key": "public-key-4711",
    "private_key": "private-key-0815",
}
QUICK = {
    "delivery": {"submit_timeout_s": 1.5, "lease_s": 3.0, "doubt_first_s": 0.05},
    "broadcasts": {"upstream_poll_s": 0.2},
}


def creates(name: str) -> Callable[[Request], bool]:
    """Whether a request hands over the broadcast of this name."""
    return lambda request: CREATE in request.path and f"/{name}/" in request.path


class Ogangi:
    """A server that knows what it was asked to create, and how often, whatever became of that."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.fake = FakeOgangi(OgangiSettings.model_validate({"base_url": upstream.url, **TABLE}))
        upstream.answer = self.fake

    @property
    def asked(self) -> Counter[str]:
        """How often each broadcast was handed over, by its name; the calls that it never looked at as well."""
        found = [each.path.split("/") for each in self.upstream.requests if CREATE in each.path]
        return Counter(path[path.index(CREATE) + 6] for path in found)

    @property
    def has(self) -> Counter[str]:
        """How many broadcasts of each name it has."""
        return Counter(each.name for each in list(self.fake.campaigns.by_id.values()))

    def arrived(self, *names: str) -> None:
        """Wait until it was asked to create these."""
        until = time.monotonic() + ENDS_S_MAX
        while not self.asked.keys() >= set(names):
            assert time.monotonic() < until, self.asked
            time.sleep(0.002)


@pytest.fixture
def ogangi() -> Iterator[Ogangi]:
    """It runs as long as the test, whatever becomes of brokers."""
    with Upstream() as upstream:
        yield Ogangi(upstream)
        assert [] == upstream.defects


class Calls:
    """What is asked of the process that runs now."""

    def __init__(self, broker: Any, channel: grpc.Channel) -> None:
        self._metadata = [("authorization", f"Bearer {broker.key}")]
        self._broker = BrokerServiceStub(channel)
        self._broadcasts = BroadcastServiceStub(channel)

    def make(self, name: str) -> str:
        """Ask for a broadcast to two people; its id. The same name is the same request."""
        request = broadcast_pb2.BroadcastRequest(
            request_id=name,
            name=name,
            audience={"recipients": [{"phone_number": each} for each in (ADA, GRACE, ADA)]},
            content={"sms": {"text": "Your table is ready"}},
            upstream_provider="ogangi",
        )
        made = self._broker.Broadcast(request, metadata=self._metadata, timeout=20)
        return made.broadcast.broadcast_id

    def get(self, broadcast_id: str) -> broadcast_pb2.Broadcast:
        """As it is."""
        request = broadcast_service_pb2.GetBroadcastRequest(broadcast_id=broadcast_id)
        return self._broadcasts.GetBroadcast(request, metadata=self._metadata, timeout=20).broadcast

    def ended(self, broadcast_id: str) -> broadcast_pb2.Broadcast:
        """As it is once it has ended, or nobody can tell."""
        until = time.monotonic() + ENDS_S_MAX
        while (now := self.get(broadcast_id)).state not in {UNKNOWN, COMPLETED}:
            assert time.monotonic() < until, now
            time.sleep(0.05)
        return now

    def waits(self, broadcast_id: str) -> None:
        """Wait until it is on record that Ogangi did not take it: from then on it is the broker's own again.

        As long as Ogangi may have it, to resume it is UNAVAILABLE; what runs here cannot be resumed.
        """
        request = broadcast_service_pb2.ResumeBroadcastRequest(broadcast_id=broadcast_id)
        until = time.monotonic() + ENDS_S_MAX
        while time.monotonic() < until:
            with pytest.raises(grpc.RpcError) as refused:
                self._broadcasts.ResumeBroadcast(request, metadata=self._metadata, timeout=20)
            if refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION:
                return
            time.sleep(0.01)
        raise AssertionError("nobody noted what Ogangi answered")

    def told(self, *broadcast_ids: str) -> dict[str, broadcast_pb2.BroadcastState.ValueType]:
        """Where the log says that these stand at last: its events up to the end of each."""
        request = subscribe_pb2.SubscribeRequest(
            filter={"broadcast_ids": broadcast_ids, "kinds": [event_pb2.EVENT_KIND_BROADCAST]}
        )
        request.from_beginning.SetInParent()
        stream = self._broker.Subscribe(request, metadata=self._metadata, timeout=20)
        last: dict[str, broadcast_pb2.BroadcastState.ValueType] = {}
        for frame in stream:
            now = [each.broadcast.broadcast for each in frame.events]
            last |= {each.broadcast_id: each.state for each in now}
            if set(last) == set(broadcast_ids) and set(last.values()) <= {UNKNOWN, COMPLETED}:
                break
        stream.cancel()
        return last


@contextmanager
def calling(broker: Any) -> Iterator[Calls]:
    """Calls to the process that runs now."""
    with grpc.insecure_channel(broker.address) as channel:
        yield Calls(broker, channel)


@pytest.fixture
def broker(crash_broker: Callable[..., Any], ogangi: Ogangi) -> Any:
    """A process whose only provider is Ogangi."""
    table = {"type": "ogangi", "base_url": ogangi.upstream.url, **TABLE}
    made = crash_broker(**QUICK, providers={"ogangi": table})
    made.start()
    return made


def test_a_kill_in_the_call_hands_nothing_over_again_and_says_that_nobody_can_tell(
    broker: Any, ogangi: Ogangi
) -> None:
    """Of one that Ogangi took, whose answer was lost, and of one that it never looked at. So it stays.

    One that it surely did not take is handed over by the next process.
    """
    hold = Hold(seconds_max=ENDS_S_MAX)
    ogangi.upstream.fail(hold, when=creates("taken"))
    ogangi.upstream.fail(Hang(), when=creates("lost"))
    ogangi.upstream.fail(Say(Answer(429, headers={"retry-after": "6"})), when=creates("later"))
    with calling(broker) as calls:
        later = calls.make("later")
        ogangi.arrived("later")
        calls.waits(later)
        made = [calls.make(name) for name in ("taken", "lost")]
        ogangi.arrived("taken", "lost")
    broker.kill()
    hold.release.set()
    broker.start()
    with calling(broker) as calls:
        assert made == [calls.make(name) for name in ("taken", "lost")]
        for each in map(calls.ended, made):
            assert (UNKNOWN, IN_DOUBT, "") == (each.state, each.detail, each.upstream_id)
            assert (2, 1, 0) == (each.expected, each.duplicates, each.accepted)
        now = calls.ended(later)
        assert (COMPLETED, 2, 2) == (now.state, now.accepted, now.sent)
        assert {**dict.fromkeys(made, UNKNOWN), later: COMPLETED} == calls.told(later, *made)
    broker.kill()
    broker.start()
    with calling(broker) as calls:
        assert COMPLETED == calls.ended(calls.make("after")).state
        assert [UNKNOWN] * 2 == [calls.get(each).state for each in made]
    assert {"taken": 1, "lost": 1, "later": 2, "after": 1} == ogangi.asked
    assert {"taken": 1, "later": 1, "after": 1} == ogangi.has
    assert 0 == broker.stop()


def once_or_in_doubt_after_kills(broker: Any, ogangi: Ogangi, kills: int) -> None:
    """Play it."""
    chance = random.Random(SEED)
    ogangi.upstream.fail(Late(0.05), times=None)
    ogangi.fake.campaigns.sent_per_look = 1
    made: dict[str, str] = {}
    for kill in range(kills):
        with calling(broker) as calls:
            for number in range(BROADCASTS_A_KILL):
                name = f"{kill}-{number}"
                made[name] = calls.make(name)
        time.sleep(0.3 * chance.random())
        broker.kill()
        broker.start()
    with calling(broker) as calls:
        ended = {name: calls.ended(each) for name, each in made.items()}
        told = calls.told(*made.values())
    assert set(ogangi.asked.values()) == {1}, "no call was made twice"
    by_id = dict(ogangi.fake.campaigns.by_id)
    for name, now in ended.items():
        assert now.state == told[now.broadcast_id]
        if now.state == UNKNOWN:
            assert (IN_DOUBT, 0) == (now.detail, now.accepted)
            assert ogangi.has[name] <= 1
            continue
        campaign = by_id[now.upstream_id]
        assert (name, 1, 2, 2) == (campaign.name, ogangi.has[name], now.accepted, now.sent)
        assert [ADA[1:], GRACE[1:]] == [each["to"] for each in campaign.recipients]
    assert COMPLETED in {each.state for each in ended.values()}
    assert 0 == broker.stop()


def test_whenever_it_is_killed_each_broadcast_is_there_once_or_said_to_be_in_doubt(
    broker: Any, ogangi: Ogangi
) -> None:
    """Before the call, in it, between the answer and its record, and while Ogangi sends."""
    once_or_in_doubt_after_kills(broker, ogangi, kills=2)


@pytest.mark.soak
def test_however_often_it_is_killed_each_broadcast_is_there_once_or_said_to_be_in_doubt(
    broker: Any, ogangi: Ogangi
) -> None:
    """Many moments."""
    once_or_in_doubt_after_kills(broker, ogangi, kills=20)
