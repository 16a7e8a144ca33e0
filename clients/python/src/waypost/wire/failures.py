"""What a failed call says: a gRPC status with google.rpc details, or a SendError of a stream."""

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2

from waypost.errors import KINDS, Unavailable, Violation, WaypostError
from waypost.v1 import send_pb2
from waypost.wire.times import span_of

DETAILS_TRAILER = "grpc-status-details-bin"
DOMAIN = "waypost"

# What gRPC and proxies say of a stream that broke under them. The broker itself never speaks without
# ErrorInfo, so without it these mean what UNAVAILABLE means.
_BROKEN_ROAD = frozenset({"CANCELLED", "INTERNAL", "UNKNOWN"})


def error_of_call(error: grpc.aio.AioRpcError) -> WaypostError:
    """The failure of a call."""
    code, message = error.code().name, error.details() or "no details"
    status = _details(error)
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        # Each unpacks only what it is.
        _ = detail.Unpack(info) or detail.Unpack(bad) or detail.Unpack(retry)
    if info.domain != DOMAIN:
        kind = Unavailable if code in _BROKEN_ROAD else KINDS.get(code, WaypostError)
        return kind(code, code, message)
    return KINDS.get(code, WaypostError)(
        code,
        info.reason,
        status.message,
        tuple(Violation(each.field, each.description) for each in bad.field_violations),
        span_of(retry.retry_delay) if retry.HasField("retry_delay") else None,
        dict(info.metadata),
    )


def error_of_answer(error: send_pb2.SendError) -> WaypostError:
    """The failure of one request of a stream."""
    code = _CODE_NAMES.get(error.code, "UNKNOWN")
    return KINDS.get(code, WaypostError)(
        code,
        error.reason,
        error.message,
        tuple(Violation(each.field, each.description) for each in error.field_violations),
        span_of(error.retry_delay) if error.HasField("retry_delay") else None,
    )


_CODE_NAMES = {number: name for name, number in code_pb2.Code.items()}


def _details(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    """The details that came along; none where there are none, or where they cannot be read."""
    for name, value in error.trailing_metadata() or ():
        if name == DETAILS_TRAILER:
            try:
                return status_pb2.Status.FromString(value if isinstance(value, bytes) else value.encode())
            except DecodeError:
                break
    return status_pb2.Status()
