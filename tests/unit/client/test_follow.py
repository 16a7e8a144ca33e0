"""Events, and the cursor of each."""

from datetime import UTC, datetime

import pytest

from waypost import (
    BalanceEvent,
    BroadcastEvent,
    BroadcastState,
    ClickEvent,
    Event,
    Fact,
    InboundEvent,
    MessageEvent,
    OptInEvent,
    OptInState,
    Price,
    Status,
)
from waypost.events import Event as Plain
from waypost.events import EventFields
from waypost.v1 import broadcast_pb2, event_pb2, opt_in_pb2, price_pb2, status_pb2, subscribe_pb2
from waypost.wire.follow import EVENT_KINDS, Place, events_of, place_after, place_of, subscribe_message


def frame(cursor: str, *sequences: int) -> subscribe_pb2.SubscribeResponse:
    """A frame of message events."""
    return subscribe_pb2.SubscribeResponse(
        cursor=cursor,
        events=[event_pb2.Event(sequence=each, message=event_pb2.MessageEvent()) for each in sequences],
    )


def had(response, place) -> list[tuple[int, str]]:
    """Sequence and cursor of each event."""
    return [(event.sequence, event.cursor) for event in events_of(response, place)]


def test_the_last_event_of_a_frame_has_the_brokers_cursor() -> None:
    """Those before it have the cursor before the frame, and say how far they are."""
    assert [(6, "a~6"), (7, "a~7"), (8, "b")] == had(frame("b", 6, 7, 8), Place("a"))


@pytest.mark.parametrize("stop", [6, 7, 8])
def test_who_resumes_at_an_event_gets_exactly_what_follows(stop) -> None:
    """Also within a frame: the frame is asked for again, and what was had is skipped."""
    first = frame("b", 6, 7, 8)
    (cursor,) = [event.cursor for event in events_of(first, Place("a")) if event.sequence == stop]
    place = place_of(cursor)
    rest = first if place.cursor == "a" else frame("b")
    assert list(range(stop + 1, 9)) == [sequence for sequence, _ in had(rest, place)]


def test_a_place_within_a_frame_survives_empty_and_shorter_frames() -> None:
    """The broker's first frame is empty, and the frame may be cut elsewhere the second time."""
    place = place_after(frame("a"), place_of("a~7"))
    assert "a~7" == place.text
    assert [] == had(frame("b", 6), place)
    place = place_after(frame("b", 6), place)
    assert [(8, "c")] == had(frame("c", 7, 8), place)
    assert "c" == place_after(frame("c", 7, 8), place).text


@pytest.mark.parametrize("cursor", ["", "~7", "a~", "a~b", "a~-1", "a~¹"])
def test_what_is_no_cursor_is_refused(cursor) -> None:
    """Before anything is sent."""
    with pytest.raises(ValueError, match="not a cursor"):
        place_of(cursor)


def test_a_message_event_has_words_and_times() -> None:
    """And None where the broker said nothing."""
    event = event_pb2.Event(sequence=1, account_id="x")
    event.time.FromDatetime(datetime(2026, 12, 24, tzinfo=UTC))
    event.message.fact = status_pb2.MESSAGE_FACT_DELIVERED
    event.message.status = status_pb2.MESSAGE_STATUS_DELIVERED
    event.message.provider_message_ids.append("p")
    (made,) = events_of(subscribe_pb2.SubscribeResponse(cursor="c", events=[event]), Place("a"))
    assert isinstance(made, MessageEvent)
    assert (Fact.DELIVERED, Status.DELIVERED, None, None, None, None, ("p",)) == (
        made.fact,
        made.status,
        made.previous_status,
        made.reason,
        made.price,
        made.next_attempt_time,
        made.provider_message_ids,
    )
    assert datetime(2026, 12, 24, tzinfo=UTC) == made.time


def test_an_inbound_event_says_who_wrote_what() -> None:
    """To which of our addresses."""
    event = event_pb2.Event(sequence=1, inbound=event_pb2.InboundEvent(sender="+44", text="YES"))
    (made,) = events_of(subscribe_pb2.SubscribeResponse(cursor="c", events=[event]), Place("a"))
    assert isinstance(made, InboundEvent)
    assert ("+44", "YES", None) == (made.sender, made.text, made.receive_time)


