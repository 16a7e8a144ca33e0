"""kill -9 between a callback and its record: it comes again, and nothing is lost."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import pytest

from waypost.v1 import account_service_pb2, content_pb2, recipient_pb2, send_pb2
from waypost.v1.account_service_pb2_grpc import AccountServiceStub
from waypost.v1.broker_service_pb2_grpc import BrokerServiceStub

MESSAGES = 40
EVENTS_OF_ONE = 4
KILLS = 4
ARRIVES_S_MAX = 60
SETTINGS = {"webhooks": {"allow_networks": ["127.0.0.0/8"], "retry_base_s": 0.1, "hold_base_s": 0.1}}


class Receiver:
    """Takes every call. The one that it is told to stop at is answered after `resume` only."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.events: set[tuple[str, str]] = set()
        self.stop_at = 10
        self.stopped = threading.Event()
        self.resume = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                receiver.take(self.headers["webhook-id"], body)
                try:
                    self.send_response(204)
                    self.end_headers()
                except OSError:
                    self.close_connection = True  # whoever called was killed

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def take(self, webhook_id: str, body: dict[str, Any]) -> None:
        """One call."""
        self.ids.append(webhook_id)
        self.events.add((body["data"]["message"]["message_id"], body["type"]))
        if len(self.ids) == self.stop_at:
            self.resume.clear()
            self.stopped.set()
            self.resume.wait(ARRIVES_S_MAX)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver."""
    receiver = Receiver()
    yield receiver
    receiver.resume.set()
    receiver.server.shutdown()
    receiver.server.server_close()


def test_a_callback_that_was_made_and_not_recorded_is_made_again(
    crash_broker: Callable[..., Any], receiver: Receiver
) -> None:
    """Each kill falls between a call's arrival and its answer; every event arrives all the same.

    Under one id each, so that a receiver knows a repetition.
    """
    broker = crash_broker(**SETTINGS)
    broker.start()
    url = f"http://127.0.0.1:{receiver.server.server_address[1]}/"
    with grpc.insecure_channel(broker.address) as channel:
        metadata = [("authorization", f"Bearer {broker.key}")]
        create = account_service_pb2.CreateWebhookRequest(url=url)
        AccountServiceStub(channel).CreateWebhook(create, metadata=metadata, timeout=20)
        numbers = [f"+4477009{number:05}" for number in range(44_711, 44_711 + MESSAGES)]
        response = BrokerServiceStub(channel).Send(
            send_pb2.SendRequest(
                recipients=[recipient_pb2.Recipient(phone_number=each) for each in numbers],
                content=content_pb2.Content(sms=content_pb2.SmsContent(text="Hello")),
            ),
            metadata=metadata,
            timeout=20,
        )
    ids = {result.message_id for result in response.results}
    held = []
    for _ in range(KILLS):
        assert receiver.stopped.wait(ARRIVES_S_MAX)
        broker.kill()
        held.append(receiver.ids[receiver.stop_at - 1])
        receiver.stopped.clear()
        receiver.stop_at = len(receiver.ids) + 20
        receiver.resume.set()
        broker.start()
    deadline = time.monotonic() + ARRIVES_S_MAX
    receiver.stop_at = 0
    receiver.resume.set()
    facts = {"accepted", "attempted", "handed_over", "delivered"}
    expected = {(message_id, f"message.{fact}") for message_id in ids for fact in facts}
    while not expected <= receiver.events and time.monotonic() < deadline:
        time.sleep(0.05)
    assert set() == expected - receiver.events
    assert all(receiver.ids.count(each) >= 2 for each in held)
    assert len(receiver.events) == len(set(receiver.ids))
    assert 0 == broker.stop()
