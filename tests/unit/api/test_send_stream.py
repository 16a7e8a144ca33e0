"""SendStream: frames answered in order, failures inside, and how a stream ends."""

import asyncio

import grpc
import pytest

from broker.errors import BrokerError, ErrorReason
from waypost.v1 import send_pb2

STREAM = "BrokerService/SendStream"


def frame(*requests):
    return send_pb2.SendStreamRequest(requests=requests)


def references(response):
    return [each.response.results[0].client_reference for each in response.responses]


async def test_frames_are_answered_in_the_order_they_came_although_later_ones_are_stored_first(api, sms):
    """The first frame's commit waits for the second's."""
    second_is_stored = asyncio.Event()

    async def out_of_order(submissions):
        if submissions[0].client_reference == "1":
            await second_is_stored.wait()
        else:
            second_is_stored.set()

    api.intake.before = out_of_order
    stream = api.converse(STREAM, send_pb2.SendStreamResponse)
    for number in ("1", "2", "3"):
        await stream.write(frame(sms(client_reference=number)))
    await stream.done_writing()
    received, refusal = await api.drained(stream)
    assert ([["1"], ["2"], ["3"]], None) == ([references(each) for each in received], refusal)


async def test_a_frame_is_one_unit_of_work(api, sms):
    """Its requests reach intake together, and there is an answer for each in their order."""
    stream = api.converse(STREAM, send_pb2.SendStreamResponse)
    await stream.write(frame(*(sms(client_reference=str(number)) for number in range(1000))))
    await stream.done_writing()
    (response,), _ = await api.drained(stream)
    assert [1000] == [len(batch) for batch in api.intake.batches]
    assert [str(number) for number in range(1000)] == references(response)


async def test_a_failed_request_is_an_answer_and_the_stream_goes_on(api, sms):
    """Broken rules, refusals of intake and unknown accounts each stay with their request."""
    reused = BrokerError(ErrorReason.REQUEST_ID_REUSED)
    accept = api.intake.answer
    api.intake.answer = lambda each: reused if each.request_id == "reused" else accept(each)
    requests = [
        sms(),
        sms(recipients=[]),
        sms(request_id="reused"),
        sms(account_id="0000000000002"),
        sms(),
    ]
    stream = api.converse(STREAM, send_pb2.SendStreamResponse)
    await stream.write(frame(*requests))
    await stream.write(frame(sms()))
    await stream.done_writing()
    (first, second), refusal = await api.drained(stream)
    assert ["", "INVALID_REQUEST", "REQUEST_ID_REUSED", "ACCOUNT_NOT_FOUND", ""] == [
        each.error.reason for each in first.responses
    ]
    assert [0, 3, 6, 5, 0] == [each.error.code for each in first.responses]
    assert "recipients" == first.responses[1].error.field_violations[0].field
    assert not first.responses[1].error.HasField("retry_delay")
    assert ("response", None) == (second.responses[0].WhichOneof("outcome"), refusal)


async def test_a_frame_that_cannot_be_stored_answers_each_request_with_when_to_try_again(api, sms):
    """The stream itself lives on."""
    api.intake.failure = BrokerError(ErrorReason.STORE_UNAVAILABLE, retry_after_s=2.5)
    stream = api.converse(STREAM, send_pb2.SendStreamResponse)
    await stream.write(frame(sms(), sms(recipients=[])))
    await stream.done_writing()
    (response,), refusal = await api.drained(stream)
    stored, invalid = (each.error for each in response.responses)
    assert ("STORE_UNAVAILABLE", 14, 2, 500_000_000) == (
        stored.reason,
        stored.code,
        stored.retry_delay.seconds,
        stored.retry_delay.nanos,
    )
    assert ("INVALID_REQUEST", None) == (invalid.reason, refusal)


@pytest.mark.parametrize(
    ("count", "reason"), [(0, "INVALID_REQUEST"), (1, ""), (1000, ""), (1001, "INVALID_REQUEST")]
)
async def test_a_frame_holds_1_to_1000_requests(api, sms, count, reason):
    """Another count ends the stream, after the answers before it."""
    stream = api.converse(STREAM, send_pb2.SendStreamResponse)
    await stream.write(frame(sms()))
    await stream.write(frame(*[sms()] * count))
    await stream.done_writing()
    received, refusal = await api.drained(stream)
    assert (1 if reason else 2, reason) == (len(received), refusal.reason if refusal else "")
    if refusal:
        assert (grpc.StatusCode.INVALID_ARGUMENT, {"requests"}) == (refusal.code, refusal.violations.keys())


async def test_a_malformed_frame_ends_the_stream_after_the_answers_before_it(api, sms):
    """With the status of a malformed call."""
    stream = api.converse(STREAM, send_pb2.SendStreamResponse)
    await stream.write(frame(sms()))
    await stream.write(b"\xff\xff\xff")
    received, refusal = await api.drained(stream)
    assert (1, grpc.StatusCode.INVALID_ARGUMENT) == (len(received), refusal.code)
    assert ("MALFORMED_REQUEST", 1) == (refusal.reason, len(api.intake.batches))


async def test_a_defect_ends_the_stream_with_internal(api, sms):
    """It is no answer to anybody's request."""
    api.intake.failure = ValueError("boom")
    stream = api.converse(STREAM, send_pb2.SendStreamResponse)
    await stream.write(frame(sms()))
    _, refusal = await api.drained(stream)
    assert (grpc.StatusCode.INTERNAL, "INTERNAL_ERROR") == (refusal.code, refusal.reason)


@pytest.mark.parametrize("limits", [{"calls_max": 9, "streams_max": 9, "frames_in_flight_max": 2}])
async def test_no_more_frames_are_read_than_may_be_in_flight(api, sms):
    """With two under way the third waits for the first to be answered."""
    release = asyncio.Event()

    async def wait(_submissions):
        await release.wait()

    api.intake.before = wait
    stream = api.converse(STREAM, send_pb2.SendStreamResponse)
    for _ in range(5):
        await stream.write(frame(sms()))
    await stream.done_writing()
    await asyncio.sleep(0.1)
    held = len(api.intake.batches)
    release.set()
    received, _ = await api.drained(stream)
    assert (2, 5) == (held, len(received))


async def test_draining_answers_what_was_read_and_then_ends_the_stream(api, sms):
    """The caller knows that everything unanswered was not accepted."""
    stream = api.converse(STREAM, send_pb2.SendStreamResponse)
    await stream.write(frame(sms(client_reference="1")))
    first = await stream.read()
    api.gate.drain()
    received, refusal = await api.drained(stream)
    assert (["1"], [], grpc.StatusCode.UNAVAILABLE) == (references(first), received, refusal.code)
    assert ("DRAINING", 1) == (refusal.reason, refusal.retry.retry_delay.seconds)


async def test_a_caller_that_leaves_frees_its_place(api, sms):
    """Cancelled with frames under way."""
    started = asyncio.Event()

    async def wait(_submissions):
        started.set()
        await asyncio.Event().wait()

    api.intake.before = wait
    stream = api.converse(STREAM)
    await stream.write(frame(sms()))
    await started.wait()
    assert 1 == api.gate.streams.count
    stream.cancel()
    await api.until(lambda: not api.gate.streams.count)


async def test_a_reader_may_not_open_it(api):
    """Refused before a frame is read."""
    _, refusal = await api.drained(api.converse(STREAM, key="read-key"))
    assert (grpc.StatusCode.PERMISSION_DENIED, "ROLE_INSUFFICIENT") == (refusal.code, refusal.reason)
