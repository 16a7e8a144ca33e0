"""A running server, and a client's side of the wire."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2

from broker.api.gate import Gate
from broker.api.health import Health
from tests.unit.api.fakes import (
    NOW_US,
    SENDER,
    FakeKeys,
    Fakes,
)


@dataclass
class Refusal:
    """An error as a client sees it, its details decoded from the trailer."""

    code: grpc.StatusCode
    message: str
    trailer_bytes: int
    info: error_details_pb2.ErrorInfo | None = None
    retry: error_details_pb2.RetryInfo | None = None
    bad_request: error_details_pb2.BadRequest | None = None
    quota: error_details_pb2.QuotaFailure | None = None
    precondition: error_details_pb2.PreconditionFailure | None = None

    @property
    def reason(self) -> str:
        """Ours."""
        return self.info.reason if self.info else ""

    @property
    def violations(self) -> dict[str, str]:
        """The fields that broke a rule, with what was said of each."""
        given = self.bad_request.field_violations if self.bad_request else ()
        return {each.field: each.description for each in given}


DETAILS = {
    "info": error_details_pb2.ErrorInfo,
    "retry": error_details_pb2.RetryInfo,
    "bad_request": error_details_pb2.BadRequest,
    "quota": error_details_pb2.QuotaFailure,
    "precondition": error_details_pb2.PreconditionFailure,
}


def refusal_of(error: grpc.aio.AioRpcError) -> Refusal:
    trailer = error.trailing_metadata()
    packed: bytes = b"" if trailer is None else trailer.get("grpc-status-details-bin", b"")
    refusal = Refusal(error.code(), error.details() or "", len(packed))
    for detail in status_pb2.Status.FromString(packed).details:
        for name, kind in DETAILS.items():
            if detail.Is(kind.DESCRIPTOR):
                unpacked = kind()
                detail.Unpack(unpacked)
                setattr(refusal, name, unpacked)
    return refusal


@dataclass(kw_only=True)
class Api(Fakes):
    """A running server, what is behind it, and a client's side of the wire."""

    gate: Gate
    keys: FakeKeys
    health: Health
    server: grpc.aio.Server
    channel: grpc.aio.Channel
    port: int

    def metadata(self, key: str | None) -> tuple[tuple[str, str], ...]:
        """What goes with each call of a key's."""
        return () if key is None else (("authorization", f"Bearer {key}"),)

    async def call(self, method: str, request: Any, response: Any = None, key: str | None = SENDER) -> Any:
        """A unary call: the response, or a Refusal. A request of bytes goes out as it is."""
        rpc = self.channel.unary_unary(
            f"/waypost.v1.{method}", _to_bytes, None if response is None else response.FromString
        )
        try:
            return await rpc(request, metadata=self.metadata(key), timeout=10)
        except grpc.aio.AioRpcError as error:
            return refusal_of(error)

    def stream(self, method: str, request: Any, response: Any = None, key: str | None = SENDER) -> Any:
        """An open server stream."""
        rpc = self.channel.unary_stream(
            f"/waypost.v1.{method}", _to_bytes, None if response is None else response.FromString
        )
        return rpc(request, metadata=self.metadata(key), timeout=10)

    def converse(self, method: str, response: Any = None, key: str | None = SENDER) -> Any:
        """An open bidirectional stream."""
        rpc = self.channel.stream_stream(
            f"/waypost.v1.{method}", _to_bytes, None if response is None else response.FromString
        )
        return rpc(metadata=self.metadata(key), timeout=10)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what only shows on the server's side."""
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 - nobody announces it
                await asyncio.sleep(0.01)

    async def drained(self, stream: Any) -> tuple[list[Any], Refusal | None]:
        """All that a stream brings, and how it ended badly if it did."""
        received = []
        try:
            while (each := await stream.read()) is not grpc.aio.EOF:
                received.append(each)
        except grpc.aio.AioRpcError as error:
            return received, refusal_of(error)
        return received, None


def at(offset_us: int) -> Timestamp:
    """So many microseconds after the second in which all of this is."""
    return Timestamp(seconds=NOW_US // 1_000_000, nanos=offset_us * 1_000)


def _to_bytes(request: Any) -> bytes:
    return request if isinstance(request, bytes) else request.SerializeToString()
