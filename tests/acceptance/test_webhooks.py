"""Events at an account's own HTTP server: signed, complete, once each, and through what can go wrong."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import ParseDict
from standardwebhooks import Webhook, WebhookVerificationError

from waypost.v1 import account_service_pb2 as pb
from waypost.v1 import content_pb2, event_pb2, recipient_pb2, send_pb2, status_pb2, subscribe_pb2
from waypost.v1.account_service_pb2_grpc import AccountServiceStub
from waypost.v1.broker_service_pb2_grpc import BrokerServiceStub

ARRIVES_S_MAX = 30


@dataclass
class Got:
    """One call as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server on a free port. `answer` says with which status; a call that it holds waits."""

    got: list[Got] = field(default_factory=list)
    answer: Callable[[Got], int] = lambda _: 204
    port: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def events(self, ids: Iterable[str]) -> dict[str, list[event_pb2.Event]]:
        """What was told of these messages by POST, read back into protobuf; each event once, in order."""
        told: dict[str, dict[int, event_pb2.Event]] = {each: {} for each in ids}
        for got in self.got:
            if got.method == "POST":
                event = ParseDict(json.loads(got.body)["data"], event_pb2.Event())
                told.get(event.message.message_id, {})[event.sequence] = event
        return {message: [each[key] for key in sorted(each)] for message, each in told.items()}


@pytest.fixture
def receivers() -> Iterator[Callable[[], Receiver]]:
    """Makes receivers."""
    servers = []

    def make() -> Receiver:
        receiver = Receiver()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _take(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                got = Got(self.command, self.path, headers, body)
                receiver.got.append(got)
                try:
                    self.send_response(receiver.answer(got))
                    self.send_header("content-length", "0")
                    self.end_headers()
                except OSError:
                    self.close_connection = True  # the broker was killed meanwhile

            do_GET = do_POST = _take  # noqa: N815 - the names that http.server calls

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        receiver.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        return receiver

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def receiver(receivers: Callable[[], Receiver]) -> Receiver:
    """One receiver."""
    return receivers()


@dataclass
class Account:
    """A caller with an admin key."""

    broker: Any
    channel: grpc.Channel

    @property
    def metadata(self) -> list[tuple[str, str]]:
        """What every call carries."""
        return [("authorization", f"Bearer {self.broker.key}")]

    def ask(self, method: str, request: Any) -> Any:
        """A call of AccountService."""
        return getattr(AccountServiceStub(self.channel), method)(request, metadata=self.metadata, timeout=20)

    def send(self, *numbers: str, **fields: Any) -> list[str]:
        """Messages; their ids."""
        request = send_pb2.SendRequest(
            recipients=[recipient_pb2.Recipient(phone_number=each) for each in numbers or ["+447700904711"]],
            content=content_pb2.Content(sms=content_pb2.SmsContent(text="Your parcel is on its way")),
            **fields,
        )
        response = BrokerServiceStub(self.channel).Send(request, metadata=self.metadata, timeout=20)
        return [result.message_id for result in response.results]

    def events(self, ids: list[str]) -> dict[str, list[event_pb2.Event]]:
        """What Subscribe tells of these messages, up to their ends."""
        request = subscribe_pb2.SubscribeRequest(from_beginning={}, filter={"message_ids": ids})
        told: defaultdict[str, list[event_pb2.Event]] = defaultdict(list)
        for frame in BrokerServiceStub(self.channel).Subscribe(request, metadata=self.metadata, timeout=30):
            for event in frame.events:
                told[event.message.message_id].append(event)
            if len(told) == len(ids) and all(each[-1].message.end for each in told.values()):
                return dict(told)
        raise AssertionError("the stream ended")


@pytest.fixture
def account(calling_broker: Any) -> Iterator[Account]:
    """The default account of a broker that may call this host; its webhooks go at the test's end."""
    with grpc.insecure_channel(calling_broker.address) as channel:
        account = Account(calling_broker, channel)
        yield account
        for each in account.ask("ListWebhooks", pb.ListWebhooksRequest()).webhooks:
            account.ask("DeleteWebhook", pb.DeleteWebhookRequest(webhook_id=each.webhook_id))


