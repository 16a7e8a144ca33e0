"""The door: TLS that is renewed while it serves, certificates of clients, and callers that mean harm."""

import contextlib
import resource
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from broker.cli.exit_codes import ExitCode
from waypost.v1 import account_service_pb2, account_service_pb2_grpc

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION = 0x1, 0x3, 0x4, 0x6, 0x9
END_HEADERS = 0x4
CANCEL = struct.pack("!I", 8)
RENEWED_S_MAX = 20
GROWTH_BYTES_MAX = 100 * 1024 * 1024
"""What the process may grow by under attack; a bomb that goes off takes more."""


def pair(directory: Path, name: str) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True, timeout=60
    )
    return certificate, key


def serves(address: str, trusted: Path, client: tuple[Path, Path] | None = None) -> bool:
    """Whether a new connection that trusts a certificate is answered."""
    own = (None, None) if client is None else (client[1].read_bytes(), client[0].read_bytes())
    credentials = grpc.ssl_channel_credentials(trusted.read_bytes(), *own)
    # Channels with the same arguments share connections, and this wants one of its own.
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.secure_channel(address, credentials, options) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
        except (
            grpc.RpcError
        ):  # the handshake failed; what else might have, the other answers of each test tell
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def until(condition: Any) -> None:
    """Wait for what the broker does by itself."""
    end = time.monotonic() + RENEWED_S_MAX
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)


def test_a_certificate_is_renewed_without_a_restart(broker_factory: Any, tmp_path: Path) -> None:
    """New connections get the new one, those that are open stay open, and what is broken is not taken."""
    old, new = pair(tmp_path, "old"), pair(tmp_path, "new")
    files = (tmp_path / "served.pem", tmp_path / "served.key")
    for source, target in zip(old, files, strict=True):
        shutil.copy(source, target)
    broker = broker_factory(server={"tls_certificate": str(files[0]), "tls_key": str(files[1])})
    assert [True, False] == [serves(broker.address, each[0]) for each in (old, new)]
    with grpc.secure_channel(broker.address, grpc.ssl_channel_credentials(old[0].read_bytes())) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        health.Check(health_pb2.HealthCheckRequest(), timeout=5)
        files[1].write_text("half a key")
        until(lambda: "tls.reload_failed" in broker.log.read_text())
        assert serves(broker.address, old[0])
        for source, target in zip(new, files, strict=True):
            shutil.copy(source, target)
        until(lambda: "tls.reloaded" in broker.log.read_text())
        assert [False, True] == [serves(broker.address, each[0]) for each in (old, new)]
        health.Check(health_pb2.HealthCheckRequest(), timeout=5)
    assert "half a key" not in broker.log.read_text()


def test_clients_need_a_certificate_where_the_settings_say_so(broker_factory: Any, tmp_path: Path) -> None:
    """One of an authority that is named; none, or anybody's, is not enough."""
    own, friend, stranger = (pair(tmp_path, name) for name in ("own", "friend", "stranger"))
    broker = broker_factory(
        server={
            "tls_certificate": str(own[0]),
            "tls_key": str(own[1]),
            "tls_client_ca": str(friend[0]),
        }
    )
    expected = [True, False, False]
    assert expected == [serves(broker.address, own[0], each) for each in (friend, stranger, None)]
    for client, code in ((friend, 0), (None, ExitCode.UNREACHABLE)):
        pair_ = (
            {}
            if client is None
            else {"WAYPOST_TLS_CERTIFICATE": str(client[0]), "WAYPOST_TLS_KEY": str(client[1])}
        )
        command = [sys.executable, "-m", "broker", "accounts", "show", "--tls-ca", str(own[0])]
        finished = subprocess.run(
            command, env={**broker.environment, **pair_}, capture_output=True, timeout=60, check=False
        )
        assert code == finished.returncode, finished.stderr


def test_reflection_is_for_keys_where_the_settings_say_so(broker_factory: Any) -> None:
    """Health stays open, since who asks for it seldom has a key."""
    broker = broker_factory(server={"reflection_needs_key": True})
    question = reflection_pb2.ServerReflectionRequest(list_services="")
    with grpc.insecure_channel(broker.address) as channel:
        reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            next(reflection.ServerReflectionInfo(iter([question]), timeout=5))
        assert grpc.StatusCode.UNAUTHENTICATED is refused.value.code()
        metadata = [("authorization", f"Bearer {broker.key}")]
        (answer,) = reflection.ServerReflectionInfo(iter([question]), metadata=metadata, timeout=5)
        assert "waypost.v1.BrokerService" in {each.name for each in answer.list_services_response.service}
        assert alive(broker)


