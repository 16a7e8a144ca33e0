"""A real broker, and the sandbox as the phone: what people write is stored, found and told."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import grpc
import pytest

from waypost.v1 import (
    account_pb2,
    account_service_pb2,
    account_service_pb2_grpc,
    broker_service_pb2_grpc,
    content_pb2,
    directory_pb2,
    directory_service_pb2,
    directory_service_pb2_grpc,
    event_pb2,
    keyword_pb2,
    message_pb2,
    message_service_pb2,
    message_service_pb2_grpc,
    opt_in_pb2,
    provider_service_pb2,
    provider_service_pb2_grpc,
    recipient_pb2,
    send_pb2,
    sender_service_pb2_grpc,
    status_pb2,
    subscribe_pb2,
)

CONFIG = {
    "server": {"http_listen": "127.0.0.1:0"},
    "webhooks": {"allow_networks": ["127.0.0.0/8"]},
    "providers": {"sandbox": {"type": "sandbox", "phone": True}},
}
OURS = "+447700904000"
STOPPED = "You will get no more messages from Shop."
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
        self.senders = sender_service_pb2_grpc.SenderServiceStub(self._channel)
        self.accounts = account_service_pb2_grpc.AccountServiceStub(self._channel)
        self.directory = directory_service_pb2_grpc.DirectoryServiceStub(self._channel)

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

    def answers(self, number: str, count: int) -> list[message_pb2.Message]:
        """The broker's own answers to somebody, oldest first, once there are so many."""
        while True:
            wanted = message_pb2.MessageFilter(
                recipients=[number], traffics=["TRAFFIC_CONVERSATIONAL"], directions=["DIRECTION_OUTBOUND"]
            )
            found = self.ask(
                self.messages.ListMessages, message_service_pb2.ListMessagesRequest(filter=wanted)
            ).messages
            if len(found) >= count and all(each.end for each in found):
                return list(found)[::-1]
            time.sleep(0.02)

    def text_of(self, message: message_pb2.Message) -> str:
        """What a message says."""
        request = message_service_pb2.GetMessageRequest(message_id=message.message_id)
        return self.ask(self.messages.GetMessage, request).message.content.sms.text

    def keyword(self, word: str, **settings: Any) -> keyword_pb2.Keyword:
        """A keyword of ours, set up."""
        name = {"sender": OURS, "keyword": word}
        self.ask(self.senders.RentKeyword, keyword_pb2.RentKeywordRequest(**name))
        request = keyword_pb2.ConfigureKeywordRequest(**name, **settings)
        return self.ask(self.senders.ConfigureKeyword, request).keyword

    def policy(self, **fields: Any) -> None:
        """What the account decides from now on."""
        own = self.ask(self.accounts.GetAccount, account_service_pb2.GetAccountRequest()).account
        request = account_service_pb2.UpdateAccountRequest(
            account=account_pb2.Account(
                account_id=own.account_id, policy=account_pb2.AccountPolicy(**fields)
            ),
            update_mask={"paths": ["policy"]},
        )
        self.ask(self.accounts.UpdateAccount, request)

    def close(self) -> None:
        """Hang up."""
        self._channel.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One for the tests of this file; each has people of its own."""
    from tests.acceptance.conftest import Broker

    broker = Broker(tmp_path_factory.mktemp("town"), CONFIG)
    town = Town(broker)
    town.policy(stop_answer=STOPPED)  # a policy is believed for a second: it stands before anybody writes
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


def test_a_conversation(town: Town) -> None:
    """Opt in, receive, reply, STOP, refused, HELP answers, START, receive again: each step an event, in order."""
    phone = "+447700992000"
    entry = opt_in_pb2.OptInEntry(sender=OURS, recipient=phone, state=opt_in_pb2.OPT_IN_STATE_OPTED_IN)
    town.ask(town.sending.OptIn, opt_in_pb2.OptInRequest(entries=[entry]))
    first = town.delivered(phone)
    town.say("Yes, I will", phone)
    town.say("STOP", phone)
    refused = town.send(phone)
    assert status_pb2.REASON_OPTED_OUT == refused.reason
    (confirmation,) = town.answers(phone, 1)
    assert (STOPPED, status_pb2.MESSAGE_STATUS_DELIVERED) == (town.text_of(confirmation), confirmation.status)
    town.say("stop", phone)
    town.say("HELP", phone)
    _, help_ = town.answers(phone, 2)
    assert "START" in town.text_of(help_)
    town.say("Start!", phone)
    last = town.delivered(phone)
    told = [
        step
        for each in town.events(lambda seen: seen[-1].message.message_id == last)
        if (step := _step(each, phone))
    ]
    assert [
        "opted in",
        f"sent {first}",
        "wrote Yes, I will",
        "wrote STOP",
        "opted out",
        f"refused {refused.message_id}",
        f"sent {confirmation.message_id}",
        "wrote stop",
        "wrote HELP",
        f"sent {help_.message_id}",
        "wrote Start!",
        "opted in",
        f"sent {last}",
    ] == told


def _step(event: event_pb2.Event, phone: str) -> str:
    """An event of the conversation, "" for one that is no step of it."""
    match event.WhichOneof("payload"):
        case "inbound" if event.inbound.sender == phone:
            return f"wrote {event.inbound.text}"
        case "opt_in" if event.opt_in.record.recipient == phone:
            states = {
                opt_in_pb2.OPT_IN_STATE_OPTED_IN: "opted in",
                opt_in_pb2.OPT_IN_STATE_OPTED_OUT: "opted out",
            }
            return states[event.opt_in.record.state]
        case "message" if event.message.recipient == phone:
            facts = {status_pb2.MESSAGE_FACT_ACCEPTED: "sent", status_pb2.MESSAGE_FACT_REFUSED: "refused"}
            word = facts.get(event.message.fact)
            return f"{word} {event.message.message_id}" if word else ""
    return ""


def test_a_keyword_answers_joins_and_forwards(town: Town) -> None:
    """Who texts it is a member, gets the autoreply, and an email tells of it."""
    phone, mailbox = "+447700993000", "desk@example.org"
    group = directory_service_pb2.CreateGroupRequest(group=directory_pb2.Group(name="List"))
    group_id = town.ask(town.directory.CreateGroup, group).group.group_id
    keyword = town.keyword("join", group_id=group_id, autoreply="Welcome", forward_to_email=mailbox)
    assert ("JOIN", group_id) == (keyword.keyword, keyword.group_id)
    town.say("Join", phone)
    (reply,) = town.answers(phone, 1)
    assert ("Welcome", OURS, "autoreply") == (town.text_of(reply), reply.sender, reply.origin)
    members = directory_service_pb2.ListGroupMembersRequest(group_id=group_id)
    (member,) = town.ask(town.directory.ListGroupMembers, members).contacts
    assert [phone] == list(member.phone_numbers)
    wanted = message_pb2.MessageFilter(recipients=[mailbox])
    listed = town.ask(town.messages.ListMessages, message_service_pb2.ListMessagesRequest(filter=wanted))
    assert [reply.reply_to_message_id] == [each.reply_to_message_id for each in listed.messages]


def test_answers_without_end_are_stopped(town: Town) -> None:
    """Five an hour to one person; the rest are seen as refused. And the broker does not answer itself."""
    town.keyword("echo", autoreply="echo")
    phone = "+447700994000"
    for _ in range(7):
        town.say("echo", phone)
    reasons = [each.reason for each in town.answers(phone, 7)]
    assert [status_pb2.REASON_UNSPECIFIED] * 5 + [status_pb2.REASON_REPLY_LIMIT] * 2 == sorted(reasons)
    town.say("echo", OURS)
    (looped,) = town.answers(OURS, 1)
    assert status_pb2.REASON_REPLY_LOOP == looped.reason


def test_keywords_from_the_command_line(town: Town) -> None:
    """Rented, set up, listed, and released; the exit code says whether one is free."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "broker", "keywords", *arguments]
        return subprocess.run(
            command, env=town.broker.environment, capture_output=True, text=True, check=False
        )

    assert 0 == run("check", "12345", "sale").returncode
    assert 0 == run("rent", "12345", "sale").returncode
    assert 0 != run("check", "12345", "sale").returncode
    configured = run("configure", "12345", "sale", "--autoreply", "Half price", "--unique", "--json")
    assert ("SALE", "Half price") == (
        json.loads(configured.stdout)["keyword"],
        json.loads(configured.stdout)["autoreply"],
    )
    assert "KEYWORD_AUTOREPLY_INVALID" in run("configure", "12345", "sale", "--autoreply", " ").stderr
    assert "SALE" in run("list", "--sender", "12345").stdout
    assert 0 == run("release", "12345", "sale").returncode
    assert "" == run("list", "--sender", "12345", "--json").stdout
