"""What a failed call says becomes one exception."""

import pickle
from datetime import timedelta

import grpc
import grpc.aio
import pytest

from broker.api.status import CODES, send_error, status_message
from broker.errors import BrokerError, ErrorReason
from broker.errors import Violation as Broken
from waypost import (
    ClientClosed,
    InvalidArgument,
    NotFound,
    OutOfRange,
    ResourceExhausted,
    Unavailable,
    Violation,
    WaypostError,
)
from waypost.errors import KINDS
from waypost.wire.failures import DETAILS_TRAILER, error_of_answer, error_of_call


def call_error(code, message="said", details=None) -> grpc.aio.AioRpcError:
    """How grpc.aio fails."""
    trailers = grpc.aio.Metadata() if details is None else grpc.aio.Metadata((DETAILS_TRAILER, details))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailers, details=message)


def refused(error: BrokerError) -> WaypostError:
    """What the client makes of the broker's own refusal."""
    return error_of_call(call_error(CODES[error.reason], details=status_message(error).SerializeToString()))


@pytest.mark.parametrize("reason", ErrorReason)
def test_every_reason_of_the_broker_has_its_class(reason) -> None:
    """In a call and in a stream."""
    error = BrokerError(reason)
    kind = KINDS[CODES[reason].name]
    for made in (refused(error), error_of_answer(send_error(error))):
        assert (kind, reason.name, CODES[reason].name, reason.value) == (
            type(made),
            made.reason,
            made.code,
            made.message,
        )


@pytest.mark.parametrize("reason", ErrorReason)
def test_what_the_broker_asks_to_repeat_is_transient(reason) -> None:
    """UNAVAILABLE and RESOURCE_EXHAUSTED, and nothing else."""
    repeatable = CODES[reason] in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert repeatable == refused(BrokerError(reason)).transient


def test_broken_rules_come_along() -> None:
    """With the field that broke each."""
    error = refused(BrokerError(ErrorReason.INVALID_REQUEST, violations=[Broken("tags[0]", "too long")]))
    assert isinstance(error, InvalidArgument)
    assert (Violation("tags[0]", "too long"),) == error.violations
    assert "INVALID_REQUEST: tags[0]: too long\n  tags[0]: too long" == str(error)


def test_the_time_to_come_back_comes_along() -> None:
    """As a timedelta."""
    error = refused(BrokerError(ErrorReason.SUBSCRIBERS_FULL, retry_after_s=2.5))
    assert timedelta(seconds=2.5) == error.retry_after
    assert (
        timedelta(seconds=2.5)
        == error_of_answer(send_error(BrokerError(ErrorReason.QUEUE_FULL, retry_after_s=2.5))).retry_after
    )


def test_what_else_the_broker_said_comes_along() -> None:
    """As the cursor that still works."""
    error = refused(BrokerError(ErrorReason.CURSOR_EXPIRED, metadata={"oldest_cursor": "c"}))
    assert isinstance(error, OutOfRange)
    assert {"oldest_cursor": "c"} == error.metadata


@pytest.mark.parametrize("code", ["UNAVAILABLE", "CANCELLED", "INTERNAL", "UNKNOWN"])
def test_a_stream_that_broke_on_the_way_is_unavailable(code) -> None:
    """The broker never speaks without ErrorInfo: without it, the road speaks."""
    error = error_of_call(call_error(grpc.StatusCode[code], "Socket closed"))
    assert isinstance(error, Unavailable)
    assert (code, code, "Socket closed", True) == (error.code, error.reason, error.message, error.transient)


def test_a_message_that_is_too_large_is_not_repeated() -> None:
    """RESOURCE_EXHAUSTED is what gRPC says to it; from the broker that means to come back later."""
    error = error_of_call(call_error(grpc.StatusCode.RESOURCE_EXHAUSTED, "Sent message larger than max"))
    assert isinstance(error, ResourceExhausted)
    assert not error.transient


def test_details_that_cannot_be_read_are_none() -> None:
    """The code still tells what kind of failure it was."""
    error = error_of_call(call_error(grpc.StatusCode.NOT_FOUND, details=b"\xff"))
    assert (NotFound, "NOT_FOUND") == (type(error), error.reason)


def test_an_unknown_code_is_a_plain_error() -> None:
    """It is caught with all others."""
    error = error_of_call(call_error(grpc.StatusCode.DATA_LOSS))
    assert (WaypostError, "DATA_LOSS") == (type(error), error.code)


@pytest.mark.parametrize(
    "error",
    [refused(BrokerError(ErrorReason.DRAINING, retry_after_s=1, metadata={"a": "b"})), ClientClosed()],
)
def test_an_error_survives_pickling(error) -> None:
    """As between processes."""
    copy = pickle.loads(pickle.dumps(error))
    assert (type(error), vars(error)) == (type(copy), vars(copy))
