"""Rows and wishes become requests and frames."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.json_format import MessageToDict

from broker.cli.failures import UsageError
from broker.cli.recipients import Recipients, Row
from broker.cli.requests import (
    FRAME_BYTES_MAX,
    TemplateWish,
    Wishes,
    frames_of,
    plan_requests,
    unused_columns,
)


def rows_of(count: int, **own: str) -> list[Row]:
    """So many recipients."""
    return [Row(phone_number=f"+4477009{number:05}", **own) for number in range(count)]


def test_neighbours_with_one_text_share_a_request() -> None:
    """And the order of the rows is kept."""
    rows = [*rows_of(2), *rows_of(1, text="Own"), *rows_of(3)]
    plans = plan_requests(rows, Wishes(text="Hi"))
    found = [(plan.first_row, plan.row_count, plan.request.content.sms.text) for plan in plans]
    assert [(0, 2, "Hi"), (2, 1, "Own"), (3, 3, "Hi")] == found


def test_a_request_has_at_most_100_recipients() -> None:
    """More make several."""
    plans = plan_requests(rows_of(250), Wishes(text="Hi"))
    assert [(0, 100), (100, 100), (200, 50)] == [(plan.first_row, plan.row_count) for plan in plans]


def test_a_row_without_any_text_is_refused() -> None:
    """By its number, from 1."""
    with pytest.raises(UsageError, match="recipient 2 has no text"):
        plan_requests([*rows_of(1, text="Hi"), *rows_of(1)], Wishes())


def test_frames_hold_up_to_1000_recipients_in_order() -> None:
    """However many requests that is."""
    rows = [*rows_of(950), *(row for number in range(100) for row in rows_of(1, text=str(number)))]
    frames = list(frames_of(plan_requests(rows, Wishes(text="Hi"))))
    assert [1_000, 50] == [sum(plan.row_count for plan in frame) for frame in frames]
    assert 0 == frames[0][0].first_row
    assert 1_000 == frames[1][0].first_row


def test_frames_stay_within_their_bytes() -> None:
    """Long texts make smaller frames."""
    rows = [row for number in range(600) for row in rows_of(1, text=f"{number} {'€' * 9_000}")]
    frames = list(frames_of(plan_requests(rows, Wishes())))
    assert 600 == sum(len(frame) for frame in frames)
    assert all(sum(plan.request.ByteSize() for plan in frame) <= FRAME_BYTES_MAX for frame in frames)
    assert len(frames) > 1


def test_several_requests_have_ids_that_a_repetition_gives_again() -> None:
    """Two requests with one id would be one request."""
    alone = plan_requests(rows_of(1), Wishes(text="Hi", request_id="job"))
    several = plan_requests(rows_of(101), Wishes(text="Hi", request_id="job"))
    assert ["job"] == [plan.request.request_id for plan in alone]
    assert ["job/1", "job/2"] == [plan.request.request_id for plan in several]


def test_a_recipients_own_values_go_along_where_the_text_has_a_place_for_them() -> None:
    """And no others: most columns of a file are nobody's business."""
    rows = [Row(phone_number="+447700900123", tokens={"Name": "Ada", "Town": "Ely", "name": "x"})]
    (plan,) = plan_requests(rows, Wishes(text="Hi $Name$", subject="$Shop$", tokens={"Shop": "Acme"}))
    assert {"Name": "Ada"} == plan.request.recipients[0].tokens
    assert {"Shop": "Acme"} == plan.request.tokens


def test_columns_that_nothing_uses_are_named() -> None:
    """A misspelt one is not dropped in silence; one that some text uses is used."""
    rows = [Row(phone_number="+447700900123", text="Hi $Name$"), Row(phone_number="+447700900124")]
    recipients = Recipients(rows, ["Name", "Twon", "Town"])
    assert ["Twon"] == unused_columns(recipients, Wishes(text="Hi $Town$"))


def test_every_wish_is_in_the_request() -> None:
    """Field by field."""
    wishes = Wishes(
        text="Hi",
        sender="Shop",
        sender_pool="care",
        traffic="promotional",
        channels=["sms", "in_app"],
        schedule_time=datetime(2026, 12, 24, 18, tzinfo=UTC),
        validity=timedelta(minutes=10),
        client_reference="ref",
        campaign="spring",
        tags=["a", "b"],
        data="d",
        request_id="job",
        provider="sandbox",
        validate_only=True,
    )
    (plan,) = plan_requests([Row(phone_number="+447700900123", client_reference="own")], wishes)
    expected = {
        "request_id": "job",
        "recipients": [{"phone_number": "+447700900123", "client_reference": "own"}],
        "content": {"sms": {"text": "Hi"}, "in_app": {"body": "Hi"}},
        "sender": "Shop",
        "sender_pool": "care",
        "traffic": "TRAFFIC_PROMOTIONAL",
        "channels": ["CHANNEL_SMS", "CHANNEL_IN_APP"],
        "schedule_time": "2026-12-24T18:00:00Z",
        "validity": "600s",
        "client_reference": "ref",
        "campaign": {"id": "spring"},
        "data": "d",
        "tags": ["a", "b"],
        "provider": "sandbox",
        "validate_only": True,
    }
    assert expected == MessageToDict(plan.request, preserving_proto_field_name=True)


def test_content_is_made_for_the_addresses_that_there_are() -> None:
    """A mailbox needs an email, a device a push notification."""
    rows = [Row(email="ada@example.org"), Row(device_token="t")]
    (plan,) = plan_requests(rows, Wishes(text="Hi", subject="News"))
    expected = {"email": {"subject": "News", "text": "Hi"}, "push": {"title": "News", "body": "Hi"}}
    assert expected == MessageToDict(plan.request.content, preserving_proto_field_name=True)


def test_an_email_without_a_subject_is_refused() -> None:
    """Before anything is sent."""
    with pytest.raises(UsageError, match="--subject"):
        plan_requests([Row(email="ada@example.org")], Wishes(text="Hi"))


def test_link_actions_go_with_the_texts_that_can_have_them() -> None:
    """And their placeholders are filled by the columns of a file."""
    actions = [("Open $code$", "https://example.org/$code$")]
    rows = [Row(phone_number="+447700900123", tokens={"code": "7", "unused": "x"})]
    (plan,) = plan_requests(rows, Wishes(text="Hi", link_actions=actions, channels=("sms", "mms")))
    for content in (plan.request.content.sms, plan.request.content.mms):
        assert actions == [(each.text, each.url) for each in content.link_actions]
    assert {"code": "7"} == dict(plan.request.recipients[0].tokens)
    recipients = Recipients(tuple(rows), ("code", "unused"))
    assert ["unused"] == unused_columns(recipients, Wishes(text="Hi", link_actions=actions))


def test_link_actions_of_other_channels_are_refused() -> None:
    """An email has links of its own, and a template says it all."""
    actions = [("Open", "https://example.org")]
    with pytest.raises(UsageError, match="--link-action"):
        plan_requests([Row(email="ada@example.org")], Wishes(text="Hi", subject="Hi", link_actions=actions))
    with pytest.raises(UsageError, match="--template"):
        plan_requests(rows_of(1), Wishes(template=TemplateWish("bill"), link_actions=actions))
