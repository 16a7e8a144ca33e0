"""Subscribe on the wire: what the feed is asked, and that its frames pass untouched."""

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty

from broker.api.convert.events import encode_event, event_message, join_frame
from broker.domain.cursor import Cursor, format_cursor
from broker.domain.ids import format_id
from broker.domain.records import EventFilter
from broker.domain.vocabulary import EventKind
from broker.errors import BrokerError, ErrorReason
from waypost.v1 import subscribe_pb2

SUBSCRIBE = "BrokerService/Subscribe"
CURSOR = Cursor(b"12345678", 1, 77)


def request(**fields):
    return subscribe_pb2.SubscribeRequest(**fields)


async def test_frames_of_the_feed_reach_the_caller_as_they_are(api, event):
    """A frame of events, and an empty one."""
    api.feed.frames = [join_frame([encode_event(event)] * 2, "a"), join_frame([], "b")]
    received, refusal = await api.drained(
        api.stream(SUBSCRIBE, request(), subscribe_pb2.SubscribeResponse, key="read-key")
    )
    expected = [
        subscribe_pb2.SubscribeResponse(events=[event_message(event)] * 2, cursor="a"),
        subscribe_pb2.SubscribeResponse(cursor="b"),
    ]
    assert (expected, None) == (received, refusal)


async def test_a_bare_request_follows_everything_of_the_own_account_from_now(api):
    """With a heartbeat every 15 s."""
    await api.drained(api.stream(SUBSCRIBE, request()))
    assert [(1, "now", EventFilter(), 15.0)] == api.feed.calls


@pytest.mark.parametrize(
    ("fields", "start"),
    [
        ({"from_now": Empty()}, "now"),
        ({"from_beginning": Empty()}, "beginning"),
        ({"after_cursor": format_cursor(CURSOR)}, CURSOR),
    ],
)
async def test_each_start_reaches_the_feed(api, fields, start):
    """A cursor is parsed on the way."""
    await api.drained(api.stream(SUBSCRIBE, request(**fields)))
    assert start == api.feed.calls[0][1]


@pytest.mark.parametrize("cursor", ["", "nonsense", "ä", format_cursor(Cursor(b"12345678", 2, 77))])
async def test_a_cursor_of_no_one_or_of_another_account_is_invalid(api, cursor):
    """Before the feed is asked."""
    _, refusal = await api.drained(api.stream(SUBSCRIBE, request(after_cursor=cursor)))
    assert (grpc.StatusCode.INVALID_ARGUMENT, "CURSOR_INVALID") == (refusal.code, refusal.reason)
    assert [] == api.feed.calls


async def test_every_field_of_the_filter_reaches_the_feed(api):
    """Ids as numbers, tags as they are kept."""
    given = subscribe_pb2.EventFilter(
        message_ids=[format_id(1)],
        broadcast_ids=[format_id(2)],
        client_references=["r"],
        campaigns=["c"],
        tags=[" VIP "],
        data=["d"],
        reply_to_message_ids=[format_id(3)],
        kinds=[1, 5],
    )
    await api.drained(api.stream(SUBSCRIBE, request(filter=given)))
    expected = EventFilter(
        frozenset({1}),
        frozenset({2}),
        frozenset({"r"}),
        frozenset({"c"}),
        frozenset({"vip"}),
        frozenset({"d"}),
        frozenset({3}),
        frozenset({EventKind.MESSAGE, EventKind.CLICK}),
    )
    assert expected == api.feed.calls[0][2]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"message_ids": ["x"]}, "filter.message_ids[0]"),
        ({"broadcast_ids": [format_id(1), ""]}, "filter.broadcast_ids[1]"),
        ({"reply_to_message_ids": ["8" * 13]}, "filter.reply_to_message_ids[0]"),
        ({"kinds": [0]}, "filter.kinds[0]"),
        ({"kinds": [1, 99]}, "filter.kinds[1]"),
        ({"client_references": ["a", "a" * 129]}, "filter.client_references[1]"),
        ({"campaigns": ["a" * 65]}, "filter.campaigns[0]"),
        ({"tags": ["a" * 65]}, "filter.tags[0]"),
        ({"data": ["a" * 2_049]}, "filter.data[0]"),
        ({"tags": ["a"] * 600, "campaigns": ["b"] * 400, "kinds": [1]}, "filter"),
    ],
)
async def test_a_filter_that_breaks_a_rule_is_refused_with_its_field(api, given, field):
    """Ids and kinds that are none, values longer than a request may have, more than 1,000 values in all."""
    _, refusal = await api.drained(api.stream(SUBSCRIBE, request(filter=subscribe_pb2.EventFilter(**given))))
    assert (grpc.StatusCode.INVALID_ARGUMENT, {field}) == (refusal.code, refusal.violations.keys())


async def test_a_filter_may_have_1000_values(api):
    """The other side of the limits."""
    given = subscribe_pb2.EventFilter(
        tags=["a" * 64] * 600,
        campaigns=["b" * 64] * 300,
        client_references=["c" * 128] * 50,
        data=["d" * 2_048] * 49,
        kinds=[1],
    )
    assert ([], None) == await api.drained(api.stream(SUBSCRIBE, request(filter=given)))


@pytest.mark.parametrize(
    ("seconds", "nanos", "heartbeat_s"),
    [
        (1, 0, 1.0),
        (1, 500_000_000, 1.5),
        (3600, 0, 3600.0),
        (0, 999_999_999, None),
        (3601, 0, None),
        (-1, 0, None),
        (2**63 - 1, 0, None),
        (5, -1, None),
        (5, 2**31 - 1, None),
    ],
)
async def test_a_heartbeat_is_between_a_second_and_an_hour(api, seconds, nanos, heartbeat_s):
    """Both sides of each limit, and numbers that are no duration."""
    interval = Duration(seconds=seconds, nanos=nanos)
    _, refusal = await api.drained(api.stream(SUBSCRIBE, request(heartbeat_interval=interval)))
    if heartbeat_s is None:
        assert {"heartbeat_interval"} == refusal.violations.keys()
    else:
        assert heartbeat_s == api.feed.calls[0][3]


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (ErrorReason.CURSOR_EXPIRED, grpc.StatusCode.OUT_OF_RANGE),
        (ErrorReason.CURSOR_AHEAD, grpc.StatusCode.OUT_OF_RANGE),
        (ErrorReason.SUBSCRIBERS_FULL, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (ErrorReason.DRAINING, grpc.StatusCode.UNAVAILABLE),
    ],
)
async def test_what_the_feed_refuses_ends_the_stream_with_its_reason(api, reason, code):
    """After the frames before it."""
    api.feed.frames = [join_frame([], "a")]
    api.feed.failure = BrokerError(reason, metadata={"oldest_cursor": "c"})
    received, refusal = await api.drained(api.stream(SUBSCRIBE, request()))
    assert (1, code, reason.name) == (len(received), refusal.code, refusal.reason)
    assert {"oldest_cursor": "c"} == dict(refusal.info.metadata)


async def test_the_feed_is_closed_when_the_caller_leaves(api):
    """At once, and not when the garbage is collected; its place is free again."""
    api.feed.frames, api.feed.waits = [join_frame([], "a")], True
    stream = api.stream(SUBSCRIBE, request())
    await stream.read()
    assert (1, 0) == (api.gate.streams.count, api.gate.calls.count)
    stream.cancel()
    await api.until(lambda: api.feed.closed.is_set() and not api.gate.streams.count)
