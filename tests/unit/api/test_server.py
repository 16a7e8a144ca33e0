"""The whole server: what is not built, what is no message, health and reflection."""

import asyncio
import random

import grpc
import grpc.aio
import pytest
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from broker.api import (
    account_service,
    broadcast_service,
    broker_service,
    consent_service,
    directory_service,
    health,
    message_service,
    price_service,
    provider_service,
    reflection,
    sender_service,
    template_service,
)
from broker.api.gate import Access
from broker.api.rpc import Services, Unary
from broker.api.server import DEFAULT_LIMITS, server_options

OURS = [
    broker_service.DESCRIPTOR,
    message_service.DESCRIPTOR,
    broadcast_service.DESCRIPTOR,
    directory_service.DESCRIPTOR,
    template_service.DESCRIPTOR,
    sender_service.DESCRIPTOR,
    consent_service.DESCRIPTOR,
    sender_service.DESCRIPTOR,
    provider_service.DESCRIPTOR,
    price_service.DESCRIPTOR,
    account_service.DESCRIPTOR,
]
STANDARD = [
    (health.DESCRIPTOR.full_name, health.DESCRIPTOR),
    *((name, reflection.DESCRIPTOR) for name in reflection.NAMES),
]
METHODS = [
    (f"/{name}/{method.name}", method)
    for name, descriptor in [*((each.full_name, each) for each in OURS), *STANDARD]
    for method in descriptor.methods
]
UNBUILT: list[str] = []
KEY = (("authorization", "Bearer admin-key"),)


def garbage():
    """Bytes that no deserializer should be shown."""
    chance = random.Random(20)
    yield from (
        b"\xff",
        b"\x0a\xff\xff\xff\xff\x0f",
        b"\x0a\x02\xc3\x28",
        b"\x0b" * 300,
        b"\x08" + b"\xff" * 20,
    )
    yield from (chance.randbytes(chance.randrange(1, 60)) for _ in range(15))


async def code_of(api, path, method, data):
    """What a call with these bytes ends with; None where it does not fail within a moment."""
    channel = api.channel
    try:
        if method.client_streaming:
            call = channel.stream_stream(path)(iter([data]), metadata=KEY, timeout=5)
        elif method.server_streaming:
            call = channel.unary_stream(path)(data, metadata=KEY, timeout=5)
        else:
            await channel.unary_unary(path)(data, metadata=KEY, timeout=5)
            return grpc.StatusCode.OK
        async with asyncio.timeout(1):
            await call.read()
    except grpc.aio.AioRpcError as error:
        return error.code()
    call.cancel()
    return grpc.StatusCode.OK


@pytest.mark.parametrize(("path", "method"), METHODS, ids=[path for path, _ in METHODS])
async def test_garbage_is_never_a_defect(api, path, method):
    """Every method of every descriptor; bytes that happen to be a message may even be answered."""
    codes = {await code_of(api, path, method, data) for data in garbage()}
    assert not {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN} & codes
    expected = grpc.StatusCode.UNIMPLEMENTED if method.name in UNBUILT else grpc.StatusCode.INVALID_ARGUMENT
    assert expected in codes