def until(condition: Callable[[], Any]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + ARRIVES_S_MAX
    while not condition():
        assert time.monotonic() < deadline, "it did not come to be so"
        time.sleep(0.02)


def verified(got: Got, *secrets: str) -> list[bool]:
    """Which of the secrets a call is signed with, by the scheme's own library."""

    def good(secret: str) -> bool:
        signed = got.body if got.method == "POST" else got.target
        try:
            Webhook(secret).verify(signed, got.headers, json_parse=False)
        except WebhookVerificationError:
            return False
        return True

    return [good(secret) for secret in secrets]


def test_webhook_and_callback_url_tell_what_subscribe_tells(account: Account, receivers: Any) -> None:
    """Every event of every message, field by field, each signed with its own secret."""
    hooked, called = receivers(), receivers()
    webhook = account.ask("CreateWebhook", pb.CreateWebhookRequest(url=f"{hooked.url}/hook"))
    secret = account.ask("RotateWebhookSecret", pb.RotateWebhookSecretRequest()).secret
    ids = account.send(
        "+447700904711",
        "+447700900001",
        "+447700900003",
        "not a number",
        callback_url=f"{called.url}/cb",
        client_reference="order-1",
        campaign={"id": "spring", "name": "Spring"},
        tags=["VIP"],
        data='{"ä": 1}',
        origin="crm",
    )
    expected = account.events(ids)
    for receiver, own, other in ((hooked, webhook.secret, secret), (called, secret, webhook.secret)):
        until(lambda receiver=receiver: receiver.events(ids) == expected)
        assert {(True, False)} == {tuple(verified(got, own, other)) for got in receiver.got}
    ends = {status_pb2.MessageStatus.Name(each[-1].message.status) for each in expected.values()}
    assert {"MESSAGE_STATUS_DELIVERED", "MESSAGE_STATUS_REJECTED"} == ends
    (listed,) = account.ask("ListWebhooks", pb.ListWebhooksRequest()).webhooks
    assert webhook.webhook.webhook_id == listed.webhook_id
    log = account.broker.log.read_text()
    assert not any(each in log for each in (webhook.secret, secret, "whsec_", "parcel", "+44770090", "/hook"))


def test_a_get_names_what_it_wants(account: Account, receiver: Receiver) -> None:
    """Beside its own parameters; nothing else is told."""
    secret = account.ask("RotateWebhookSecret", pb.RotateWebhookSecretRequest()).secret
    options = send_pb2.SendOptions(callback_method=send_pb2.CALLBACK_METHOD_GET)
    url = f"{receiver.url}/cb/{{message_id}}?id=7&state={{status}}"
    (message_id,) = account.send(callback_url=url, options=options)
    until(lambda: any("DELIVERED" in got.target for got in receiver.got))
    states = ["ACCEPTED", "PROCESSING", "SENT", "DELIVERED"]
    assert [f"/cb/{message_id}?id=7&state=MESSAGE_STATUS_{each}" for each in states] == [
        got.target for got in receiver.got
    ]
    assert {("GET", b"", True)} == {(got.method, got.body, *verified(got, secret)) for got in receiver.got}


def test_a_new_secret_overlaps_the_old_one(account: Account, receiver: Receiver) -> None:
    """For as long as was asked for; then the old one is worth nothing."""
    made = account.ask("CreateWebhook", pb.CreateWebhookRequest(url=receiver.url, facts=[14]))
    rotate = pb.RotateWebhookSecretRequest(webhook_id=made.webhook.webhook_id)
    second = account.ask("RotateWebhookSecret", rotate).secret
    account.send()
    until(lambda: len(receiver.got) == 1)
    rotate.overlap.CopyFrom(Duration(seconds=0))
    third = account.ask("RotateWebhookSecret", rotate).secret
    account.send()
    until(lambda: len(receiver.got) == 2)
    secrets = (made.secret, second, third)
    assert [[True, True, False], [False, False, True]] == [verified(got, *secrets) for got in receiver.got]


def test_a_deleted_webhook_hears_no_more(account: Account, receivers: Any) -> None:
    """The one beside it does."""
    deleted, kept = receivers(), receivers()
    made = account.ask("CreateWebhook", pb.CreateWebhookRequest(url=deleted.url))
    account.ask("CreateWebhook", pb.CreateWebhookRequest(url=kept.url))
    account.ask("DeleteWebhook", pb.DeleteWebhookRequest(webhook_id=made.webhook.webhook_id))
    (message_id,) = account.send()
    until(lambda: len(kept.events([message_id])[message_id]) == 4)
    assert [] == deleted.got


def test_a_dead_endpoint_delays_nobody(account: Account, receivers: Any) -> None:
    """One that holds every call and one that refuses every call, beside one that works."""
    held, live, refusing = receivers(), receivers(), receivers()
    let_go = threading.Event()
    held.answer = lambda _: 204 if let_go.wait(ARRIVES_S_MAX) else 500
    refusing.answer = lambda _: 500
    for each in (held, refusing, live):
        account.ask("CreateWebhook", pb.CreateWebhookRequest(url=each.url))
    ids = account.send(*[f"+4477009{number:05}" for number in range(24_711, 24_761)])
    expected = account.events(ids)
    until(lambda: live.events(ids) == expected)
    assert len(held.got) <= 8
    let_go.set()
    refusing.answer = lambda _: 204
    until(lambda: held.events(ids) == expected)
    until(lambda: refusing.events(ids) == expected)


def test_a_restart_loses_no_callback(account: Account, receiver: Receiver) -> None:
    """Neither what was being tried nor what waited: what the receiver refused before, it gets after."""
    receiver.answer = lambda _: 503
    made = account.ask("CreateWebhook", pb.CreateWebhookRequest(url=receiver.url))
    ids = account.send(*[f"+4477009{number:05}" for number in range(34_711, 34_731)])
    expected = account.events(ids)
    until(lambda: len(receiver.got) > 5)
    account.broker.restart()
    receiver.answer = lambda _: 204
    until(lambda: receiver.events(ids) == expected)
    assert all(verified(got, made.secret) == [True] for got in receiver.got)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433"])
def test_this_host_is_no_place_to_call_unless_the_operator_says_so(broker: Any, host: str) -> None:
    """With the default settings: refused at once, with the field."""
    with grpc.insecure_channel(broker.address) as channel:
        caller = Account(broker, channel)
        with pytest.raises(grpc.RpcError) as refused:
            caller.send(callback_url=f"http://{host}:8080/")
        assert (grpc.StatusCode.INVALID_ARGUMENT, True) == (
            refused.value.code(),
            refused.value.details().startswith("callback_url: must "),
        )
        with pytest.raises(grpc.RpcError) as refused:
            caller.ask("CreateWebhook", pb.CreateWebhookRequest(url=f"http://{host}:8080/"))
        assert refused.value.details().startswith("url: must ")
