"""A real broker, and the sandbox as the phone: what people write is stored, found and told."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import grpc
import pytest

from waypost.v1 import (
    broker_service_pb2_grpc,
    content_pb2,
    event_pb2,
    message_pb2,
    message_service_pb2,
    message_service_pb2_grpc,
    provider_service_pb2,
    provider_service_pb2_grpc,
    recipient_pb2,
    send_pb2,
    status_pb2,
    subscribe_pb2,
)

OURS = "+447700904000"
ANSWERS_S_MAX = 30


class Town:
    """A broker, its caller, and everybody who has a phone."""

    def __init__(self, broker: Any) -> None:
        self.broker = broker
        self._channel = grpc.insecure_channel(broker.address)
        self._metadata = [("authorization", f"Bearer {broker.key}")]
        stub = provider_service_pb2_grpc.ProviderServiceStub(self._channel)
        listed = stub.ListProviders(provider_service_pb2.ListProvidersRequest(), metadata=self._metadata)
        (self._phones,) = (each.callback_url for each in listed.providers)
        self.messages = message_service_pb2_grpc.MessageServiceStub(self._channel)
        self.sending = broker_service_pb2_grpc.BrokerServiceStub(self._channel)

    def ask(self, call: Callable[..., Any], request: Any) -> Any:
        """A call."""
        return call(request, metadata=self._metadata, timeout=ANSWERS_S_MAX)

    def say(self, text: str, sender: str, recipient: str = OURS, **more: str) -> str:
        """Somebody writes to us; the provider's id of it. It is stored when this returns."""
        form = urlencode({"from": sender, "to": recipient, "text": text, **more}).encode()
        with urlopen(f"{self._phones}/say", form, ANSWERS_S_MAX) as answer:
            return answer.read().decode()

    def send(self, number: str, **fields: Any) -> send_pb2.SendResult:
        """We write to somebody."""
        request = send_pb2.SendRequest(
            recipients=[recipient_pb2.Recipient(phone_number=number)],
            content=content_pb2.Content(sms=content_pb2.SmsContent(text="Will you come?")),
            sender=OURS,
            **fields,
        )
        (result,) = self.ask(self.sending.Send, request).results
        return result

    def events(self, until: Callable[[list[event_pb2.Event]], bool], **wanted: Any) -> list[event_pb2.Event]:
        """The events of the log that match, from its beginning, until there are enough of them."""
        request = subscribe_pb2.SubscribeRequest(filter=subscribe_pb2.EventFilter(**wanted))
        request.from_beginning.SetInParent()
        found: list[event_pb2.Event] = []
        stream = self.sending.Subscribe(request, metadata=self._metadata, timeout=ANSWERS_S_MAX)
        for frame in stream:
            found += frame.events
            if found and until(found):  # a frame may be a heartbeat
                stream.cancel()
                return found
        raise AssertionError("the stream ended")

    def delivered(self, number: str, **fields: Any) -> str:
        """We wrote to somebody, who has it; the message's id."""
        message_id = self.send(number, **fields).message_id
        end = status_pb2.MESSAGE_STATUS_DELIVERED
        self.events(lambda seen: seen[-1].message.status == end, message_ids=[message_id])
        return message_id

    def close(self) -> None:
        """Hang up."""
        self._channel.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One for the tests of this file; each has people of its own."""
    from tests.acceptance.conftest import Broker

    config = {
        "server": {"http_listen": "127.0.0.1:0"},
        "providers": {"sandbox": {"type": "sandbox", "phone": True}},
    }
    broker = Broker(tmp_path_factory.mktemp("town"), config)
    town = Town(broker)
    yield town
    town.close()
    assert 0 == broker.stop(), broker.log.read_text()


def test_a_reply_is_told_beside_the_message_that_it_answers(town: Town) -> None:
    """The sandbox's number that answers by itself; with the reference and campaign of what it answers."""
    sent = town.send(
        "+447700990012", client_reference="inbound-1", campaign=send_pb2.Campaign(id="spring"), data="d"
    ).message_id
    events = town.events(
        lambda seen: seen[-1].HasField("inbound"), client_references=["inbound-1"], campaigns=["spring"]
    )
    reply = events[-1].inbound
    assert ("+447700990012", OURS, "YES", sent, "spring", "d") == (
        reply.sender,
        reply.recipient,
        reply.text,
        reply.reply_to_message_id,
        reply.campaign.id,
        reply.data,
    )
    assert (event_pb2.INBOUND_KIND_REPLY, event_pb2.INBOUND_ASSIGNMENT_LAST_MESSAGE) == (
        reply.kind,
        reply.assigned_by,
    )
    request = message_service_pb2.GetMessageRequest(message_id=reply.message_id)
    found = town.ask(town.messages.GetMessage, request)
    assert (message_pb2.DIRECTION_INBOUND, "YES") == (found.message.direction, found.message.content.sms.text)
    assert [status_pb2.MESSAGE_FACT_RECEIVED] == [each.fact for each in found.timeline]


def test_what_a_phone_says_is_stored_before_it_hears_that_it_was(town: Town) -> None:
    """Once, however often it is told; marked read, and found by who wrote it."""
    phone = "+447700991001"
    assert ["in-1", "in-1"] == [town.say("Hello?", phone, id="in-1") for _ in range(2)]
    wanted = message_pb2.MessageFilter(senders=[phone], directions=[message_pb2.DIRECTION_INBOUND])
    listed = town.ask(town.messages.ListMessages, message_service_pb2.ListMessagesRequest(filter=wanted))
    (message,) = listed.messages
    mark = message_service_pb2.MarkMessageRequest(
        message_id=message.message_id, mark=message_service_pb2.MARK_READ
    )
    assert town.ask(town.messages.MarkMessage, mark).message.HasField("read_time")


def test_the_command_line_shows_what_came_in(town: Town) -> None:
    """In the list, and in the tail."""
    phone = "+447700991002"
    town.say("Anybody there?", phone)
    command = [
        sys.executable,
        "-m",
        "broker",
        "messages",
        "--direction",
        "inbound",
        "--sender",
        phone,
        "--json",
    ]
    listed = subprocess.run(command, env=town.broker.environment, capture_output=True, text=True, check=True)
    (message,) = map(json.loads, listed.stdout.splitlines())
    assert (phone, OURS) == (message["sender"], message["recipient"])
