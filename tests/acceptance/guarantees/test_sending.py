"""The promises of docs/guarantees.md, kept by a real broker over its socket: I1 and I2, about Send."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from tests.acceptance.guarantees.caller import (
    CALL_S_MAX,
    ORDINARY,
    REJECTED,
    Client,
    end_of,
    error_info,
    refusal,
    text_to,
)
from tests.acceptance.guarantees.conftest import Connected
from waypost.v1 import send_pb2

# I1: OK from Send means that it is on disk.


def test_i1_what_send_answered_survives_a_kill(broker_factory: Any, connect: Connected) -> None:
    """Killed right after the answer, the broker knows the message when it is back, and delivers it."""
    broker = broker_factory()
    message_id = connect(broker).send_one(ORDINARY)
    broker.kill()
    broker.restart()
    assert ("DELIVERED", "UNSPECIFIED") == end_of(connect(broker).life(message_id))


def test_i1_what_was_only_validated_is_not_stored(client: Client) -> None:
    """validate_only answers without an id, and no message comes of it."""
    (result,) = client.send(ORDINARY, validate_only=True)
    assert ("", "+447700904711") == (result.message_id, result.recipient)
    marker = client.send_one(ORDINARY)
    (newest, *_) = client.pages(page_size=1)[0]
    assert marker == newest.message_id


# I2: a request_id with the same payload gets the same answer, with another ALREADY_EXISTS.


def test_i2_a_repeated_request_gets_the_first_answer_also_after_a_restart(
    broker_factory: Any, connect: Connected
) -> None:
    """Byte for byte, and no second message comes of it."""
    broker = broker_factory()
    request = text_to(ORDINARY, REJECTED, "no number", request_id="once", tags=["a", "B"])
    first = connect(broker).send_raw(request)
    connect(broker).all_end(each.message_id for each in send_pb2.SendResponse.FromString(first).results)
    assert first == connect(broker).send_raw(request)
    broker.restart()
    client = connect(broker)
    assert first == client.send_raw(request)
    assert 3 == len(client.listed())


def test_i2_a_request_id_with_another_payload_already_exists(client: Client) -> None:
    """The caller is told which request_id it was; nothing is sent."""
    client.send(ORDINARY, request_id="i2-other")
    with pytest.raises(grpc.RpcError) as refused:
        client.send(ORDINARY, request_id="i2-other", data="changed")
    assert (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED") == refusal(refused.value)
    assert {"request_id": "i2-other"} == dict(error_info(refused.value).metadata)


def test_i2_one_request_sent_by_many_at_once_is_one_message(client: Client) -> None:
    """Callers that race with one request_id all get the same answer."""
    request = text_to(ORDINARY, request_id="i2-race")
    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(lambda _: client.send_raw(request), range(32)))
    assert 1 == len(answers)


def test_i2_a_refused_request_is_not_remembered(client: Client) -> None:
    """Its request_id is free for the corrected one."""
    with pytest.raises(grpc.RpcError) as refused:
        client.send(request_id="i2-corrected")
    assert (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST") == refusal(refused.value)
    assert client.send_one(ORDINARY, request_id="i2-corrected")


def test_i2_one_bad_request_of_a_frame_leaves_the_others_alone(client: Client) -> None:
    """Each request of a frame has its own answer, in order."""
    frame = send_pb2.SendStreamRequest(
        requests=[
            text_to(ORDINARY, request_id="i2-frame"),
            text_to(),
            text_to(ORDINARY, request_id="i2-frame"),
            text_to(ORDINARY, request_id="i2-frame", data="changed"),
        ]
    )
    stream = client.broker.SendStream(iter([frame]), metadata=client.metadata, timeout=CALL_S_MAX)
    ((first, bad, repeated, reused),) = [answer.responses for answer in stream]
    assert first.response.results[0].message_id
    assert first == repeated
    assert ["INVALID_REQUEST", "REQUEST_ID_REUSED"] == [bad.error.reason, reused.error.reason]
