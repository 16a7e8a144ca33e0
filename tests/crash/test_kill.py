"""kill -9 under load, again and again: what was acknowledged is there, and ends, once.

A test plays rounds. In each one a broker starts on the same data, callers send and followers read, and
at a moment that a seed chooses the process is killed. A caller whose answer was lost in the kill repeats
its request in the next round, as a careful client would. After the last round everything is compared
with the broker's own log of events.
"""

import itertools
import random
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from broker.testing.postgres_server import PostgresServer
from waypost.v1 import channel_pb2, content_pb2, event_pb2, recipient_pb2, send_pb2, status_pb2, subscribe_pb2
from waypost.v1.broker_service_pb2_grpc import BrokerServiceStub
from waypost.v1.message_service_pb2 import GetMessageRequest
from waypost.v1.message_service_pb2_grpc import MessageServiceStub

SEED = 20_211
SETTINGS = {
    "delivery": {
        "retry_base_s": 0.2,
        "retry_cap_s": 1.0,
        "receipt_overdue_s": 1.0,
        "doubt_first_s": 0.2,
        "question_cap_s": 1.0,
    },
    # Slow enough that there are always attempts without an outcome, and receipts on their way, to be killed.
    "providers": {
        "sandbox": {"type": "sandbox", "latency_s": 0.02, "jitter_s": 0.06, "receipt_delay_s": 0.1}
    },
}
UNARY_CALLERS = 3
STREAM_CALLERS = 2
FRAME_REQUESTS = 12
FRAMES_AHEAD = 3
ACKNOWLEDGED_PER_ROUND_MAX = 500
LOST_IN_START_SHARE = 0.2
ENDS_S_MAX = 60
TAG = "followed"

DELIVERED, REJECTED = status_pb2.MESSAGE_STATUS_DELIVERED, status_pb2.MESSAGE_STATUS_REJECTED
ENDS_BY_NUMBER = {
    "0000": DELIVERED,
    "0001": REJECTED,
    "0002": status_pb2.MESSAGE_STATUS_DELIVERY_FAILED,
    "0003": DELIVERED,
    "0004": DELIVERED,
    "0006": DELIVERED,
    "0007": DELIVERED,
    "4711": DELIVERED,
}
NO_NUMBER = "not a number"

# One letter for each fact of a message that was not refused at once, in the order of its events.
LETTERS = {
    status_pb2.MESSAGE_FACT_ACCEPTED: "n",
    status_pb2.MESSAGE_FACT_ATTEMPTED: "a",
    status_pb2.MESSAGE_FACT_DOUBTED: "?",
    status_pb2.MESSAGE_FACT_DEFERRED: "d",
    status_pb2.MESSAGE_FACT_HANDED_OVER: "h",
    status_pb2.MESSAGE_FACT_REFUSED_UPSTREAM: "r",
    status_pb2.MESSAGE_FACT_DELIVERED: "+",
    status_pb2.MESSAGE_FACT_UNDELIVERED: "-",
    status_pb2.MESSAGE_FACT_LATE_RECEIPT: "l",
}
# Each attempt has one outcome, before which it may have been in doubt; only what surely was not taken is
# tried again; what was taken is handed over once and ends once, and what is said after that changes nothing.
ONE_LIFE = re.compile(r"n(a\??d)*a\??(r|h[+-]l*)")

Event = event_pb2.Event


@dataclass
class Request:
    """What a caller sent under one request_id, and the bytes of the first answer that it got."""

    request: send_pb2.SendRequest
    repeated: bool = False
    answer: bytes = b""

    @property
    def numbers(self) -> list[str]:
        """The recipients."""
        return [recipient.phone_number for recipient in self.request.recipients]


@dataclass
class Frame:
    """The same for a frame of requests."""

    requests: list[Request]
    repeated: bool = False
    answer: bytes = b""

    @property
    def message(self) -> send_pb2.SendStreamRequest:
        """As it goes over the wire."""
        return send_pb2.SendStreamRequest(requests=[each.request for each in self.requests])


