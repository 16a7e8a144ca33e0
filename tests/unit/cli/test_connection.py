"""Where a key comes from, and what refusals say."""

from pathlib import Path

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2

from broker.cli.connection import Target, explanation, fail, find_key, is_loopback
from broker.cli.exit_codes import ExitCode
from broker.cli.failures import CommandFailed, UsageError

ADDRESS = "127.0.0.1:7070"


@pytest.fixture
def data_dir(tmp_path) -> Path:
    """A data directory with a key."""
    (tmp_path / "admin.key").write_text("wp_found\n")
    return tmp_path


def refusal(code: grpc.StatusCode, message: str, *details: object) -> grpc.aio.AioRpcError:
    """An error as a call raises it, with google.rpc details where there are any."""
    trailing = grpc.aio.Metadata()
    if details:
        status = status_pb2.Status(code=code.value[0], message=message)
        for detail in details:
            status.details.add().Pack(detail)
        trailing.add("grpc-status-details-bin", status.SerializeToString())
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, details=message)


def test_a_key_that_is_given_goes_first(data_dir) -> None:
    """Also on this host."""
    assert "wp_given" == find_key(Target(ADDRESS, "wp_given", data_dir))


@pytest.mark.parametrize("address", [ADDRESS, "localhost:7070", "[::1]:7070"])
def test_a_key_is_found_for_a_broker_on_this_host(address, data_dir) -> None:
    """In its data directory."""
    assert "wp_found" == find_key(Target(address, None, data_dir))


@pytest.mark.parametrize("address", ["192.0.2.7:7070", "broker.example:7070", "127.example:7070"])
def test_a_key_that_is_found_is_for_no_other_host(address, data_dir) -> None:
    """It would be handed to whoever answers there."""
    assert not is_loopback(address)
    with pytest.raises(CommandFailed, match="WAYPOST_KEY"):
        find_key(Target(address, None, data_dir))


def test_a_missing_key_names_the_ways_to_give_one(tmp_path) -> None:
    """And where it was looked for."""
    with pytest.raises(CommandFailed, match=r"--key.*WAYPOST_KEY.*--data-dir.*admin\.key") as failure:
        find_key(Target(ADDRESS, None, tmp_path))
    assert ExitCode.UNREACHABLE == failure.value.exit_code


@pytest.mark.parametrize("key", ["wp_ä", "wp_\n1", "   "])
def test_a_key_that_no_header_can_carry_is_refused(key, data_dir) -> None:
    """Before gRPC does in its own words."""
    with pytest.raises(UsageError):
        find_key(Target(ADDRESS, key, data_dir))


def test_a_refusal_has_its_reason_and_each_violation() -> None:
    """The broker's message is not told twice."""
    bad = error_details_pb2.BadRequest()
    bad.field_violations.add(field="sender", description="is too long")
    bad.field_violations.add(field="tags[0]", description="is empty")
    info = error_details_pb2.ErrorInfo(reason="INVALID_REQUEST", domain="waypost")
    message = "sender: is too long (and 1 more)"
    error = refusal(grpc.StatusCode.INVALID_ARGUMENT, message, info, bad)
    expected = "INVALID_REQUEST:\n  sender: is too long\n  tags[0]: is empty"
    assert expected == explanation(error, ADDRESS)


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        (grpc.StatusCode.UNAVAILABLE, ExitCode.UNREACHABLE),
        (grpc.StatusCode.UNAUTHENTICATED, ExitCode.UNREACHABLE),
        (grpc.StatusCode.PERMISSION_DENIED, ExitCode.UNREACHABLE),
        (grpc.StatusCode.DEADLINE_EXCEEDED, ExitCode.TIMEOUT),
        (grpc.StatusCode.INVALID_ARGUMENT, ExitCode.REFUSED),
        (grpc.StatusCode.ALREADY_EXISTS, ExitCode.REFUSED),
        (grpc.StatusCode.INTERNAL, ExitCode.REFUSED),
    ],
)
def test_a_failed_call_has_an_exit_code(code, exit_code) -> None:
    """One meaning a code."""
    with pytest.raises(CommandFailed) as failure:
        fail(refusal(code, "no"), ADDRESS)
    assert exit_code == failure.value.exit_code


def test_a_failure_without_details_says_who_did_not_answer() -> None:
    """Nobody was there to give a reason."""
    error = refusal(grpc.StatusCode.UNAVAILABLE, "connection refused")
    assert f"no broker answers at {ADDRESS} (connection refused)" == explanation(error, ADDRESS)
