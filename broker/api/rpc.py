"""Turns async functions into gRPC methods that never leak a defect, a codec error or a missing method.

A service names its methods in a mapping, and its descriptor says which there should be: one without an
implementation answers UNIMPLEMENTED with ErrorInfo. Whatever goes wrong in a method leaves as a status
with ErrorInfo; bytes that are no message of the method's type become the value MALFORMED, since an
exception within a deserializer would leave as UNKNOWN.

Everything leaves as bytes: a frame can be encoded once and sent to many, and no codec fails outside.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import grpc
import grpc.aio
import structlog
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import status_pb2
from grpc_status.rpc_status import to_status

from broker.api.gate import Access, Gate, Lane
from broker.api.status import grpc_status
from broker.domain.access import Principal
from broker.errors import BrokerError, ErrorReason
from broker.telemetry import places_of

log = structlog.get_logger("broker.api")

OWN_PACKAGE = "/waypost.v1."

if TYPE_CHECKING:  # generic for mypy only
    MethodHandler = grpc.RpcMethodHandler[Any, Any]
else:
    MethodHandler = grpc.RpcMethodHandler


class Undecoded(Enum):
    """What stands in for a request whose bytes could not be read."""

    MALFORMED = "no message of the method's type"


MALFORMED = Undecoded.MALFORMED
EOF: Any = grpc.aio.EOF


class BareStatus(Exception):
    """How a method of a standard service ends, where its contract names a code and nothing of ours."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


class Conversation(Protocol):
    """Both directions of a bidirectional stream; grpc.aio's context is one."""

    async def read(self) -> Any:
        """The next request, MALFORMED, or EOF."""

    async def write(self, message: bytes) -> None:
        """Send a serialised response."""


@dataclass(frozen=True, slots=True)
class Unary:
    """One request, one response."""

    answer: Callable[[Principal, Any], Awaitable[Message]]
    access: Access


@dataclass(frozen=True, slots=True)
class ServerStream:
    """One request, many serialised responses. `follow` judges the request and hands out the responses."""

    follow: Callable[[Principal, Any], Awaitable[AsyncGenerator[bytes, None]]]
    access: Access


@dataclass(frozen=True, slots=True)
class ClientStream:
    """Many requests, one response."""

    collect: Callable[[Principal, Conversation], Awaitable[Message]]
    access: Access


@dataclass(frozen=True, slots=True)
class Bidirectional:
    """Requests and responses, each side at its own pace."""

    converse: Callable[[Principal, Conversation], Awaitable[None]]
    access: Access


Method = Unary | ServerStream | ClientStream | Bidirectional
_Work = Callable[[Principal, Any, Any], Awaitable[Any]]