@dataclass
class Round:
    """One life of the broker, as its callers see it."""

    address: str
    key: str
    acknowledged_max: int
    over: threading.Event = field(default_factory=threading.Event)
    _acknowledged: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def acknowledge(self, count: int) -> None:
        """So many requests were answered; enough of them end the round."""
        for _ in range(count):
            if next(self._acknowledged) >= self.acknowledged_max:
                self.over.set()

    @property
    def metadata(self) -> list[tuple[str, str]]:
        """What every call carries."""
        return [("authorization", f"Bearer {self.key}")]


@dataclass
class Caller:
    """Sends one thing after the other; what has no answer yet is repeated before anything new."""

    name: str
    chance: random.Random
    numbering: Iterator[int] = field(default_factory=itertools.count)
    unanswered: list[Any] = field(default_factory=list)
    answered: list[Any] = field(default_factory=list)

    def next_request(self) -> Request:
        """A request that nobody made before."""
        chance = self.chance
        name = f"{self.name}-{next(self.numbering)}"
        endings = chance.choices(list(ENDS_BY_NUMBER), k=chance.randint(1, 3))
        numbers = [f"+4477{chance.randrange(10_000):04}{ending}" for ending in endings]
        if chance.random() < 0.05:
            numbers.append(NO_NUMBER)
        return Request(
            send_pb2.SendRequest(
                request_id=name,
                client_reference=name,
                recipients=[recipient_pb2.Recipient(phone_number=number) for number in numbers],
                content=content_pb2.Content(sms=content_pb2.SmsContent(text=f"Hello from {name}")),
                guarantee=chance.choice(channel_pb2.Guarantee.values()),
                traffic=chance.choice(channel_pb2.Traffic.values()),
                tags=[TAG] if chance.random() < 0.3 else [],
            )
        )

    def next_frame(self) -> Frame:
        """A frame of requests that nobody made before."""
        return Frame([self.next_request() for _ in range(FRAME_REQUESTS)])


def send_one_by_one(caller: Caller, now: Round) -> None:
    """Call Send until the round is over or the broker gone."""
    with grpc.insecure_channel(now.address) as channel:
        send = raw_send(channel)
        while not now.over.is_set():
            if not caller.unanswered:
                caller.unanswered.append(caller.next_request())
            request = caller.unanswered[0]
            try:
                request.answer = send(request.request, metadata=now.metadata, timeout=30)
            except grpc.RpcError as error:
                expect_a_kill(error)
                request.repeated = True
                return
            caller.answered.append(caller.unanswered.pop(0))
            now.acknowledge(1)


def send_in_frames(caller: Caller, now: Round) -> None:
    """Keep a few frames ahead of the answers, until the round is over or the broker gone."""
    room = threading.Semaphore(FRAMES_AHEAD)

    def frames() -> Iterator[send_pb2.SendStreamRequest]:
        for frame in caller.unanswered[:]:
            room.acquire()
            yield frame.message
        while room.acquire() and not now.over.is_set():
            caller.unanswered.append(caller.next_frame())
            yield caller.unanswered[-1].message

    with grpc.insecure_channel(now.address) as channel:
        try:
            for answer in raw_send_stream(channel)(frames(), metadata=now.metadata, timeout=60):
                caller.unanswered[0].answer = answer
                caller.answered.append(caller.unanswered.pop(0))
                now.acknowledge(FRAME_REQUESTS)
                room.release()
        except grpc.RpcError as error:
            expect_a_kill(error)
            for frame in caller.unanswered:
                frame.repeated = True
        finally:
            now.over.set()
            room.release()


