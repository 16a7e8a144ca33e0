"""Who is let in: limits, draining, keys in odd shapes."""

import asyncio

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass

from broker.api import directory_service
from broker.api.auth import bearer_secret
from broker.errors import BrokerError, ErrorReason
from waypost.v1 import message_service_pb2, subscribe_pb2


@pytest.mark.parametrize(
    "value", ["Bearer abc", "bearer abc", "BEARER abc", "Bearer   abc  ", b"Bearer abc"], ids=repr
)
def test_a_bearer_secret_is_found(value):
    """The scheme in any case, spaces around, even as bytes."""
    assert "abc" == bearer_secret((("user-agent", "x"), ("authorization", value)))


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        (),
        (("authorization", ""),),
        (("authorization", "Bearer"),),
        (("authorization", "Bearer "),),
        (("authorization", "Basic abc"),),
        (("authorization", b"\xff\xfe"),),
        (("x-authorization", "Bearer abc"),),
    ],
    ids=repr,
)
def test_what_is_no_bearer_secret_is_a_missing_key(metadata):
    """Also what is no text at all."""
    with pytest.raises(BrokerError) as refused:
        bearer_secret(metadata)
    assert ErrorReason.KEY_MISSING is refused.value.reason


@pytest.mark.parametrize("secret", ["ä", "a\x01b", "x" * 513])
def test_a_secret_that_no_key_has_is_invalid(secret):
    """The store is not asked for it."""
    with pytest.raises(BrokerError) as refused:
        bearer_secret((("authorization", f"Bearer {secret}"),))
    assert ErrorReason.KEY_INVALID is refused.value.reason


@pytest.mark.parametrize("limits", [{"calls_max": 1, "streams_max": 1, "frames_in_flight_max": 8}])
async def test_a_call_over_the_limit_is_refused_at_once_with_when_to_come_back(api, sms):
    """Streams are counted apart, and health has no limit of ours."""
    release = asyncio.Event()

    async def wait(_submissions):
        await release.wait()

    api.intake.before = wait
    first = asyncio.create_task(api.call("BrokerService/Send", sms()))
    await api.until(lambda: bool(api.intake.batches))
    second = await api.call("BrokerService/Send", sms())
    _, stream_refusal = await api.drained(api.stream("BrokerService/Subscribe", b""))
    release.set()
    third = await first and await api.call("BrokerService/Send", sms())
    assert (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL") == (second.code, second.reason)
    assert (1, "QUEUE_FULL") == (second.retry.retry_delay.seconds, second.quota.violations[0].subject)
    assert (None, True) == (stream_refusal, isinstance(third, bytes))


@pytest.mark.parametrize("limits", [{"calls_max": 50, "streams_max": 1, "frames_in_flight_max": 8}])
async def test_a_crowd_is_served_or_told_to_come_back_and_never_dropped(api, sms):
    """Core would answer CANCELLED past about 1,000 waiting calls."""

    async def wait(_submissions):
        await asyncio.sleep(0.05)

    api.intake.before = wait
    answers = await asyncio.gather(*(api.call("BrokerService/Send", sms()) for _ in range(1_500)))
    reasons = {each.reason for each in answers if not isinstance(each, bytes)}
    assert {"QUEUE_FULL"} == reasons
    assert any(isinstance(each, bytes) for each in answers)


@pytest.mark.parametrize("limits", [{"calls_max": 9, "streams_max": 1, "frames_in_flight_max": 8}])
async def test_a_stream_over_the_limit_is_refused(api):
    """The place is free again when the first one ends."""
    api.feed.frames, api.feed.waits = [b""], True
    first = api.stream("BrokerService/Subscribe", b"")
    await first.read()
    _, refusal = await api.drained(api.stream("BrokerService/Subscribe", b""))
    assert (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL") == (refusal.code, refusal.reason)
    first.cancel()


async def test_a_caller_that_gives_up_frees_its_place(api, sms):
    """A cancelled call is not a defect."""

    async def wait(_submissions):
        await asyncio.Event().wait()

    api.intake.before = wait
    call = asyncio.create_task(api.call("BrokerService/Send", sms()))
    await api.until(lambda: bool(api.intake.batches))
    call.cancel()
    await api.until(lambda: not api.gate.calls.count)


@pytest.mark.parametrize(
    "method", ["BrokerService/Send", "BrokerService/Broadcast", "MessageService/GetMessage"]
)
async def test_nobody_is_let_in_while_draining(api, sms, method):
    """UNAVAILABLE tells a client library to go elsewhere."""
    api.gate.drain()
    refusal = await api.call(method, b"")
    assert (grpc.StatusCode.UNAVAILABLE, "DRAINING") == (refusal.code, refusal.reason)
    assert 1 == refusal.retry.retry_delay.seconds


@pytest.mark.parametrize(
    ("method", "readable"),
    [
        ("MessageService/GetMessage", True),
        ("MessageService/ListMessages", True),
        ("MessageService/AnalyzeMessage", True),
        ("MessageService/CancelMessage", False),
        ("DirectoryService/GetContact", True),
        ("DirectoryService/ListContacts", True),
        ("DirectoryService/GetGroup", True),
        ("DirectoryService/ListGroups", True),
        ("DirectoryService/ListGroupMembers", True),
        ("DirectoryService/CreateContact", False),
        ("DirectoryService/UpdateContact", False),
        ("DirectoryService/DeleteContact", False),
        ("DirectoryService/CreateGroup", False),
        ("DirectoryService/UpdateGroup", False),
        ("DirectoryService/DeleteGroup", False),
        ("DirectoryService/AddGroupMembers", False),
        ("DirectoryService/RemoveGroupMembers", False),
        ("ProviderService/ListProviders", True),
        ("BrokerService/Send", False),
    ],
)
async def test_a_reader_may_look_and_not_touch(api, method, readable):
    """The same methods, with a key for reading and with none."""
    answer = await api.call(method, b"", key="read-key")
    stranger = await api.call(method, b"", key=None)
    assert readable == (getattr(answer, "reason", "") != "ROLE_INSUFFICIENT")
    assert (grpc.StatusCode.UNAUTHENTICATED, "KEY_MISSING") == (stranger.code, stranger.reason)


async def test_every_unary_method_with_an_account_keeps_accounts_apart(api):
    """Another account's is as absent as one that does not exist."""
    other = "0000000000002"
    for request in (
        message_service_pb2.GetMessageRequest(message_id="0" * 13, account_id=other),
        message_service_pb2.ListMessagesRequest(account_id=other),
        message_service_pb2.CancelMessageRequest(message_id="0" * 13, account_id=other),
    ):
        method = request.DESCRIPTOR.name.removesuffix("Request")
        refusal = await api.call(f"MessageService/{method}", request)
        assert (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND") == (refusal.code, refusal.reason)
    for each in directory_service.DESCRIPTOR.methods:
        request = GetMessageClass(each.input_type)(account_id=other)
        refusal = await api.call(f"DirectoryService/{each.name}", request)
        assert (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND") == (refusal.code, refusal.reason)
    _, refusal = await api.drained(
        api.stream("BrokerService/Subscribe", subscribe_pb2.SubscribeRequest(account_id=other))
    )
    assert "ACCOUNT_NOT_FOUND" == refusal.reason