# Callers that mean harm.


@pytest.fixture
def attacked(module_broker: Any) -> Iterator[Any]:
    """A broker that each attack has to leave alive and hardly larger."""
    process = psutil.Process(module_broker.process.pid)
    before = process.memory_info().rss
    yield module_broker
    assert alive(module_broker)
    assert process.memory_info().rss - before < GROWTH_BYTES_MAX


def alive(broker: Any) -> bool:
    """Whether a new connection gets health and an answer from the store."""
    with grpc.insecure_channel(broker.address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=20)
        account_service_pb2_grpc.AccountServiceStub(channel).GetAccount(
            account_service_pb2.GetAccountRequest(),
            metadata=[("authorization", f"Bearer {broker.key}")],
            timeout=20,
        )
    return bool(health.status == health_pb2.HealthCheckResponse.SERVING)


def frame(kind: int, payload: bytes, *, flags: int = 0, stream: int = 0) -> bytes:
    """An HTTP/2 frame."""
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload


def headers_of_a_call() -> bytes:
    """A call of ListMessages, in HPACK without tables."""

    def text(value: str) -> bytes:
        return bytes([len(value)]) + value.encode()

    names = (
        b"\x83\x86" + b"\x04" + text("/waypost.v1.MessageService/ListMessages") + b"\x01" + text("waypost")
    )
    return names + b"\x0f\x10" + text("application/grpc") + b"\x00" + text("te") + text("trailers")


@contextlib.contextmanager
def raw(broker: Any) -> Iterator[socket.socket]:
    """A connection that has greeted."""
    host, port = broker.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(PREFACE + frame(SETTINGS, b""))
        yield connection


def poured(connection: socket.socket, piece: bytes, times: int) -> bool:
    """Whether the broker ended the connection while, or after, so much was sent."""
    try:
        for _ in range(times):
            connection.sendall(piece)
        connection.settimeout(5)
        while connection.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def reset_streams(broker: Any, count: int) -> None:
    """Open so many streams on one connection, each cancelled at once."""
    with raw(broker) as connection, contextlib.suppress(OSError):
        call = headers_of_a_call()
        for stream in range(1, 2 * count, 2):
            connection.sendall(
                frame(HEADERS, call, flags=END_HEADERS, stream=stream)
                + frame(RST_STREAM, CANCEL, stream=stream)
            )


def test_streams_that_are_cancelled_at_once_do_no_harm(attacked: Any) -> None:
    """Rapid reset: others are answered meanwhile, and afterwards."""
    for _ in range(3):
        reset_streams(attacked, 1_000)
        assert alive(attacked)


def test_who_only_pings_is_hung_up_on(attacked: Any) -> None:
    """After a few."""
    with raw(attacked) as connection:
        assert poured(connection, frame(PING, b"12345678") * 100, 100)
    assert alive(attacked)


def test_headers_without_an_end_are_not_kept(attacked: Any) -> None:
    """Continued over and over: what is more than the broker allows of metadata is thrown away as it comes."""
    continue_headers(attacked, 20_000)
    assert alive(attacked)


def continue_headers(broker: Any, count: int) -> None:
    """One call, with headers of so many frames of 16 KiB, until the broker hangs up."""
    field = b"\x00" + b"\x01x" + b"\x7f\x81\x7e" + b"y" * 16_256
    with raw(broker) as connection, contextlib.suppress(OSError):
        connection.sendall(frame(HEADERS, headers_of_a_call(), stream=1))
        for _ in range(count):
            connection.sendall(frame(CONTINUATION, field, stream=1))


def test_settings_that_never_stop_do_no_harm(attacked: Any) -> None:
    """Each asks for an answer; whoever reads none gets no more memory for them."""
    flood(attacked, SETTINGS, b"", 20_000)
    assert alive(attacked)