@dataclass
class Follower:
    """Reads events, and goes on after the last frame that it got."""

    event_filter: subscribe_pb2.EventFilter
    cursor: str = ""
    events: list[Event] = field(default_factory=list)

    def follow(self, now: Round, *, enough: Callable[[], bool] = lambda: False) -> None:
        """Read until the broker is gone, or there is enough, or ENDS_S_MAX have passed."""
        request = subscribe_pb2.SubscribeRequest(filter=self.event_filter)
        request.heartbeat_interval.FromSeconds(1)
        if self.cursor:
            request.after_cursor = self.cursor
        else:
            request.from_beginning.CopyFrom(Empty())
        with grpc.insecure_channel(now.address) as channel:
            try:
                frames = BrokerServiceStub(channel).Subscribe(
                    request, metadata=now.metadata, timeout=ENDS_S_MAX
                )
                for frame in frames:
                    self.events.extend(frame.events)
                    self.cursor = frame.cursor
                    if enough():
                        return
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                    expect_a_kill(error)


def expect_a_kill(error: grpc.RpcError) -> None:
    """A caller sees that its connection broke and nothing else."""
    assert grpc.StatusCode.UNAVAILABLE == error.code(), error


def raw_send(channel: grpc.Channel) -> Any:
    """Send, with its answer as the bytes on the wire."""
    return channel.unary_unary(
        "/waypost.v1.BrokerService/Send", request_serializer=send_pb2.SendRequest.SerializeToString
    )


def raw_send_stream(channel: grpc.Channel) -> Any:
    """SendStream, with its answers as the bytes on the wire."""
    return channel.stream_stream(
        "/waypost.v1.BrokerService/SendStream",
        request_serializer=send_pb2.SendStreamRequest.SerializeToString,
    )


class Play:
    """All rounds of one test, and what is known at their end."""

    def __init__(self, broker: Any, seed: int) -> None:
        self.broker = broker
        self.chance = random.Random(seed)
        self.unary = [self._caller(f"unary-{number}") for number in range(UNARY_CALLERS)]
        self.streaming = [self._caller(f"stream-{number}") for number in range(STREAM_CALLERS)]
        self.follower = Follower(subscribe_pb2.EventFilter())
        self.tag_follower = Follower(subscribe_pb2.EventFilter(tags=[TAG]))

    def _caller(self, name: str) -> Caller:
        return Caller(name, random.Random(self.chance.random()))

    def round_until_killed(self) -> None:
        """Start, send, and kill at a random moment."""
        if self.broker.key and self.chance.random() < LOST_IN_START_SHARE:
            self.broker.start_and_kill(self.chance.uniform(0, 1))
        self.broker.start()
        now = Round(
            self.broker.address, self.broker.key, self.chance.randrange(1, ACKNOWLEDGED_PER_ROUND_MAX)
        )
        with ThreadPoolExecutor() as threads:
            work = [threads.submit(send_one_by_one, caller, now) for caller in self.unary]
            work += [threads.submit(send_in_frames, caller, now) for caller in self.streaming]
            work += [threads.submit(each.follow, now) for each in (self.follower, self.tag_follower)]
            assert now.over.wait(60), "the load did not get through"
            self.broker.kill()
            for each in work:
                each.result()

    def last_round(self) -> list[Event]:
        """Start, repeat what was not answered, wait for every end; answers the log of all events."""
        self.broker.start()
        now = Round(self.broker.address, self.broker.key, acknowledged_max=1_000_000)
        with grpc.insecure_channel(now.address) as channel:
            self._repeat_unanswered(channel, now)
            known = self.message_ids()
            self.follower.follow(now, enough=lambda: known <= ended_in(self.follower.events))
            assert set() == known - ended_in(self.follower.events), "these did not end"
            log = read_log(channel, now, up_to=self.follower.events[-1].sequence)
            followed = [each for each in log if TAG in each.message.tags]
            if followed:
                last = followed[-1].sequence
                self.tag_follower.follow(now, enough=lambda: reaches(self.tag_follower.events, last))
        return log

    def _repeat_unanswered(self, channel: grpc.Channel, now: Round) -> None:
        for caller in self.unary:
            for request in caller.unanswered:
                request.answer = raw_send(channel)(request.request, metadata=now.metadata, timeout=30)
            caller.answered += caller.unanswered
        for caller in self.streaming:
            frames = caller.unanswered
            answers = raw_send_stream(channel)(
                iter([frame.message for frame in frames]), metadata=now.metadata, timeout=30
            )
            for frame, answer in zip(frames, answers, strict=True):
                frame.answer = answer
            caller.answered += frames

    @property
    def frames(self) -> list[Frame]:
        """Every frame that was answered."""
        return [frame for caller in self.streaming for frame in caller.answered]

    @property
    def calls(self) -> list[Request]:
        """Every unary request that was answered."""
        return [request for caller in self.unary for request in caller.answered]

    def answers(self) -> Iterator[tuple[Request, send_pb2.SendResponse]]:
        """Every request, with what was answered the first time."""
        for call in self.calls:
            yield call, send_pb2.SendResponse.FromString(call.answer)
        for frame in self.frames:
            responses = send_pb2.SendStreamResponse.FromString(frame.answer).responses
            for request, response in zip(frame.requests, responses, strict=True):
                assert "response" == response.WhichOneof("outcome"), response
                yield request, response.response

    def message_ids(self) -> set[str]:
        """Every message that was acknowledged."""
        return {result.message_id for _, response in self.answers() for result in response.results}

    def ends_due(self) -> dict[str, int]:
        """The end that each message has to come to, by its number."""
        return {
            result.message_id: ENDS_BY_NUMBER.get(number[-4:], REJECTED)
            for request, response in self.answers()
            for number, result in zip(request.numbers, response.results, strict=True)
        }


