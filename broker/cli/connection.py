"""A connection to a broker: where it is, the key that opens it, and what its refusals say."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import NoReturn

import grpc
import grpc.aio
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from broker.cli.exit_codes import ExitCode
from broker.cli.failures import CommandFailed, UsageError
from waypost.v1 import (
    account_service_pb2_grpc,
    broadcast_service_pb2_grpc,
    broker_service_pb2_grpc,
    consent_service_pb2_grpc,
    directory_service_pb2_grpc,
    message_service_pb2_grpc,
    price_service_pb2_grpc,
    provider_service_pb2_grpc,
    sender_service_pb2_grpc,
    template_service_pb2_grpc,
)

CALL_TIMEOUT_S = 30.0
"""For calls that answer at once. A stream has no deadline."""

MESSAGE_BYTES_MAX = 64 * 1024 * 1024

OWN_PAIR = ("WAYPOST_TLS_KEY", "WAYPOST_TLS_CERTIFICATE")
"""Variables with files, PEM: what this client shows to a broker that wants a certificate."""

_CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    # A peer that vanished without a word is noticed within half a minute, also while a stream is silent.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Our own pauses between attempts are the ones that count. (The option named min_reconnect_backoff_ms
    # is how long connecting may take; a busy host needs its 20 s.)
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)

_EXIT_CODES = {
    grpc.StatusCode.UNAVAILABLE: ExitCode.UNREACHABLE,
    grpc.StatusCode.UNAUTHENTICATED: ExitCode.UNREACHABLE,
    grpc.StatusCode.PERMISSION_DENIED: ExitCode.UNREACHABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: ExitCode.TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class Target:
    """Which broker, as the options say."""

    address: str
    key: str | None
    data_dir: Path
    tls: bool = False
    tls_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """An open channel and the metadata of each call."""

    address: str
    metadata: Sequence[tuple[str, str]] = field(repr=False)
    broker: "broker_service_pb2_grpc.BrokerServiceAsyncStub"  # this name is in the types only
    messages: "message_service_pb2_grpc.MessageServiceAsyncStub"
    directory: "directory_service_pb2_grpc.DirectoryServiceAsyncStub"
    providers: "provider_service_pb2_grpc.ProviderServiceAsyncStub"
    templates: "template_service_pb2_grpc.TemplateServiceAsyncStub"
    consent: "consent_service_pb2_grpc.ConsentServiceAsyncStub"
    senders: "sender_service_pb2_grpc.SenderServiceAsyncStub"
    accounts: "account_service_pb2_grpc.AccountServiceAsyncStub"
    prices: "price_service_pb2_grpc.PriceServiceAsyncStub"
    broadcasts: "broadcast_service_pb2_grpc.BroadcastServiceAsyncStub"


@asynccontextmanager
async def connected(target: Target) -> AsyncIterator[Connection]:
    """A connection for as long as the block lasts. Connecting happens with the first call."""
    key = find_key(target)
    async with _channel(target) as channel:
        yield Connection(
            address=target.address,
            metadata=[("authorization", f"Bearer {key}")],
            broker=broker_service_pb2_grpc.BrokerServiceStub(channel),
            broadcasts=broadcast_service_pb2_grpc.BroadcastServiceStub(channel),
            messages=message_service_pb2_grpc.MessageServiceStub(channel),
            directory=directory_service_pb2_grpc.DirectoryServiceStub(channel),
            providers=provider_service_pb2_grpc.ProviderServiceStub(channel),
            templates=template_service_pb2_grpc.TemplateServiceStub(channel),
            consent=consent_service_pb2_grpc.ConsentServiceStub(channel),
            senders=sender_service_pb2_grpc.SenderServiceStub(channel),
            accounts=account_service_pb2_grpc.AccountServiceStub(channel),
            prices=price_service_pb2_grpc.PriceServiceStub(channel),
        )


def _channel(target: Target) -> grpc.aio.Channel:
    if not (target.tls or target.tls_ca):
        return grpc.aio.insecure_channel(target.address, options=_CHANNEL_OPTIONS)
    trusted = _read("--tls-ca", target.tls_ca) if target.tls_ca else None
    key, certificate = (
        _read(name, Path(os.environ[name])) if os.environ.get(name) else None for name in OWN_PAIR
    )
    if (key is None) != (certificate is None):
        raise UsageError(f"{' and '.join(OWN_PAIR)} are needed together")
    credentials = grpc.ssl_channel_credentials(trusted, key, certificate)
    return grpc.aio.secure_channel(target.address, credentials, options=_CHANNEL_OPTIONS)


def _read(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{name}: {path}: {error.strerror}") from error


def find_key(target: Target) -> str:
    """The key that was given; else, for a broker on this host, the one in its data directory.

    A key is never looked up for another host: it would be handed to whoever answers there.
    """
    if target.key:
        return _usable(target.key)
    if not is_loopback(target.address):
        raise CommandFailed("no API key: give --key or set WAYPOST_KEY", ExitCode.UNREACHABLE)
    path = target.data_dir / "admin.key"
    try:
        written = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not a key"
        raise CommandFailed(
            f"no API key: give --key, set WAYPOST_KEY, or name the broker's --data-dir ({path}: {why})",
            ExitCode.UNREACHABLE,
        ) from None
    return _usable(written)


def _usable(written: str) -> str:
    key = written.strip()
    if not key or not key.isascii() or not key.isprintable():
        raise UsageError("the API key has characters that no key has")
    return key


def is_loopback(address: str) -> bool:
    """Whether host:port is on this host."""
    host = address.rpartition(":")[0].removeprefix("[").removesuffix("]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def fail(error: grpc.RpcError, address: str) -> NoReturn:
    """Raise what a failed call means to the person at the terminal."""
    assert isinstance(error, grpc.aio.AioRpcError)
    exit_code = _EXIT_CODES.get(error.code(), ExitCode.REFUSED)
    raise CommandFailed(explanation(error, address), exit_code) from error


def explanation(error: grpc.aio.AioRpcError, address: str) -> str:
    """The stable reason, the broker's own words, and each rule that was broken."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # an AioRpcError has what it reads
    if status is None:
        return _without_details(error, address)
    reason, lines = error.code().name, []
    for detail in status.details:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(bad):
            lines = [violation_line(each.field, each.description) for each in bad.field_violations]
    # The broker's words open with the first broken rule where they have nothing else to say.
    told_below = bool(lines) and status.message.startswith(lines[0].strip())
    return "\n".join([f"{reason}:" if told_below else f"{reason}: {status.message}", *lines])


def violation_line(field: str, rule: str) -> str:
    """One broken rule, below the refusal that it belongs to."""
    return f"  {field}: {rule}" if field else f"  {rule}"


def _without_details(error: grpc.aio.AioRpcError, address: str) -> str:
    """What the broker itself did not say: nobody answered, or somebody else did."""
    said = error.details() or "no details"
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        return f"no broker answers at {address} ({said})"
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"the broker at {address} did not answer in time"
    return f"{error.code().name}: {said}"
