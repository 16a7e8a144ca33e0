"""No request, however malformed, gets an INTERNAL or an UNKNOWN out of any method, or brings the broker down.

Hypothesis draws a tape of bytes. A message of the method's type is built from the descriptor by reading
choices off the tape, and then mostly spoilt: cut, flipped, spliced, nested too deep, or replaced by noise.
A used-up tape makes the first choice everywhere, which is to leave fields out, so a failure shrinks.
"""

import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2, error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import waypost.v1
from waypost.v1 import content_pb2, recipient_pb2, send_pb2, subscribe_pb2
from waypost.v1.broker_service_pb2_grpc import BrokerServiceStub

EXAMPLES = 500
EXAMPLES_SOAK = 10_000
ANSWER_S_MAX = 20
DEPTH_MAX = 4
REPEATED_BYTES_MAX = 100_000

OWN = "/waypost.v1."
OWN_SERVICES: list[ServiceDescriptor] = [
    service
    for module in pkgutil.iter_modules(waypost.v1.__path__)
    if module.name.endswith("_service_pb2")
    for service in import_module(f"waypost.v1.{module.name}").DESCRIPTOR.services_by_name.values()
]
HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"]
REFLECTION = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"]
METHODS: dict[str, MethodDescriptor] = {
    f"/{name}/{method.name}": method
    for name, service in [
        *((service.full_name, service) for service in OWN_SERVICES),
        (HEALTH.full_name, HEALTH),
        (REFLECTION.full_name, REFLECTION),
        ("grpc.reflection.v1.ServerReflection", REFLECTION),
    ]
    for method in service.methods
}

BLAMELESS = frozenset({
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNIMPLEMENTED,
})
"""How a call may end that the caller got wrong: not INTERNAL or UNKNOWN, and not by hanging or falling over."""

STRINGS = (
    "",
    "a",
    "+447700900123",
    "+447700900001",
    "+44 (7700) 900-123",
    "ada@example.org",
    "Ada <ada@example.org>",
    "https://example.org/",
    "text/plain",
    "7ZZZZZZZZZZZZ",
    "ZZZZZZZZZZZZZ",
    "0000000000000",
    "sandbox",
    "\0",
    "\r\nX-Injected: 1",
    "'; DROP TABLE messages; --",
    '{"a": [1]}',
    "%s%n%x {0}",
    "../../etc/passwd",
    "\u202e\u2028\u0000\u200b",
    "\U0001f600" * 70,
    "é" * 2_500,
    "x" * 11_000,
    "\ufdfa" * 129,
    "İ" * 64,
    "=" * 40,
    "AAAA-_AA",
    "waypost.v1.BrokerService",
    "waypost.v1.SendRequest.tokens",
    "waypost.v1.SendRequest.TokensEntry",
    "waypost/v1/send.proto",
    "google.protobuf.Timestamp",
)
INT32S = (0, 1, -1, 2, 100, 101, 1_000, 1_001, 2**31 - 1, -(2**31))
INT64S = (*INT32S, 2**63 - 1, -(2**63), 253_402_300_799, 253_402_300_800, -62_135_596_801, 315_576_000_001)
NUMBERS: dict[int, Sequence[Any]] = {
    FieldDescriptor.CPPTYPE_INT32: INT32S,
    FieldDescriptor.CPPTYPE_INT64: INT64S,
    FieldDescriptor.CPPTYPE_UINT32: (0, 1, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 1, 2**32, 2**64 - 1),
    FieldDescriptor.CPPTYPE_FLOAT: (0.0, -1.5, float("nan"), float("inf")),
    FieldDescriptor.CPPTYPE_DOUBLE: (0.0, -1.5, float("nan"), float("inf")),
    FieldDescriptor.CPPTYPE_BOOL: (False, True),
}
COUNTS = (1, 1, 1, 2, 3, 3, 11, 101)
PLAUSIBLE: dict[str, Sequence[Any]] = {
    "phone_number": ("+447700900123", "+447700900010", "+447700900004"),
    "email": ("ada@example.org",),
    "text": ("Hello", "Grüße €", "\U0001f600"),
    "subject": ("Hi",),
    "body": ("Hello",),
    "request_id": ("again",),
    "sender": ("Waypost", "+447700900123", "12345"),
    "account_id": ("",),
    "provider": ("", "sandbox"),
    "page_size": (0, 1, 1_000),
    "page_token": ("",),
    "url": ("https://example.org/a.png",),
    "content_type": ("image/png",),
    "seconds": (0, 1, 2, 60, 3_600, 1_790_000_000),
    "nanos": (0, 1, 999_999_999),
}
SEED_FIELDS = {"message_id", "message_ids", "reply_to_message_id", "after_cursor", "page_token", "account_id"}
ALWAYS_LIKELY = {"message_id", "after_cursor"}