class Services(grpc.GenericRpcHandler):
    """All methods of all services by path: one look-up for each call."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._handlers: dict[str, MethodHandler] = {}

    def add(
        self, descriptor: ServiceDescriptor, methods: Mapping[str, Method], *, name: str | None = None
    ) -> None:
        """Serve every method of the descriptor, under its own name or another one."""
        unknown = methods.keys() - descriptor.methods_by_name.keys()
        if unknown:
            raise ValueError(f"{descriptor.full_name} has no methods {sorted(unknown)}")
        for each in descriptor.methods:
            path = f"/{name or descriptor.full_name}/{each.name}"
            self._handlers[path] = _handler(self._gate, path, each, methods.get(each.name))

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> MethodHandler | None:
        """The handler of a call; for an unknown method of ours one that says so with ErrorInfo."""
        path = handler_call_details.method
        handler = self._handlers.get(path)
        if handler is None and path.startswith(OWN_PACKAGE):
            return _absent(self._gate, path, Access.OPEN)
        return handler


def decoder(message_type: type[Message]) -> Callable[[bytes], Message | Undecoded]:
    """A deserializer that never raises."""
    parse = message_type.FromString

    def decode(data: bytes) -> Message | Undecoded:
        try:
            return parse(data)
        except DecodeError:
            return MALFORMED

    return decode


async def requests_of(conversation: Conversation) -> AsyncIterator[Any]:
    """The requests of a conversation to its end. Raises BrokerError at a malformed one."""
    while (request := await conversation.read()) is not EOF:
        if request is MALFORMED:
            raise BrokerError(ErrorReason.MALFORMED_REQUEST)
        yield request


def _handler(gate: Gate, path: str, descriptor: MethodDescriptor, method: Method | None) -> MethodHandler:
    decode = decoder(GetMessageClass(descriptor.input_type))
    match method:
        case None:
            return _absent(gate, path, Access.READ)
        case Unary(answer, access):
            lane = Lane(gate.calls.count_max) if access is Access.OPEN else gate.calls
            return grpc.unary_unary_rpc_method_handler(
                _guarded(gate, lane, access, path, _unary(answer)),
                request_deserializer=decode,
            )
        case ServerStream(follow, access):
            return grpc.unary_stream_rpc_method_handler(
                _guarded(gate, gate.streams, access, path, _server_stream(follow)),
                request_deserializer=decode,
            )
        case ClientStream(collect, access):
            return grpc.stream_unary_rpc_method_handler(
                _guarded(gate, gate.streams, access, path, _client_stream(collect)),
                request_deserializer=decode,
            )
        case Bidirectional(converse, access):
            return grpc.stream_stream_rpc_method_handler(
                _guarded(gate, gate.streams, access, path, _bidirectional(converse)),
                request_deserializer=decode,
            )


def _absent(gate: Gate, path: str, access: Access) -> MethodHandler:
    """A handler for any shape of call that reads nothing and answers UNIMPLEMENTED."""

    async def refuse(_caller: Principal, _requests: Any, _context: Any) -> None:
        raise BrokerError(ErrorReason.NOT_IMPLEMENTED)

    return grpc.stream_stream_rpc_method_handler(_guarded(gate, gate.streams, access, path, refuse))


def _unary(answer: Callable[[Principal, Any], Awaitable[Message]]) -> _Work:
    async def work(caller: Principal, request: Any, _context: Any) -> bytes:
        if request is MALFORMED:
            raise BrokerError(ErrorReason.MALFORMED_REQUEST)
        # Serialised here and not by grpc: what fails here is still reported and answered.
        return (await answer(caller, request)).SerializeToString()

    return work


def _server_stream(follow: Callable[[Principal, Any], Awaitable[AsyncGenerator[bytes, None]]]) -> _Work:
    async def work(caller: Principal, request: Any, context: Any) -> None:
        if request is MALFORMED:
            raise BrokerError(ErrorReason.MALFORMED_REQUEST)
        async with contextlib.aclosing(await follow(caller, request)) as frames:
            async for frame in frames:
                await context.write(frame)

    return work


def _client_stream(collect: Callable[[Principal, Conversation], Awaitable[Message]]) -> _Work:
    async def work(caller: Principal, _requests: Any, context: Any) -> bytes:
        return (await collect(caller, context)).SerializeToString()

    return work


def _bidirectional(converse: Callable[[Principal, Conversation], Awaitable[None]]) -> _Work:
    async def work(caller: Principal, _requests: Any, context: Any) -> None:
        await converse(caller, context)

    return work


def _guarded(gate: Gate, lane: Lane, access: Access, path: str, work: _Work) -> Callable[[Any, Any], Any]:
    """`work` behind the gate, with every failure made into a status. Cancellation passes through."""
    ended = partial(gate.metrics.calls.labels, path[1:])
    answered = ended("OK")
    # How long a stream was open says nothing about the broker.
    seconds = None if lane is gate.streams else gate.metrics.call_seconds.labels(path[1:])

    async def handle(request: Any, context: Any) -> Any:
        began = time.monotonic()
        try:
            with lane:
                answer = await work(await gate.admit(context, access), request, context)
        except BrokerError as error:
            refusal = grpc_status(error)
        except BareStatus as bare:
            refusal = to_status(status_pb2.Status(code=bare.code.value[0], message=bare.message))
        except (grpc.aio.BaseError, asyncio.CancelledError):
            ended("CANCELLED").inc()
            raise  # the caller is gone or the server stopped: nobody is left to answer
        except Exception as defect:  # noqa: BLE001 - the last guard before the wire
            refusal = grpc_status(_report(path, defect))
        else:
            answered.inc()
            if seconds is not None:
                seconds.observe(time.monotonic() - began)
            return answer
        ended(refusal.code.name).inc()
        return await context.abort_with_status(refusal)

    return handle


def _report(path: str, defect: Exception) -> BrokerError:
    """Log where a defect happened, never what it said: a message may quote a caller's text."""
    log.error("rpc.defect", method=path, exception=type(defect).__qualname__, at=places_of(defect))
    return BrokerError(ErrorReason.INTERNAL_ERROR)
