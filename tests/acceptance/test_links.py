"""Short links end to end: sent, handed over, followed over HTTP, and heard of by stream and webhook."""

import http.client
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import ParseDict

from waypost.v1 import (
    account_pb2,
    account_service_pb2,
    event_pb2,
    message_pb2,
    message_service_pb2,
    send_pb2,
    subscribe_pb2,
)
from waypost.v1.account_service_pb2_grpc import AccountServiceStub
from waypost.v1.broker_service_pb2_grpc import BrokerServiceStub
from waypost.v1.message_service_pb2_grpc import MessageServiceStub

DOMAIN = "go.example.org"
TARGET = "https://example.com/bills/2001?lang=en#total"
NUMBER = "+447700900123"
ARRIVES_S_MAX = 30


@dataclass
class Caller:
    """An admin of a broker that serves links, and what its webhook got."""

    broker: Any
    channel: grpc.Channel
    got: "queue.Queue[event_pb2.Event]"

    def ask(self, stub: Any, method: str, request: Any) -> Any:
        """One call."""
        metadata = [("authorization", f"Bearer {self.broker.key}")]
        return getattr(stub(self.channel), method)(request, metadata=metadata, timeout=ARRIVES_S_MAX)

    def send(self, text: str, to: str = NUMBER, **fields: Any) -> str:
        """A message; its id."""
        request = send_pb2.SendRequest(
            recipients=[{"phone_number": to}], content={"sms": {"text": text}}, **fields
        )
        return self.ask(BrokerServiceStub, "Send", request).results[0].message_id

    def message(self, message_id: str) -> message_pb2.Message:
        """As it stands."""
        request = message_service_pb2.GetMessageRequest(message_id=message_id)
        return self.ask(MessageServiceStub, "GetMessage", request).message

    def follow(self, short_url: str, method: str = "GET") -> tuple[int, str | None]:
        """What somebody's browser gets: the status and where it is sent on to."""
        host, path = short_url.removeprefix("https://").split("/")
        connection = http.client.HTTPConnection(self.broker.ready["http_address"], timeout=ARRIVES_S_MAX)
        connection.request(method, f"/{path}", headers={"host": host, "user-agent": "Mozilla/5.0"})
        response = connection.getresponse()
        answer = response.status, response.getheader("location")
        connection.close()
        return answer

    def click_event(self, message_id: str) -> event_pb2.Event:
        """The first click on a message, as Subscribe tells it."""
        request = subscribe_pb2.SubscribeRequest(
            from_beginning={},
            filter={"message_ids": [message_id], "kinds": [event_pb2.EVENT_KIND_CLICK]},
        )
        for frame in self.ask(BrokerServiceStub, "Subscribe", request):
            for event in frame.events:
                return event
        raise AssertionError("the stream ended")

    def called_with_click(self, message_id: str) -> event_pb2.Event:
        """The first click on a message, as the webhook was told of it."""
        while True:
            event = self.got.get(timeout=ARRIVES_S_MAX)
            if event.click.message_id == message_id:
                return event


@pytest.fixture
def receiver() -> Iterator[tuple[str, "queue.Queue[event_pb2.Event]"]]:
    """An account's own HTTP server, and the events that it was sent."""
    got: queue.Queue[event_pb2.Event] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            got.put(ParseDict(body["data"], event_pb2.Event()))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", got
    server.shutdown()
    server.server_close()


@pytest.fixture
def caller(broker_factory: Any, receiver: Any) -> Iterator[Caller]:
    """The default account, with a link domain and a webhook."""
    url, got = receiver
    broker = broker_factory(
        server={"http_listen": "127.0.0.1:0"}, webhooks={"allow_networks": ["127.0.0.0/8"]}
    )
    with grpc.insecure_channel(broker.address) as channel:
        caller = Caller(broker, channel, got)
        policy = account_pb2.AccountPolicy(link_domains=[DOMAIN], web_parameters=["utm_source=sms"])
        caller.ask(
            AccountServiceStub,
            "UpdateAccount",
            account_service_pb2.UpdateAccountRequest(account={"policy": policy}),
        )
        caller.ask(AccountServiceStub, "CreateWebhook", account_service_pb2.CreateWebhookRequest(url=url))
        yield caller