def ended_in(events: Iterable[Event]) -> set[str]:
    """The messages that these events brought to an end."""
    return {event.message.message_id for event in events if event.message.end}


def reaches(events: list[Event], sequence: int) -> bool:
    """Whether the last of these events is that one or a later one."""
    return bool(events) and events[-1].sequence >= sequence


def read_log(channel: grpc.Channel, now: Round, *, up_to: int) -> list[Event]:
    """The account's events from the first, read again by somebody new."""
    request = subscribe_pb2.SubscribeRequest(from_beginning=Empty())
    events: list[Event] = []
    frames = BrokerServiceStub(channel).Subscribe(request, metadata=now.metadata, timeout=ENDS_S_MAX)
    for frame in frames:
        events.extend(frame.events)
        if reaches(events, up_to):
            frames.cancel()
            break
    return [event for event in events if event.sequence <= up_to]


def check_nothing_is_missing(play: Play) -> None:
    """(a) GetMessage knows each acknowledged message, and where it ended."""
    with grpc.insecure_channel(play.broker.address) as channel, ThreadPoolExecutor(4) as threads:
        get = MessageServiceStub(channel).GetMessage
        metadata = [("authorization", f"Bearer {play.broker.key}")]

        def look_up(message_id: str) -> tuple[str, int]:
            found = get(GetMessageRequest(message_id=message_id), metadata=metadata, timeout=30).message
            return found.message_id, found.status

        assert play.ends_due() == dict(threads.map(look_up, play.message_ids()))


def check_each_life_is_lived_once(log: list[Event], play: Play) -> None:
    """(b), (c) Each message ends, once, where its number says; each attempt has one outcome."""
    lives: defaultdict[str, list[event_pb2.MessageEvent]] = defaultdict(list)
    for event in log:
        lives[event.message.message_id].append(event.message)
    ends_due = play.ends_due()
    assert ends_due.keys() == lives.keys()
    for message_id, life in lives.items():
        moves_to_end = [each for each in life if each.end and each.status != each.previous_status]
        assert [ends_due[message_id]] == [each.status for each in moves_to_end], life
        if status_pb2.MESSAGE_FACT_REFUSED == life[0].fact:
            assert 1 == len(life), life
            continue
        assert ONE_LIFE.fullmatch("".join(LETTERS.get(each.fact, "!") for each in life)), life
        attempts = [each.attempt for each in life if each.fact == status_pb2.MESSAGE_FACT_ATTEMPTED]
        assert list(range(1, len(attempts) + 1)) == attempts, life


