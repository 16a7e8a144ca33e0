"""Nothing private in the logs (I9): words that appear nowhere else go in by every door, and come out of none but the right ones.

Every text field of every RPC gets a canary, in requests that are right and in requests that are wrong. Neither the log nor
the metrics nor the details of an error may have one afterwards.
"""

import base64
import pkgutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

import waypost.v1
from broker.testing.broker_process import BrokerProcess

WORD = "Quetzalcoatlus"
NUMBER = "+447700914253"
MAILBOX = f"{WORD}@{WORD}.example"
CANARIES = (WORD, WORD.lower(), NUMBER, NUMBER[1:], base64.b64encode(WORD.encode()).decode().rstrip("="))

METHODS: dict[str, MethodDescriptor] = {
    f"{service.full_name}/{method.name}": method
    for module in pkgutil.iter_modules(waypost.v1.__path__)
    if module.name.endswith("_service_pb2")
    for service in import_module(f"waypost.v1.{module.name}").DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
NAMES_OF_THE_OPERATOR = frozenset({
    "waypost.v1.ProviderService/ReplaceRoutes",
    "waypost.v1.PriceService/ReplacePrices",
})
"""Here an administrator's own names of routes, prices and providers are quoted, so that the wrong one is found."""

ENDS = ("0000", "0001", "0002", "0003", "0009", "0010")
"""Numbers that end so are delivered, refused, bounced, busy, opted out, and down at the sandbox."""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker whose log is read once it has stopped."""
    providers = {"sandbox": {"type": "sandbox"}}
    settings = {
        "delivery": {"attempts_max": 2, "retry_base_s": 0.1},
        "webhooks": {"allow_networks": ["127.0.0.0/8"]},
    }
    with BrokerProcess(tmp_path_factory.mktemp("canaries"), providers, settings) as broker:
        yield broker
        metrics = urllib.request.urlopen(f"http://{broker.http_address}/metrics", timeout=20).read().decode()
        broker.stop()
        assert [] == sung(broker.log + metrics)
        assert broker.key not in broker.log


def sung(text: str) -> list[str]:
    """The canaries in a text."""
    return [each for each in (*CANARIES, "wpk_", "whsec_") if each in text]


def filled(descriptor: Descriptor, depth: int = 0) -> Message:
    """A message with a canary in every text, and something in every other field."""
    message = GetMessageClass(descriptor)()
    for field in descriptor.fields:
        if field.message_type is not None:
            if depth > 4 or field.message_type.GetOptions().map_entry:
                continue
            inner = filled(field.message_type, depth + 1)
            if field.is_repeated:
                getattr(message, field.name).append(inner)
            else:
                getattr(message, field.name).CopyFrom(inner)
        elif (value := _value(field)) is not None:
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
    return message


def _value(field: FieldDescriptor) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        if field.name.endswith("number"):
            return NUMBER
        return MAILBOX if "email" in field.name or "address" in field.name else WORD
    return WORD.encode() if field.type == FieldDescriptor.TYPE_BYTES else None


def refusal(broker: BrokerProcess, path: str, request: bytes, key: str) -> str:
    """What a call's error says, to the last byte; "" where it succeeds."""
    method = METHODS[path]
    sides = ["stream" if each else "unary" for each in (method.client_streaming, method.server_streaming)]
    with grpc.insecure_channel(broker.address) as channel:
        call = getattr(channel, "_".join(sides))(f"/{path}")
        try:
            answer = call(
                iter([request]) if method.client_streaming else request,
                metadata=[("authorization", f"Bearer {key}")],
                timeout=3,
            )
            if method.server_streaming:
                next(answer)
                answer.cancel()
        except grpc.RpcError as error:
            details = b"".join(
                value for name, value in error.trailing_metadata() or () if name.endswith("-bin")
            )
            return f"{error.details()} {details!r}"
    return ""


@pytest.mark.parametrize("path", sorted(METHODS.keys() - NAMES_OF_THE_OPERATOR))
def test_no_error_quotes_what_a_caller_wrote(watched: BrokerProcess, path: str) -> None:
    """Not a request with a canary in every field, nor one that is cut, nor a key that is none."""
    request = filled(METHODS[path].input_type).SerializeToString()
    for bytes_, key in ((request, watched.key), (request[:-3], watched.key), (request, WORD)):
        assert [] == sung(refusal(watched, path, bytes_, key))


def test_messages_of_every_fate_are_told_nowhere(watched: BrokerProcess) -> None:
    """With words in all that a message can carry; the log is read when the broker has stopped."""
    method = METHODS["waypost.v1.BrokerService/Send"]
    request = GetMessageClass(method.input_type)()
    for end in ENDS:
        request.recipients.add(phone_number=f"{NUMBER[:-4]}{end}", client_reference=WORD)
    request.recipients.add(phone_number=NUMBER)
    request.recipients.add(phone_number=f"{WORD} 1")
    request.content.sms.text = f"{WORD} ☃"
    request.data = request.origin = request.campaign.id = WORD
    request.tags.append(WORD)
    request.callback_url = f"http://127.0.0.1:1/{WORD}?secret={WORD}"
    request.validity.FromSeconds(60)
    assert "" == refusal(watched, "waypost.v1.BrokerService/Send", request.SerializeToString(), watched.key)
    watched.send(WORD, to=NUMBER)


def test_addresses_of_the_web_side_are_told_nowhere(watched: BrokerProcess) -> None:
    """A guess at a callback's secret is in no log."""
    for place in (f"callbacks/sandbox/{WORD}", f"send-url/{WORD}", WORD):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://{watched.http_address}/{place}?q={WORD}", timeout=20)
        with refused.value as error:
            assert 404 == error.code
            assert [] == sung(error.read().decode())


def test_a_canary_is_heard_when_it_sings() -> None:
    """The control of all of this."""
    assert [WORD] == sung(f"x {WORD} x")
    assert [NUMBER, NUMBER[1:]] == sung(NUMBER)


def test_the_settings_of_a_broker_that_cannot_start_are_not_quoted(tmp_path: Path) -> None:
    """They may hold a secret."""
    with (
        pytest.raises(AssertionError) as refused,
        BrokerProcess(tmp_path, {}, {"store": {"url": f"postgres{WORD}://{WORD}"}}),
    ):
        pass
    assert "the broker did not start" in str(refused.value)
    assert [] == sung(str(refused.value).partition("the broker did not start")[2])