def waypost(broker: Any, *arguments: str) -> str:
    """What a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "broker", *arguments],
        env={**broker.environment, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def test_a_click_on_a_sent_link_is_heard_of(caller: Caller) -> None:
    """It leads where the text did, with what a campaign adds; stream, webhook and message tell of it alike."""
    text = f"Your bill: {TARGET}."
    message_id = caller.send(
        text,
        options={"track_links": True},
        campaign={"id": "bills"},
        client_reference="order-1",
        tags=["Bill"],
    )
    (link,) = caller.message(message_id).links
    assert f"Your bill: {link.short_url}." == caller.message(message_id).content.sms.text
    target = "https://example.com/bills/2001?lang=en&utm_source=sms#total"
    assert (404, None) == caller.follow(link.short_url.replace(DOMAIN, "evil.example"))
    assert (302, target) == caller.follow(link.short_url, "HEAD")
    assert (302, target) == caller.follow(link.short_url)
    event = caller.click_event(message_id)
    assert (message_id, target, link.short_url, "order-1", "bills", ["bill"]) == (
        event.click.message_id,
        event.click.url,
        event.click.short_url,
        event.click.client_reference,
        event.click.campaign.id,
        list(event.click.tags),
    )
    assert event == caller.called_with_click(message_id)
    (clicked,) = caller.message(message_id).links
    assert (1, event.click.click_time) == (clicked.clicks, clicked.last_click_time)


def test_links_stay_when_the_broker_does_not(caller: Caller) -> None:
    """A short link leads on after a restart; one of a deleted message does not, and no event says where it led."""
    message_id = caller.send(TARGET, options={"short_link_domain": DOMAIN})
    (link,) = caller.message(message_id).links
    assert (302, TARGET) == caller.follow(link.short_url)
    caller.called_with_click(message_id)
    caller.broker.restart()
    assert (302, TARGET) == caller.follow(link.short_url)
    end = subscribe_pb2.SubscribeRequest(from_beginning={}, filter={"message_ids": [message_id]})
    for frame in caller.ask(BrokerServiceStub, "Subscribe", end):
        if any(event.message.end for event in frame.events):
            break
    caller.ask(
        MessageServiceStub, "DeleteMessage", message_service_pb2.DeleteMessageRequest(message_id=message_id)
    )
    assert (404, None) == caller.follow(link.short_url)
    click = caller.click_event(message_id).click
    assert (message_id, "", "") == (click.message_id, click.url, click.short_url)


def test_what_is_measured_before_is_what_is_sent(caller: Caller) -> None:
    """One part with a short link, where the long one needs two; and the refusal of a foreign domain names its field."""
    text = "x" * 100 + " https://example.com/" + "a" * 100
    request = send_pb2.SendRequest(
        recipients=[{"phone_number": NUMBER}], content={"sms": {"text": text}}, validate_only=True
    )
    assert 2 == caller.ask(BrokerServiceStub, "Send", request).results[0].units
    request.options.track_links = True
    assert 1 == caller.ask(BrokerServiceStub, "Send", request).results[0].units
    request.options.short_link_domain = "go.example.com"
    with pytest.raises(grpc.RpcError) as refused:
        caller.ask(BrokerServiceStub, "Send", request)
    assert (grpc.StatusCode.INVALID_ARGUMENT, True) == (
        refused.value.code(),
        refused.value.details().startswith("options.short_link_domain: must be one of link_domains"),
    )


def test_the_command_line_sends_and_shows_links(caller: Caller) -> None:
    """`send --track-links` and `--keep-links`, and `messages show` with the click."""
    waypost(caller.broker, "send", NUMBER, f"See {TARGET}", "--track-links", "--reference", "cli")
    listed = json.loads(
        waypost(caller.broker, "messages", "list", "--reference", "cli", "--json").splitlines()[0]
    )
    (link,) = caller.message(listed["message_id"]).links
    assert (302, TARGET) == caller.follow(link.short_url)
    shown = waypost(caller.broker, "messages", "show", listed["message_id"])
    (line,) = [each for each in shown.splitlines() if each.startswith(link.short_url)]
    assert [link.short_url, TARGET, "1"] == line.split()[:3]
    kept = waypost(caller.broker, "send", NUMBER, TARGET, "--keep-links", "--json")
    assert [] == list(caller.message(json.loads(kept.splitlines()[0])["result"]["message_id"]).links)