def flood(broker: Any, kind: int, payload: bytes, count: int) -> None:
    """Send so many frames of a kind, reading nothing, until the broker hangs up or takes no more."""
    with raw(broker) as connection, contextlib.suppress(OSError):
        connection.settimeout(5)
        for _ in range(count // 100):
            connection.sendall(frame(kind, payload) * 100)


def test_connections_that_say_nothing_cost_little(attacked: Any) -> None:
    """Some hundred here, ten thousand in the soak."""
    hold_idle(attacked, 300)


def hold_idle(broker: Any, count: int) -> None:
    """Others are answered while so many connections are open, half of them without a greeting."""
    host, port = broker.address.rsplit(":", 1)
    with contextlib.ExitStack() as opened:
        for number in range(count):
            connection = opened.enter_context(socket.create_connection((host, int(port)), timeout=20))
            if number % 2:
                connection.sendall(PREFACE + frame(SETTINGS, b""))
        assert alive(broker)


@pytest.mark.parametrize("megabytes", [17, 64])
def test_a_request_that_is_too_large_is_refused(attacked: Any, megabytes: int) -> None:
    """Before it is read whole, key or none."""
    assert grpc.StatusCode.RESOURCE_EXHAUSTED is sent(attacked, bytes(megabytes << 20))


def test_a_request_that_unpacks_to_much_is_refused_packed(attacked: Any) -> None:
    """A compressed one is never unpacked: a thousandth of it would do."""
    code = sent(attacked, bytes(128 << 20), grpc.Compression.Gzip)
    assert grpc.StatusCode.UNIMPLEMENTED is code


@pytest.mark.parametrize("method", ["BrokerService/SendStream", "BroadcastService/UploadAudience"])
@pytest.mark.parametrize(
    ("megabytes", "compression", "expected"),
    [
        (17, None, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (64, grpc.Compression.Gzip, grpc.StatusCode.UNIMPLEMENTED),
    ],
    ids=["large", "packed"],
)
def test_a_stream_takes_no_more_than_a_call(
    attacked: Any, method: str, megabytes: int, compression: Any, expected: grpc.StatusCode
) -> None:
    """Each message of it is held to the same."""
    options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(attacked.address, options) as channel:
        call = channel.stream_stream(f"/waypost.v1.{method}")
        answers = call(
            iter([bytes(megabytes << 20)]),
            compression=compression,
            metadata=[("authorization", f"Bearer {attacked.key}")],
            timeout=60,
        )
        with pytest.raises(grpc.RpcError) as refused:
            list(answers)
    assert expected is refused.value.code()


def test_metadata_that_is_too_large_is_refused(attacked: Any) -> None:
    """It never reaches a method."""
    assert grpc.StatusCode.RESOURCE_EXHAUSTED is sent(attacked, b"", metadata=[("x-much", "x" * 40_000)])


def sent(
    broker: Any, request: bytes, compression: Any = None, metadata: list[tuple[str, str]] | None = None
) -> grpc.StatusCode:
    """How a call with these bytes ends."""
    options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(broker.address, options) as channel:
        call = channel.unary_unary("/waypost.v1.BrokerService/Send")
        with pytest.raises(grpc.RpcError) as refused:
            call(request, compression=compression, metadata=metadata or [], timeout=60)
        code: grpc.StatusCode = refused.value.code()
    return code


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_an_attack_that_goes_on_costs_no_more(broker_factory: Any) -> None:
    """What the first half of it made the process grow by is all: nothing of a connection stays behind."""
    broker = broker_factory()
    process = psutil.Process(broker.process.pid)
    attack(broker)
    before = process.memory_info().rss
    attack(broker)
    assert process.memory_info().rss - before < GROWTH_BYTES_MAX


def attack(broker: Any) -> None:
    """150,000 resets, floods of every kind, idle connections up to ten thousand as the system allows, and bombs."""
    for _ in range(10):
        reset_streams(broker, 15_000)
        assert alive(broker)
    for kind, payload in ((PING, b"12345678"), (SETTINGS, b"")):
        for _ in range(10):
            flood(broker, kind, payload, 50_000)
            assert alive(broker)
    for _ in range(10):
        continue_headers(broker, 50_000)
    assert alive(broker)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        hold_idle(broker, min(10_000, hard - 1_000))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for _ in range(3):
        assert grpc.StatusCode.UNIMPLEMENTED is sent(broker, bytes(512 << 20), grpc.Compression.Gzip)
    assert alive(broker)
