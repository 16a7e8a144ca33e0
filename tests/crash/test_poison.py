"""A message that kills the process that hands it over: it is given up after three times, and takes nobody with it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from waypost.v1 import channel_pb2, content_pb2, event_pb2, recipient_pb2, send_pb2, status_pb2, subscribe_pb2
from waypost.v1.broker_service_pb2_grpc import BrokerServiceStub

POISON = "+447700906666"
INNOCENTS = 40
DIES_S_MAX = 30.0
ENDS_S_MAX = 60

PLUGIN = '''
import asyncio, os
from pydantic import BaseModel
from broker.spi import Accepted, Capabilities, Channel, Provider, ProviderType, ReceiptMode, hookimpl

class NoSettings(BaseModel):
    """None."""

class Deadly(Provider):
    """Ends the process when it sees one recipient."""

    capabilities = Capabilities(frozenset({Channel.SMS}), ReceiptMode.NONE, batch_max=10)

    async def submit(self, messages):
        await asyncio.sleep(0.05)
        if any(message.recipient == "%s" for message in messages):
            os._exit(70)
        return [Accepted() for _ in messages]

@hookimpl
def waypost_providers():
    return [ProviderType("deadly", frozenset({Channel.SMS}), NoSettings, lambda settings: Deadly())]
'''


@pytest.fixture
def deadly_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin, installed for the processes that this test starts."""
    place = tmp_path / "plugins"
    information = place / "waypost_deadly-1.dist-info"
    information.mkdir(parents=True)
    (place / "waypost_deadly.py").write_text(PLUGIN % POISON)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: waypost-deadly\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[waypost]\ndeadly = waypost_deadly\n")
    monkeypatch.setenv("PYTHONPATH", str(place))


def send(broker: Any, *numbers: str, guarantee: int = channel_pb2.GUARANTEE_AT_LEAST_ONCE) -> list[str]:
    """Send to some numbers; answers the messages' ids."""
    request = send_pb2.SendRequest(
        recipients=[recipient_pb2.Recipient(phone_number=each) for each in numbers],
        content=content_pb2.Content(sms=content_pb2.SmsContent(text="Hello")),
        guarantee=guarantee,
    )
    with grpc.insecure_channel(broker.address) as channel:
        answer = BrokerServiceStub(channel).Send(request, metadata=metadata(broker), timeout=10)
    return [result.message_id for result in answer.results]


def metadata(broker: Any) -> list[tuple[str, str]]:
    """What every call carries."""
    return [("authorization", f"Bearer {broker.key}")]


def follow_to_the_end(broker: Any, message_ids: set[str]) -> Iterator[event_pb2.MessageEvent]:
    """All events, until each of the messages has ended."""
    left = set(message_ids)
    request = subscribe_pb2.SubscribeRequest(from_beginning=Empty())
    with grpc.insecure_channel(broker.address) as channel:
        frames = BrokerServiceStub(channel).Subscribe(request, metadata=metadata(broker), timeout=ENDS_S_MAX)
        for frame in frames:
            for event in frame.events:
                yield event.message
                if event.message.end:
                    left.discard(event.message.message_id)
            if not left:
                return


@pytest.mark.timeout(180)
def test_a_message_that_kills_the_broker_is_given_up_and_the_others_are_sent(
    crash_broker, deadly_plugin
) -> None:
    """The process dies three times of it; all that was under way with it goes out, at most once where so asked."""
    broker = crash_broker(
        providers={"deadly": {"type": "deadly"}}, delivery={"retry_base_s": 0.1, "retry_cap_s": 0.2}
    )
    broker.start()
    innocents = [f"+44770090{number:04d}" for number in range(INNOCENTS)]
    # In one call, so that they share batches with the one that kills.
    *good, poison = send(broker, *innocents, POISON)
    for _ in range(3):
        assert broker.ends_within(DIES_S_MAX), broker.log
        broker.start()
    list(follow_to_the_end(broker, {*good, poison}))
    (once,) = send(broker, POISON, guarantee=channel_pb2.GUARANTEE_AT_MOST_ONCE)
    assert broker.ends_within(DIES_S_MAX), broker.log
    broker.start()
    events = list(follow_to_the_end(broker, {*good, poison, once}))
    ends = {each.message_id: each for each in events if each.end}
    attempts = Counter(each.message_id for each in events if each.fact == status_pb2.MESSAGE_FACT_ATTEMPTED)
    assert {status_pb2.MESSAGE_STATUS_SENT} == {ends[each].status for each in good}
    assert (status_pb2.MESSAGE_STATUS_SENDING_FAILED, status_pb2.REASON_ATTEMPTS_CRASHED, 3) == (
        ends[poison].status,
        ends[poison].reason,
        attempts[poison],
    )
    assert (status_pb2.MESSAGE_STATUS_UNKNOWN, 1) == (ends[once].status, attempts[once])
    assert 0 == broker.stop()