@pytest.mark.parametrize(
    "method", ["BrokerService/Send", "MessageService/GetMessage", "ProviderService/ListProviders"]
)
async def test_bytes_that_are_no_message_are_malformed(api, method):
    """With the reason that says so."""
    refusal = await api.call(method, b"\xff\xff\xff")
    assert (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_REQUEST") == (refusal.code, refusal.reason)


@pytest.mark.parametrize("name", UNBUILT)
async def test_what_is_not_built_says_so(api, name):
    """UNIMPLEMENTED with ErrorInfo, whatever is sent; a key is asked for first."""
    refusal = await api.call(f"BrokerService/{name}", b"")
    stranger = await api.call(f"BrokerService/{name}", b"", key=None)
    assert (grpc.StatusCode.UNIMPLEMENTED, "NOT_IMPLEMENTED") == (refusal.code, refusal.reason)
    assert "KEY_MISSING" == stranger.reason


@pytest.mark.parametrize("method", ["BrokerService/Nothing", "NoService/ListNothing", ""])
async def test_an_unknown_method_of_ours_says_so(api, method):
    """Also of services that are still to come."""
    refusal = await api.call(method, b"", key=None)
    assert (grpc.StatusCode.UNIMPLEMENTED, "NOT_IMPLEMENTED") == (refusal.code, refusal.reason)


async def test_a_method_of_another_package_is_grpcs_own_affair(api):
    """It has no ErrorInfo."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await api.channel.unary_unary("/other.v1.Service/Method")(b"")
    assert grpc.StatusCode.UNIMPLEMENTED is refused.value.code()


async def test_two_servers_never_share_a_port(api):
    """Each would get some of the calls."""
    second = grpc.aio.server(options=server_options(api.gate, DEFAULT_LIMITS))
    with pytest.raises(RuntimeError):
        second.add_insecure_port(f"127.0.0.1:{api.port}")


async def test_a_message_over_the_limit_is_refused_by_core(api):
    """16 MiB, before a byte of it is parsed."""
    refusal = await api.call("BrokerService/Send", b"\x0a" * (16 * 1024 * 1024 + 1))
    assert grpc.StatusCode.RESOURCE_EXHAUSTED is refusal.code


def test_a_method_that_the_descriptor_lacks_is_a_mistake(api):
    """Found when the server is built."""
    with pytest.raises(ValueError, match="Sned"):
        Services(api.gate).add(broker_service.DESCRIPTOR, {"Sned": Unary(None, Access.SEND)})


async def check(api, service):
    rpc = api.channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        health_pb2.HealthCheckRequest.SerializeToString,
        health_pb2.HealthCheckResponse.FromString,
    )
    return (await rpc(health_pb2.HealthCheckRequest(service=service), timeout=5)).status


def watch(api, service):
    rpc = api.channel.unary_stream(
        "/grpc.health.v1.Health/Watch",
        health_pb2.HealthCheckRequest.SerializeToString,
        health_pb2.HealthCheckResponse.FromString,
    )
    return rpc(health_pb2.HealthCheckRequest(service=service), timeout=5)


@pytest.mark.parametrize("service", ["", *(each.full_name for each in OURS), *(name for name, _ in STANDARD)])
async def test_health_needs_no_key_and_knows_every_service(api, service):
    """SERVING, and NOT_SERVING while the broker drains."""
    before = await check(api, service)
    api.gate.drain()
    api.health.set_serving(serving=False)
    assert (1, 2) == (before, await check(api, service))


async def test_health_of_an_unknown_service_is_not_found(api):
    """As grpc.health.v1 wants it; a watcher is told SERVICE_UNKNOWN instead."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await check(api, "nothing")
    stream = watch(api, "nothing")
    assert (grpc.StatusCode.NOT_FOUND, 3) == (refused.value.code(), (await stream.read()).status)
    stream.cancel()


async def test_a_watcher_sees_every_change_also_after_another_has_left(api):
    """Where the servicer of grpcio-health-checking forgets the second."""
    staying, leaving = watch(api, ""), watch(api, "")
    assert [1, 1] == [(await each.read()).status for each in (staying, leaving)]
    leaving.cancel()
    await api.until(lambda: api.gate.streams.count == 1)
    seen = []
    for serving in (False, True):
        api.health.set_serving(serving=serving)
        seen.append((await staying.read()).status)
    assert [2, 1] == seen
    staying.cancel()


async def reflect(api, version, **question):
    rpc = api.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )
    return await rpc(iter([reflection_pb2.ServerReflectionRequest(**question)]), timeout=5).read()


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_lists_the_services_without_a_key(api, version):
    """Ours, health, and itself."""
    response = await reflect(api, version, list_services="")
    expected = {
        *(each.full_name for each in OURS),
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    assert expected == {each.name for each in response.list_services_response.service}


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_describes_every_service_that_it_lists(api, version):
    """With all the files it needs."""
    listed = await reflect(api, version, list_services="")
    for service in listed.list_services_response.service:
        response = await reflect(api, version, file_containing_symbol=service.name)
        files = [
            descriptor_pb2.FileDescriptorProto.FromString(each)
            for each in response.file_descriptor_response.file_descriptor_proto
        ]
        found = {f"{file.package}.{each.name}" for file in files for each in file.service}
        assert service.name in found
        assert {name for file in files for name in file.dependency} <= {file.name for file in files}
