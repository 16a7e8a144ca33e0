"""The promises of docs/guarantees.md, kept by a real broker over its socket: I7, about cursors and filters."""

import shutil
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from broker.domain.ids import format_id
from tests.acceptance.guarantees.caller import (
    ORDINARY,
    Client,
    Event,
    error_info,
    refusal,
)
from tests.acceptance.guarantees.conftest import Connected
from waypost.v1 import send_pb2
from waypost.v1.subscribe_pb2 import EventFilter

# I7: cursors have no gaps; a reader gets an error, never a silent loss.


def test_i7_each_cursor_resumes_right_after_its_frame(client: Client) -> None:
    """Whoever reconnects after any frame gets the rest, and nothing twice."""
    client.all_end(each.message_id for each in client.send(*[ORDINARY] * 20))
    count = 40
    read: list[Event] = []
    cursor = ""
    while len(read) < count:
        start: dict[str, Any] = {"after_cursor": cursor} if cursor else {"from_beginning": Empty()}
        frame = next(frame for frame in client.frames(**start) if frame.events)
        cursor = frame.cursor
        read += frame.events
    assert client.events_until(len(read))[: len(read)] == read
    assert list(range(1, len(read) + 1)) == [event.sequence for event in read]


def test_i7_a_cursor_that_is_none_is_invalid(client: Client, broker_factory: Any, connect: Connected) -> None:
    """Garbage, a damaged one, and another broker's."""
    ours = next(client.frames()).cursor
    foreign = next(connect(broker_factory()).frames()).cursor
    for cursor in ("garbage", "é", ours[:-4], "B" + ours[1:], foreign):
        with pytest.raises(grpc.RpcError) as refused:
            next(client.frames(after_cursor=cursor))
        assert (grpc.StatusCode.INVALID_ARGUMENT, "CURSOR_INVALID") == refusal(refused.value)


def test_i7_a_cursor_ahead_of_the_log_is_out_of_range(
    broker_factory: Any, connect: Connected, tmp_path: Path
) -> None:
    """As after a backup was restored: the reader has seen what the broker no longer knows."""
    broker = broker_factory()
    client = connect(broker)
    client.life(client.send_one(ORDINARY))
    assert 0 == broker.stop()
    shutil.copytree(broker.data_dir, tmp_path / "backup")
    broker.restart()
    client = connect(broker)
    client.life(client.send_one(ORDINARY))
    ahead = next(client.frames()).cursor
    assert 0 == broker.stop()
    shutil.rmtree(broker.data_dir)
    shutil.copytree(tmp_path / "backup", broker.data_dir)
    broker.restart()
    client = connect(broker)
    with pytest.raises(grpc.RpcError) as refused:
        next(client.frames(after_cursor=ahead))
    assert (grpc.StatusCode.OUT_OF_RANGE, "CURSOR_AHEAD") == refusal(refused.value)
    newest = error_info(refused.value).metadata["newest_cursor"]
    assert newest == next(client.frames(after_cursor=newest)).cursor


LABELLED: dict[str, Any] = {
    "client_reference": "i7-reference",
    "campaign": send_pb2.Campaign(id="i7-campaign", name="Seven"),
    "tags": ["I7-Tag", "other"],
    "data": "i7 data",
    "reply_to_message_id": format_id(7),
}


@pytest.mark.parametrize(
    "wanted",
    [
        {"client_references": ["i7-reference", "none"]},
        {"campaigns": ["i7-campaign"]},
        {"tags": ["nobody", "i7-tag"]},
        {"data": ["i7 data"]},
        {"reply_to_message_ids": [format_id(7)]},
        {"kinds": ["EVENT_KIND_MESSAGE"], "client_references": ["i7-reference"]},
    ],
    ids=lambda wanted: next(iter(wanted)),
)
def test_i7_each_filter_lets_its_messages_through_and_no_others(
    client: Client, wanted: dict[str, Any]
) -> None:
    """Of two messages, one with labels and one without, exactly the events of the labelled one come."""
    plain, labelled = client.send_one(ORDINARY), client.send_one(ORDINARY, **LABELLED)
    client.all_end([plain, labelled])
    expected = [entry.sequence for entry in client.get(labelled).timeline]
    seen: list[Event] = []
    for frame in client.frames(from_beginning=Empty(), filter=EventFilter(**wanted)):
        seen += frame.events
        if frame.events and frame.events[-1].sequence >= expected[-1]:
            break
    assert expected == [event.sequence for event in seen if event.message.message_id == labelled]
    assert plain not in {event.message.message_id for event in seen}


def test_i7_the_message_id_filter_lets_its_messages_through_and_no_others(client: Client) -> None:
    """Two of three."""
    first, _, third = client.send(*[ORDINARY] * 3)
    chosen = [first.message_id, third.message_id]
    events = client.events_until(8, filter=EventFilter(message_ids=chosen))
    assert 8 == len(events)
    assert set(chosen) == {event.message.message_id for event in events}


def test_i7_a_kind_that_there_is_none_of_gets_heartbeats_whose_cursor_moves_on(client: Client) -> None:
    """A reader whose filter lets nothing through still resumes near the head of the log."""
    frames = client.frames(filter=EventFilter(kinds=["EVENT_KIND_INBOUND"]))
    first = next(frames)
    message_id = client.send_one(ORDINARY)
    last = client.life(message_id)[-1].sequence
    moved = next(frame for frame in frames if frame.cursor != first.cursor)
    later = next(frames)
    assert [] == [*first.events, *moved.events, *later.events]
    marker = client.send_one(ORDINARY)
    after = next(frame for frame in client.frames(after_cursor=later.cursor) if frame.events)
    assert last < after.events[0].sequence
    assert marker == after.events[0].message.message_id