def check_the_log_is_dense(log: list[Event], play: Play) -> None:
    """(c), (e) Sequences have no gap, and a follower saw each event once although the broker died under it."""
    assert list(range(1, len(log) + 1)) == [event.sequence for event in log]
    assert log == play.follower.events
    assert [event for event in log if TAG in event.message.tags] == play.tag_follower.events


def check_repeats_answer_as_the_first_time(play: Play) -> None:
    """(d) Byte for byte, after all the kills; and no request made more messages than it has recipients."""
    metadata = [("authorization", f"Bearer {play.broker.key}")]
    with grpc.insecure_channel(play.broker.address) as channel:
        send = raw_send(channel)
        for call in play.calls:
            assert call.answer == send(call.request, metadata=metadata, timeout=30)
        frames = play.frames
        again = raw_send_stream(channel)(
            iter([frame.message for frame in frames]), metadata=metadata, timeout=120
        )
        for frame, answer in zip(frames, again, strict=True):
            assert frame.answer == answer


def check_each_request_made_its_messages_once(log: list[Event], play: Play) -> None:
    """(d) Also those whose first answer was lost, and which were sent again."""
    births = Counter(event.message.client_reference for event in log if not event.message.previous_status)
    assert {request.request.request_id: len(request.numbers) for request, _ in play.answers()} == births


def play_rounds(broker: Any, kills: int) -> None:
    """Kill so many times, then check everything."""
    play = Play(broker, SEED)
    for _ in range(kills):
        play.round_until_killed()
    log = play.last_round()
    assert any(sent.repeated for sent in [*play.calls, *play.frames]), "no kill ever took an answer away"
    assert any(event.message.fact == status_pb2.MESSAGE_FACT_DOUBTED for event in log)
    check_the_log_is_dense(log, play)
    check_nothing_is_missing(play)
    check_each_life_is_lived_once(log, play)
    check_each_request_made_its_messages_once(log, play)
    check_repeats_answer_as_the_first_time(play)
    assert len(log) == len(read_whole_log(play))


def read_whole_log(play: Play) -> list[Event]:
    """The log once more, after the repeats: they must not have added to it."""
    now = Round(play.broker.address, play.broker.key, acknowledged_max=1)
    follower = Follower(subscribe_pb2.EventFilter(), cursor=play.follower.cursor)
    heartbeats = itertools.count()
    follower.follow(now, enough=lambda: bool(follower.events) or next(heartbeats) > 1)
    return [*play.follower.events, *follower.events]


def test_nothing_acknowledged_is_lost_or_settled_twice_when_the_broker_is_killed(
    crash_broker: Callable[..., Any],
) -> None:
    """Five kills under load: all messages are there, each ended once, repeats and cursors hold."""
    play_rounds(crash_broker(**SETTINGS), kills=5)


def test_nothing_acknowledged_is_lost_on_postgresql_when_the_broker_is_killed(
    crash_broker: Callable[..., Any], postgres: PostgresServer
) -> None:
    """The same over the other engine, in fewer rounds: the server runs on, and ends what the dead one began."""
    play_rounds(crash_broker(**SETTINGS, store={"url": postgres.url("killed")}), kills=3)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_nothing_acknowledged_is_lost_or_settled_twice_in_a_hundred_kills(
    crash_broker: Callable[..., Any],
) -> None:
    """The same over a hundred kills."""
    play_rounds(crash_broker(**SETTINGS), kills=100)