GOOD_SEND = send_pb2.SendRequest(
    recipients=[recipient_pb2.Recipient(phone_number="+447700900123")],
    content=content_pb2.Content(sms=content_pb2.SmsContent(text="Hello")),
)
GOOD: dict[str, Message] = {
    each.DESCRIPTOR.full_name: each
    for each in (
        GOOD_SEND,
        send_pb2.SendStreamRequest(requests=[GOOD_SEND]),
        GOOD_SEND.content,
        GOOD_SEND.content.sms,
        GOOD_SEND.recipients[0],
    )
}
"""What a wild message would hardly ever become, so that what lies behind the first checks is reached too."""

FD = FieldDescriptor
VARINT, FIXED64, BYTES, GROUP, GROUP_END, FIXED32 = 0, 1, 2, 3, 4, 5


class Tape:
    """Choices, read off drawn bytes; when they are used up each one is the first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        """The next byte, 0 after the end."""
        at, self._at = self._at, self._at + 1
        return self._data[at] if at < len(self._data) else 0

    def below(self, count: int) -> int:
        """A number from 0 to count - 1."""
        if count <= 256:
            return self.byte() * count >> 8
        return (self.byte() << 16 | self.byte() << 8 | self.byte()) % count

    def choice(self, values: Sequence[Any]) -> Any:
        """One of them."""
        return values[self.below(len(values))]

    def noise(self, count_max: int) -> bytes:
        """Some bytes."""
        return bytes(self.byte() for _ in range(self.below(count_max + 1)))


@dataclass
class Builder:
    """Builds messages of any type; `seeds` are ids and cursors that this broker gave."""

    tape: Tape
    seeds: Sequence[str]

    def message(self, descriptor: Descriptor, depth: int = 0) -> Message:
        """Any message of the type, valid as protobuf: at times a good one with a little put in, else wild."""
        message = GetMessageClass(descriptor)()
        good = self.tape.below(3) < 2
        if good and descriptor.full_name in GOOD:
            message.CopyFrom(GOOD[descriptor.full_name])
        for field in descriptor.fields:
            share = 25 if good and field.name not in ALWAYS_LIKELY else 128
            if self.tape.byte() >= 256 - share:
                self._fill(message, field, depth)
        return message

    def _fill(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        target = getattr(message, field.name)
        if is_map(field):
            key, value = field.message_type.fields
            for _ in range(self.tape.choice(COUNTS)):
                if value.type == FD.TYPE_MESSAGE:
                    target[self._scalar(key)].CopyFrom(self.message(value.message_type, depth + 1))
                else:
                    target[self._scalar(key)] = self._scalar(value)
        elif field.type == FD.TYPE_MESSAGE:
            if depth >= DEPTH_MAX:
                return
            if field.is_repeated:
                made = self.message(field.message_type, depth + 1)
                room = REPEATED_BYTES_MAX // (1 + made.ByteSize())
                target.extend([made] * min(self.tape.choice(COUNTS), max(1, room)))
            else:
                target.CopyFrom(self.message(field.message_type, depth + 1))
                target.SetInParent()
        elif field.is_repeated:
            target.extend(self._scalar(field) for _ in range(self.tape.choice(COUNTS)))
        else:
            setattr(message, field.name, self._scalar(field))

    def _scalar(self, field: FieldDescriptor) -> Any:
        if self.seeds and field.name in SEED_FIELDS and self.tape.below(2):
            return self.tape.choice(self.seeds)
        if field.name in PLAUSIBLE and self.tape.below(4):
            return self.tape.choice(PLAUSIBLE[field.name])
        return self._any_value(field)

    def _any_value(self, field: FieldDescriptor) -> Any:
        tape = self.tape
        if field.type == FD.TYPE_STRING:
            return tape.choice(STRINGS) + tape.noise(3).decode("latin-1")
        if field.type == FD.TYPE_BYTES:
            return tape.noise(16) * tape.choice((1, 1, 1, 1_000))
        if field.type == FD.TYPE_ENUM:
            return tape.choice((*(value.number for value in field.enum_type.values), 99, -1, 2**31 - 1))
        return tape.choice(NUMBERS[field.cpp_type])


def is_map(field: FieldDescriptor) -> bool:
    """Whether the field is a map."""
    return field.type == FD.TYPE_MESSAGE and field.message_type.GetOptions().map_entry


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    digits = bytearray()
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])


def tag(tape: Tape, descriptor: Descriptor, wire_type: int) -> bytes:
    """The start of a field, usually one that the type has, with whatever wire type."""
    numbers = [field.number for field in descriptor.fields] + [0, 1, 15, 19_000, 2**29 - 1]
    return varint(tape.choice(numbers) << 3 | wire_type)


def lie(tape: Tape, descriptor: Descriptor) -> bytes:
    """A field whose wire type, size or nesting is not what the type says."""
    match tape.below(6):
        case 0:
            return tag(tape, descriptor, VARINT) + b"\xff" * tape.choice((1, 9, 10, 11)) + b"\x01"
        case 1:
            return tag(tape, descriptor, BYTES) + varint(tape.choice((5, 2**31 - 1, 2**32, 2**63))) + b"abc"
        case 2:
            wire_type = tape.choice((VARINT, FIXED64, BYTES, GROUP, GROUP_END, FIXED32, 6, 7))
            return tag(tape, descriptor, wire_type) + tape.noise(8)
        case 3:
            return tag(tape, descriptor, GROUP) * tape.choice((1, 99, 101, 5_000))
        case 4:
            return nested(tag(tape, descriptor, BYTES), tape.choice((2, 99, 101, 300)))
        case _:
            return (
                tag(tape, descriptor, BYTES)
                + varint(4)
                + tape.choice((b"\xff\xfe\xfd\xfc", b"\xed\xa0\x80a"))
            )


def nested(start: bytes, depth: int) -> bytes:
    """A field within itself, so many times."""
    inner = b""
    for _ in range(depth):
        inner = start + varint(len(inner)) + inner
    return inner


def payload(tape: Tape, descriptor: Descriptor, seeds: Sequence[str]) -> bytes:
    """The bytes of one request: half of the time a valid message, else something made of one."""
    valid = Builder(tape, seeds).message(descriptor).SerializeToString()
    match tape.below(10):
        case 5:
            return valid[: tape.below(len(valid) + 1)]
        case 6:
            flipped = bytearray(valid or b"\0")
            for _ in range(1 + tape.below(8)):
                flipped[tape.below(len(flipped))] ^= 1 << tape.below(8)
            return bytes(flipped)
        case 7:
            at = tape.below(len(valid) + 1)
            return valid[:at] + tape.noise(16) + valid[at:]
        case 8:
            return valid + lie(tape, descriptor) + valid
        case 9:
            return tape.noise(64)
        case _:
            return valid


HOSTILE_METADATA: Sequence[Sequence[tuple[str, str | bytes]]] = (
    (),
    (("authorization", ""),),
    (("authorization", "Bearer"),),
    (("authorization", "Bearer  "),),
    (("authorization", "Basic YTpi"),),
    (("authorization", "Bearer wp_"),),
    (("authorization", "Bearer wp_0000000000000_x"),),
    (("authorization", "Bearer wp_ZZZZZZZZZZZZZ_" + "x" * 43),),
    (("authorization", "Bearer " + "x" * 3_000),),
    (("authorization", "Bearer a"), ("authorization", "Bearer b")),
    (("authorization-bin", b"\x00\xff" * 100),),
    (("x-noise", "~ !\"#$%&'()"), ("x-noise-bin", bytes(range(256)))),
)


@dataclass
class Target:
    """A broker to attack, and how many defects it has logged."""

    broker: Any
    channel: grpc.Channel
    seeds: Sequence[str]

    @property
    def metadata(self) -> list[tuple[str, str | bytes]]:
        """Of a caller who may do everything."""
        return [("authorization", f"Bearer {self.broker.key}")]

    def attack(self, path: str, data: bytes) -> None:
        """One call with what the tape says; whatever happens, the broker says properly what was wrong."""
        method, tape = METHODS[path], Tape(data)
        frames = [payload(tape, method.input_type, self.seeds) for _ in range(self._frames(method, tape))]
        metadata = self.metadata if tape.below(8) < 7 else [*tape.choice(HOSTILE_METADATA)]
        answers, ending = call(self.channel, path, method, frames, metadata)
        for answer in answers:
            self._check_answer(GetMessageClass(method.output_type).FromString(answer))
        if ending is not None:
            check_ending(path, ending)

    def _frames(self, method: MethodDescriptor, tape: Tape) -> int:
        return tape.choice((1, 1, 2, 3)) if method.client_streaming else 1

    def _check_answer(self, answer: Message) -> None:
        if isinstance(answer, send_pb2.SendStreamResponse):
            for result in answer.responses:
                assert result.error.code not in {code_pb2.INTERNAL, code_pb2.UNKNOWN}, result
                assert bool(result.error.code) == bool(result.error.reason), result

    def check_alive(self) -> None:
        """It is the same process, it serves, and nothing surprised it."""
        answer = health_pb2_grpc.HealthStub(self.channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
        assert health_pb2.HealthCheckResponse.SERVING == answer.status
        assert [] == [line for line in self.broker.log.read_text().splitlines() if '"rpc.defect"' in line]


def call(
    channel: grpc.Channel,
    path: str,
    method: MethodDescriptor,
    frames: list[bytes],
    metadata: Sequence[tuple[str, str | bytes]],
) -> tuple[list[bytes], grpc.RpcError | None]:
    """The answers, and how the call failed if it did. Of an endless stream only the first answer is read."""
    keywords = {"metadata": metadata, "timeout": ANSWER_S_MAX}
    try:
        if not method.server_streaming:
            return [channel.unary_unary(path)(frames[0], **keywords)], None
        if method.client_streaming:
            return list(channel.stream_stream(path)(iter(frames), **keywords)), None
        stream = channel.unary_stream(path)(frames[0], **keywords)
        first = next(stream)
        stream.cancel()
    except grpc.RpcError as error:
        return [], error
    return [first], None


def check_ending(path: str, error: Any) -> None:
    """A code that blames the caller; from our own services always with our ErrorInfo."""
    assert error.code() in BLAMELESS, error
    if not path.startswith(OWN):
        return
    status = rpc_status.from_call(error)
    assert status is not None, error
    info = error_details_pb2.ErrorInfo()
    infos = [each for each in status.details if each.Is(info.DESCRIPTOR)]
    assert 1 == len(infos), status
    assert infos[0].Unpack(info)
    assert "waypost" == info.domain
    assert info.reason


@pytest.fixture(scope="module")
def target(broker: Any) -> Iterator[Target]:
    """The broker, with a message in it whose id and cursor the attacks may use."""
    with grpc.insecure_channel(broker.address) as channel:
        target = Target(broker, channel, ())
        stub = BrokerServiceStub(channel)
        sent = stub.Send(GOOD_SEND, metadata=target.metadata, timeout=10)
        following = stub.Subscribe(
            subscribe_pb2.SubscribeRequest(from_beginning=Empty()), metadata=target.metadata, timeout=10
        )
        cursor = next(following).cursor
        following.cancel()
        target.seeds = (sent.results[0].message_id, cursor, cursor[:-1], cursor.swapcase())
        yield target


def attacks(examples: int) -> Any:
    """The decorators that the short and the long test share."""

    def decorate(test: Any) -> Any:
        unhurried = settings(
            max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        )
        tapes = st.binary(min_size=64, max_size=512)
        return pytest.mark.parametrize("path", METHODS)(unhurried(given(data=tapes)(test)))

    return decorate


@attacks(EXAMPLES)
@example(data=b"")
@example(data=b"\xff" * 512)
def test_a_malformed_request_is_answered_and_never_internal(target: Target, path: str, data: bytes) -> None:
    """Whatever the bytes, the code blames the caller, with ErrorInfo where the method is ours."""
    target.attack(path, data)


@pytest.mark.soak
@pytest.mark.timeout(1_200)
@attacks(EXAMPLES_SOAK)
def test_ten_thousand_malformed_requests_are_answered_and_never_internal(
    target: Target, path: str, data: bytes
) -> None:
    """The same, for longer."""
    target.attack(path, data)


def test_the_broker_serves_after_all_that(target: Target) -> None:
    """Health says so, and the log tells of no defect."""
    target.check_alive()


@pytest.mark.soak
def test_the_broker_serves_after_ten_thousand_of_each(target: Target) -> None:
    """The same, after the long run."""
    target.check_alive()


def test_every_service_is_attacked(target: Target) -> None:
    """What reflection lists is what these tests know of."""
    stub = reflection_pb2_grpc.ServerReflectionStub(target.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = stub.ServerReflectionInfo(iter([request]), timeout=10)
    listed = {service.name for service in answer.list_services_response.service}
    attacked = {path.split("/")[1] for path in METHODS}
    assert set() == listed - attacked
    assert {service.full_name for service in OWN_SERVICES} <= listed


@pytest.mark.parametrize("path", ["/waypost.v1.BrokerService/Recall", "/waypost.v1.Nothing/At"])
def test_a_method_that_there_is_not_is_unimplemented_with_error_info(target: Target, path: str) -> None:
    """So that a client of a newer version learns what it lacks."""
    with pytest.raises(grpc.RpcError) as refused:
        target.channel.unary_unary(path)(b"\x08", metadata=target.metadata, timeout=10)
    assert grpc.StatusCode.UNIMPLEMENTED == refused.value.code()
    check_ending(path, refused.value)
