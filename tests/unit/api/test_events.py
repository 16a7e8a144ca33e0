"""Events and frames: encoded once, joined by bytes, read back by protobuf."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.api.convert.events import CURSOR_TAG, EVENTS_TAG, encode_event, event_message, join_frame
from broker.domain.ids import format_id
from broker.domain.lifecycle import Fact, State
from broker.domain.records import EventRecord, Labels, MessageChange
from broker.domain.vocabulary import EventKind, Reason
from waypost.v1 import event_pb2, send_pb2, subscribe_pb2

NOW_US = 1_790_000_000_000_000


def test_the_tags_are_those_of_the_fields():
    """Number << 3 | 2."""
    numbers = subscribe_pb2.SubscribeResponse.DESCRIPTOR.fields_by_name
    assert bytes([numbers["events"].number << 3 | 2]) == EVENTS_TAG
    assert bytes([numbers["cursor"].number << 3 | 2]) == CURSOR_TAG


def test_every_field_of_an_event_is_told(event):
    """As a caller reads it."""
    changed = replace(event, change=replace(event.change, reason=Reason.PROVIDER_UNAVAILABLE))
    expected = event_pb2.Event(
        sequence=77,
        time={"seconds": NOW_US // 1_000_000},
        account_id="0000000000001",
        message=event_pb2.MessageEvent(
            message_id=format_id(123_456_789_012_345_678),
            recipient="+447700900123",
            sender="Shop",
            channel=1,
            fact=7,
            status=3,
            previous_status=1,
            reason=8,
            detail="later",
            provider="sandbox",
            provider_message_ids=["a", "b"],
            part=1,
            provider_code="503",
            provider_text="busy",
            attempt=2,
            units=3,
            client_reference="order-1",
            campaign=send_pb2.Campaign(id="spring", name="Spring"),
            data="{}",
            tags=["vip"],
            reply_to_message_id=format_id(5),
            origin="crm",
            redriven_from_message_id=format_id(6),
            next_attempt_time={"seconds": NOW_US // 1_000_000 + 1, "nanos": 500_000_000},
        ),
    )
    assert expected == event_message(changed)


def test_an_event_of_another_kind_has_a_payload_of_its_own(event):
    """What it told, of the message that it came of."""
    told = {"url": "https://example.com/a", "short_url": "https://go.example/x", "clicked_at_us": NOW_US}
    click = replace(event, kind=EventKind.CLICK, change=None, told=told)
    expected = event_pb2.Event(
        sequence=77,
        time={"seconds": NOW_US // 1_000_000},
        account_id="0000000000001",
        click=event_pb2.ClickEvent(
            message_id=format_id(123_456_789_012_345_678),
            url="https://example.com/a",
            short_url="https://go.example/x",
            click_time={"seconds": NOW_US // 1_000_000},
            client_reference="order-1",
            campaign={"id": "spring", "name": "Spring"},
            data="{}",
            tags=["vip"],
        ),
    )
    assert expected == event_message(click)


def test_what_an_event_does_not_have_is_absent(event):
    """No empty campaign, no time of a next attempt, no previous status."""
    first = replace(
        event, channel=None, labels=Labels(), change=MessageChange(Fact.REFUSED, State.REJECTED, None)
    )
    message = event_message(first).message
    assert (0, 0, True, "") == (
        message.channel,
        message.previous_status,
        message.end,
        message.reply_to_message_id,
    )
    assert not message.HasField("campaign")
    assert not message.HasField("next_attempt_time")


@pytest.mark.parametrize(("state", "end"), [(State.SENT, False), (State.SENT_FINAL, True)])
def test_sent_is_an_end_only_where_no_receipt_will_come(event, state, end):
    """The two states that are shown as SENT."""
    message = event_message(replace(event, change=replace(event.change, state=state))).message
    assert (4, end) == (message.status, message.end)


def build(sequence, time_us, detail, data):
    return EventRecord(
        1,
        sequence,
        time_us,
        5,
        MessageChange(Fact.ACCEPTED, State.ACCEPTED, None, detail=detail),
        "+1",
        "",
        None,
        1,
        "",
        data,
        Labels(),
    )


EVENTS = st.builds(
    build,
    st.integers(1, 2**63 - 1),
    st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999),
    st.text(),
    st.sampled_from(["", "x" * 100, "x" * 20_000]),
)


@given(st.lists(EVENTS, max_size=5), st.text(max_size=300))
def test_a_joined_frame_equals_one_that_protobuf_builds(events, cursor):
    """Byte for byte, but for an empty cursor, which protobuf leaves out."""
    expected = subscribe_pb2.SubscribeResponse(events=[event_message(each) for each in events], cursor=cursor)
    joined = join_frame([encode_event(each) for each in events], cursor)
    assert expected == subscribe_pb2.SubscribeResponse.FromString(joined)
    if cursor:
        assert expected.SerializeToString() == joined


@given(EVENTS)
def test_an_encoded_event_is_a_frame_of_one_event(event):
    """Tag and length included."""
    expected = subscribe_pb2.SubscribeResponse(events=[event_message(event)])
    assert expected.SerializeToString() == encode_event(event)