def test_a_click_says_what_was_followed() -> None:
    """Of which message, and where it led."""
    click = event_pb2.ClickEvent(message_id="m", url="https://example.com/", short_url="https://go.example/x")
    click.click_time.FromDatetime(datetime(2026, 12, 24, tzinfo=UTC))
    event = event_pb2.Event(sequence=1, click=click)
    (made,) = events_of(subscribe_pb2.SubscribeResponse(cursor="c", events=[event]), Place("a"))
    assert isinstance(made, ClickEvent)
    assert ("m", "https://example.com/", "https://go.example/x", None) == (
        made.message_id,
        made.url,
        made.short_url,
        made.campaign,
    )
    assert datetime(2026, 12, 24, tzinfo=UTC) == made.click_time


def test_a_wish_says_what_is_in_force_now_and_was_before() -> None:
    """Between whom, and which message told it."""
    record = opt_in_pb2.OptInRecord(
        sender="12345", recipient="+44", state=opt_in_pb2.OPT_IN_STATE_OPTED_OUT, message="Bye"
    )
    told = event_pb2.OptInEvent(
        record=record, previous_state=opt_in_pb2.OPT_IN_STATE_OPTED_IN, message_id="m"
    )
    event = event_pb2.Event(sequence=1, opt_in=told)
    (made,) = events_of(subscribe_pb2.SubscribeResponse(cursor="c", events=[event]), Place("a"))
    assert isinstance(made, OptInEvent)
    assert ("12345", "+44", OptInState.OPTED_OUT, OptInState.OPTED_IN, "Bye", "m") == (
        made.sender,
        made.recipient,
        made.state,
        made.previous_state,
        made.message,
        made.message_id,
    )


def test_a_broadcast_is_told_as_it_was_and_is() -> None:
    """With its counters."""
    told = event_pb2.BroadcastEvent(
        broadcast=broadcast_pb2.Broadcast(broadcast_id="b", state=4, sent=7, detail="credit: none"),
        previous_state=3,
    )
    (made,) = events_of(
        subscribe_pb2.SubscribeResponse(cursor="c", events=[event_pb2.Event(sequence=1, broadcast=told)]),
        Place("a"),
    )
    assert isinstance(made, BroadcastEvent)
    assert (BroadcastState.RUNNING, BroadcastState.SUSPENDED) == (made.previous_state, made.broadcast.state)
    assert ("b", 7, "credit: none") == (
        made.broadcast.broadcast_id,
        made.broadcast.sent,
        made.broadcast.detail,
    )


def test_a_balance_says_what_is_left_and_what_the_mark_was() -> None:
    """In micros."""
    told = event_pb2.BalanceEvent(
        balance=price_pb2.Price(amount_micros=5, currency="EUR"),
        threshold=price_pb2.Price(amount_micros=9, currency="EUR"),
    )
    event = event_pb2.Event(sequence=1, balance=told)
    (made,) = events_of(subscribe_pb2.SubscribeResponse(cursor="c", events=[event]), Place("a"))
    assert isinstance(made, BalanceEvent)
    assert (Price(5, "EUR"), Price(9, "EUR")) == (made.balance, made.threshold)


def test_an_event_of_an_unknown_kind_is_a_plain_one() -> None:
    """It still has its place, so that nothing is missed by it."""
    event = event_pb2.Event(sequence=1)
    (made,) = events_of(subscribe_pb2.SubscribeResponse(cursor="c", events=[event]), Place("a"))
    assert (Plain, 1, "c") == (type(made), made.sequence, made.cursor)


def test_a_filter_takes_one_value_or_several() -> None:
    """A str is one."""
    request = subscribe_message(
        [MessageEvent], {"tags": "sale", "campaigns": ["a", "b"]}, from_beginning=True, account_id="x"
    )
    assert (["sale"], ["a", "b"]) == (list(request.filter.tags), list(request.filter.campaigns))
    assert [EVENT_KINDS[MessageEvent]] == list(request.filter.kinds)
    assert "from_beginning" == request.WhichOneof("start")


def test_a_kind_that_cannot_be_asked_for_is_refused() -> None:
    """A plain Event is none."""
    with pytest.raises(ValueError, match="Event is no kind"):
        subscribe_message([Event], {}, from_beginning=False, account_id="")


def test_a_field_that_events_do_not_have_is_refused() -> None:
    """A misspelt filter must not let everything through."""
    with pytest.raises(TypeError, match="'tag'"):
        subscribe_message([], {"tag": "sale"}, from_beginning=False, account_id="")


def test_events_can_be_picked_by_every_field_of_the_proto() -> None:
    """Kinds have an argument of their own."""
    fields = {field.name for field in subscribe_pb2.EventFilter.DESCRIPTOR.fields}
    assert fields - {"kinds"} == set(EventFields.__annotations__)
