"""kill -9 while answers, autoreplies and forwards are on their way: none is lost, and none is said twice."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import grpc

from waypost.v1 import (
    keyword_pb2,
    message_pb2,
    message_service_pb2,
    message_service_pb2_grpc,
    provider_service_pb2,
    provider_service_pb2_grpc,
    sender_service_pb2_grpc,
)

OURS = "+447700904000"
DESK = "desk@example.org"
ROUNDS = 3
PEOPLE_A_ROUND = 14
TAKES_S_MAX = 60
SETTINGS = {
    "server": {"listen": "127.0.0.1:0", "http_listen": "127.0.0.1:0"},
    "providers": {"sandbox": {"type": "sandbox", "phone": True}},
}


class Calls:
    """What is asked of the process that runs now."""

    def __init__(self, broker: Any, channel: grpc.Channel) -> None:
        self._metadata = [("authorization", f"Bearer {broker.key}")]
        self._providers = provider_service_pb2_grpc.ProviderServiceStub(channel)
        self._senders = sender_service_pb2_grpc.SenderServiceStub(channel)
        self._messages = message_service_pb2_grpc.MessageServiceStub(channel)

    def say_at(self) -> str:
        """Where the sandbox hears what phones say."""
        request = provider_service_pb2.ListProvidersRequest()
        (found,) = self._providers.ListProviders(
            request, metadata=self._metadata, timeout=TAKES_S_MAX
        ).providers
        return f"{found.callback_url}/say"

    def rent(self) -> None:
        """JOIN is answered, and forwarded to the desk."""
        name = {"sender": OURS, "keyword": "join"}
        self._senders.RentKeyword(keyword_pb2.RentKeywordRequest(**name), metadata=self._metadata, timeout=20)
        configured = keyword_pb2.ConfigureKeywordRequest(**name, autoreply="Welcome", forward_to_email=DESK)
        self._senders.ConfigureKeyword(configured, metadata=self._metadata, timeout=20)

    def sent(self, **wanted: Any) -> list[message_pb2.Message]:
        """What was sent, by any of its fields."""
        only = message_pb2.MessageFilter(directions=[message_pb2.DIRECTION_OUTBOUND], **wanted)
        request = message_service_pb2.ListMessagesRequest(filter=only, page_size=1_000)
        found: list[message_pb2.Message] = []
        while True:
            page = self._messages.ListMessages(request, metadata=self._metadata, timeout=20)
            found += page.messages
            request.page_token = page.next_page_token
            if not request.page_token:
                return found

    def wait_for(self, person: str, origin: str) -> None:
        """Until somebody was answered."""
        deadline = time.monotonic() + TAKES_S_MAX
        while not self.sent(recipients=[person], origins=[origin]):
            assert time.monotonic() < deadline, f"{person} was not answered"
            time.sleep(0.05)


@contextmanager
def calling(broker: Any) -> Iterator[Calls]:
    """Calls of a broker that runs."""
    with grpc.insecure_channel(broker.address) as channel:
        yield Calls(broker, channel)


def say(url: str, texts: list[tuple[str, str]], told: set[tuple[str, str]]) -> None:
    """People write, one after the other, until the broker is gone; `told` is what it said that it has.

    As a provider does: what was not confirmed is told again later, under the same id.
    """
    for person, text in texts:
        form = {"from": person, "to": OURS, "text": text, "id": f"{person}/{text}"}
        try:
            with urlopen(url, urlencode(form).encode(), TAKES_S_MAX) as answer:
                answer.read()
        except (OSError, HTTPException):
            return
        told.add((person, text))


def test_every_message_is_answered_once_whenever_the_process_dies(crash_broker: Callable[..., Any]) -> None:
    """Half of the kills fall while people write, the others right after, with errands waiting."""
    broker = crash_broker(**SETTINGS)
    broker.start()
    with calling(broker) as calls:
        calls.rent()
    people = [f"+4477009{number:05}" for number in range(50_000, 50_000 + ROUNDS * PEOPLE_A_ROUND)]
    texts = [(person, text) for person in people for text in ("JOIN", "HELP")]
    told: set[tuple[str, str]] = set()
    for number in range(ROUNDS):
        with calling(broker) as calls:
            url = calls.say_at()
        now = [each for each in texts[: 2 * PEOPLE_A_ROUND * (number + 1)] if each not in told]
        writing = threading.Thread(target=say, args=(url, now, told))
        writing.start()
        if number % 2:
            writing.join()
        else:
            deadline = time.monotonic() + TAKES_S_MAX
            enough = len(told) + len(now) // 2
            while len(told) < enough and time.monotonic() < deadline:
                time.sleep(0.002)
        broker.kill()
        writing.join()
        broker.start()
    last = "+447700949999"
    with calling(broker) as calls:
        url = calls.say_at()
        say(url, [*texts, (last, "JOIN")], told)  # all of it once more: a provider may repeat what we have
        assert {*texts, (last, "JOIN")} == told
        # Errands are carried out in the order in which they came, so that one is the last of all.
        calls.wait_for(last, "autoreply")
        sent = calls.sent()
    said = Counter((each.origin, each.recipient) for each in sent if each.recipient != DESK)
    expected = {("autoreply", each) for each in [*people, last]} | {("consent", each) for each in people}
    assert dict.fromkeys(expected, 1) == said
    forwarded = Counter(each.reply_to_message_id for each in sent if each.recipient == DESK)
    answered = {each.reply_to_message_id for each in sent if each.origin == "autoreply"}
    assert dict.fromkeys(answered, 1) == forwarded
    assert 0 == broker.stop()
