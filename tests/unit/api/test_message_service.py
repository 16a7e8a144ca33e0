"""MessageService on the wire: one message, a page, a cancellation, an analysis."""

from dataclasses import replace

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from broker.api.convert.messages import message_message, timeline_entry
from broker.delivery.history import MessageQuery
from broker.domain.ids import format_id
from broker.domain.lifecycle import State
from broker.domain.records import Labels, TimelineRecord
from broker.errors import BrokerError, ErrorReason
from waypost.v1 import message_pb2, message_service_pb2, send_pb2

NOW_US = 1_790_000_000_000_000
GET, LIST, CANCEL = (f"MessageService/{each}" for each in ("GetMessage", "ListMessages", "CancelMessage"))
ANALYZE = "MessageService/AnalyzeMessage"


def at(offset_us):
    return Timestamp(seconds=NOW_US // 1_000_000, nanos=offset_us * 1_000)


def test_every_field_of_a_message_is_told(record):
    """As a caller reads it; SENT without receipts is an end."""
    expected = message_pb2.Message(
        message_id=format_id(1000),
        account_id="0000000000001",
        recipient="+447700900123",
        sender="Shop",
        channel=1,
        traffic=3,
        status=4,
        end=True,
        content={"sms": {"text": "hello", "subject": "hi"}},
        encoding=2,
        units=2,
        provider="sandbox",
        attempts=3,
        accept_time=at(0),
        transmit_time=at(1),
        expire_time=at(2),
        end_time=at(3),
        client_reference="order-1",
        campaign=send_pb2.Campaign(id="spring", name="Spring"),
        data="{}",
        tags=["vip"],
        reply_to_message_id=format_id(5),
        origin="crm",
        guarantee=2,
        route_version=9,
        candidates=["sandbox", "second"],
    )
    assert expected == message_message(record)


def test_what_a_message_does_not_have_is_absent(record):
    """No content in lists, no end yet, no channel where none was found."""
    bare = message_message(
        replace(record, content=None, ended_at_us=None, channel=None, encoding=None, labels=Labels())
    )
    assert not any(bare.HasField(field) for field in ("content", "end_time", "campaign"))
    assert (0, 0) == (bare.channel, bare.encoding)


async def test_a_message_comes_with_its_timeline(api, record, event):
    """Oldest first, every field."""
    api.history.records[1, 1000] = record
    api.history.timeline = [TimelineRecord(3, NOW_US, event.change)]
    response = await api.call(
        GET,
        message_service_pb2.GetMessageRequest(message_id=format_id(1000).lower()),
        message_service_pb2.GetMessageResponse,
    )
    expected = message_pb2.TimelineEntry(
        sequence=3,
        time=at(0),
        fact=7,
        status=3,
        previous_status=1,
        detail="later",
        attempt=2,
        provider="sandbox",
        provider_message_ids=["a", "b"],
        part=1,
        provider_code="503",
        provider_text="busy",
        next_attempt_time={"seconds": NOW_US // 1_000_000 + 1, "nanos": 500_000_000},
    )
    assert (message_message(record), [expected]) == (response.message, list(response.timeline))
    assert expected == timeline_entry(api.history.timeline[0])


@pytest.mark.parametrize("method", [GET, CANCEL])
@pytest.mark.parametrize(
    ("message_id", "code", "reason"),
    [
        ("", grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
        ("nonsense", grpc.StatusCode.NOT_FOUND, "MESSAGE_NOT_FOUND"),
        (format_id(5), grpc.StatusCode.NOT_FOUND, "MESSAGE_NOT_FOUND"),
        (format_id(2000), grpc.StatusCode.NOT_FOUND, "MESSAGE_NOT_FOUND"),
    ],
)
async def test_a_message_that_is_not_there_is_not_found(api, record, method, message_id, code, reason):
    """Nor another account's, 2000; only no id at all is a broken rule."""
    api.history.records[2, 2000] = record
    refusal = await api.call(method, message_service_pb2.GetMessageRequest(message_id=message_id))
    assert (code, reason) == (refusal.code, refusal.reason)


async def test_a_cancelled_message_is_answered_as_it_is_then(api, record):
    """The record that history gives."""
    api.history.records[1, 1000] = replace(record, state=State.CANCELLED)
    response = await api.call(
        CANCEL,
        message_service_pb2.CancelMessageRequest(message_id=format_id(1000)),
        message_service_pb2.CancelMessageResponse,
    )
    assert (10, True) == (response.message.status, response.message.end)


async def test_a_message_that_cannot_be_cancelled_is_a_failed_precondition(api):
    """With what it stumbled over."""
    api.history.cancel_failure = BrokerError(
        ErrorReason.MESSAGE_NOT_CANCELLABLE, metadata={"message_id": "X", "status": "SENT"}
    )
    refusal = await api.call(CANCEL, message_service_pb2.CancelMessageRequest(message_id=format_id(1)))
    (violation,) = refusal.precondition.violations
    assert (grpc.StatusCode.FAILED_PRECONDITION, "MESSAGE_NOT_CANCELLABLE") == (refusal.code, refusal.reason)
    assert ("MESSAGE_NOT_CANCELLABLE", "X") == (violation.type, violation.subject)


async def test_a_bare_list_asks_for_the_first_100_of_everything(api):
    """Of the key's account."""
    await api.call(LIST, b"")
    assert [MessageQuery(1, None, None, frozenset(), None, 100)] == api.history.queries


async def test_every_field_of_a_list_reaches_the_query(api):
    """SENT asks for both states that are shown so."""
    request = message_service_pb2.ListMessagesRequest(
        account_id=format_id(2),
        filter={"start_time": at(1), "end_time": at(2), "statuses": [4, 5]},
        page_size=1_000,
    )
    await api.call(LIST, request, key="admin-key")
    states = frozenset({State.SENT, State.SENT_FINAL, State.DELIVERED})
    assert [MessageQuery(2, NOW_US + 1, NOW_US + 2, states, None, 1_000)] == api.history.queries


@pytest.mark.parametrize(
    ("fields", "broken"),
    [
        ({"page_size": -1}, "page_size"),
        ({"page_size": 1_001}, "page_size"),
        ({"page_token": "nonsense"}, "page_token"),
        ({"page_token": "ä"}, "page_token"),
        ({"page_token": "A" * 2_000}, "page_token"),
        ({"filter": {"start_time": {"seconds": 2**62}}}, "filter.start_time"),
        ({"filter": {"end_time": {"nanos": -1}}}, "filter.end_time"),
        ({"filter": {"statuses": [1, 0]}}, "filter.statuses[1]"),
        ({"filter": {"statuses": [104]}}, "filter.statuses[0]"),
        ({"filter": {"statuses": [1] * 101}}, "filter.statuses"),
    ],
)
async def test_a_list_that_breaks_a_rule_is_refused_with_its_field(api, fields, broken):
    """Sizes, tokens, times, statuses."""
    refusal = await api.call(LIST, message_service_pb2.ListMessagesRequest(**fields))
    assert (grpc.StatusCode.INVALID_ARGUMENT, {broken}) == (refusal.code, refusal.violations.keys())


async def test_listing_deleted_messages_is_not_built_yet(api):
    """Refused, since matching nothing would look like an answer."""
    refusal = await api.call(LIST, message_service_pb2.ListMessagesRequest(filter={"statuses": [11]}))
    assert (grpc.StatusCode.UNIMPLEMENTED, {"filter.statuses[0]"}) == (
        refusal.code,
        refusal.violations.keys(),
    )


async def test_a_page_token_leads_to_the_next_page(api, record):
    """The last page has none."""
    api.history.records[1, 1000] = record
    api.history.next_before_id = 2**63 - 1
    filter_ = {"statuses": [4]}
    first = await api.call(
        LIST,
        message_service_pb2.ListMessagesRequest(filter=filter_),
        message_service_pb2.ListMessagesResponse,
    )
    api.history.next_before_id = None
    second = await api.call(
        LIST,
        message_service_pb2.ListMessagesRequest(filter=filter_, page_token=first.next_page_token),
        message_service_pb2.ListMessagesResponse,
    )
    assert [message_message(record)] == list(first.messages)
    assert (2**63 - 1, "") == (api.history.queries[1].before_id, second.next_page_token)


async def test_a_page_token_is_good_for_its_own_list_only(api):
    """Not for another account, not with another filter, not with a changed character."""
    api.history.next_before_id = 1000
    first = await api.call(LIST, b"", message_service_pb2.ListMessagesResponse, key="admin-key")
    token = first.next_page_token
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    for request in (
        message_service_pb2.ListMessagesRequest(page_token=token, account_id=format_id(2)),
        message_service_pb2.ListMessagesRequest(page_token=token, filter={"statuses": [1]}),
        message_service_pb2.ListMessagesRequest(page_token=changed),
        message_service_pb2.ListMessagesRequest(page_token=token[:5]),
    ):
        refusal = await api.call(LIST, request, key="admin-key")
        assert (grpc.StatusCode.INVALID_ARGUMENT, {"page_token"}) == (
            refusal.code,
            refusal.violations.keys(),
        )


async def test_a_text_is_measured_and_split(api):
    """One character flips 161 others; each is named once."""
    text = "Ж" + "a" * 70 + "Ж"
    response = await api.call(
        ANALYZE,
        message_service_pb2.AnalyzeMessageRequest(text=text),
        message_service_pb2.AnalyzeMessageResponse,
    )
    assert (2, 2, 72, True, 0) == (
        response.units,
        response.encoding,
        response.length,
        response.within_maximum,
        response.credit_cost,
    )
    assert ([67, 5], text) == (
        [part.length for part in response.parts],
        "".join(part.text for part in response.parts),
    )
    assert [("Ж", 0)] == [(each.character, each.index) for each in response.forcing_characters]


async def test_an_analysis_answers_every_question_at_once(api):
    """Length, parts, the maximum, and what makes it dearer; no cost without price rules."""
    text = "\u201cHi\u201d " + "x" * 96 + "✓\u201c"
    response = await api.call(
        ANALYZE,
        message_service_pb2.AnalyzeMessageRequest(text=text),
        message_service_pb2.AnalyzeMessageResponse,
    )
    assert (103, 103, 10, 2, False) == (
        response.characters,
        response.length,
        response.units_max,
        response.units,
        response.HasField("replaced_text"),
    )
    assert not response.credit_cost
    assert [
        ("\u201c", [0, 102], 2, '"', 0),
        ("\u201d", [3], 1, '"', 0),
        ("✓", [101], 1, None, 0),
    ] == [
        (
            each.character,
            list(each.indexes),
            each.count,
            each.replacement if each.HasField("replacement") else None,
            each.units_saved,
        )
        for each in response.forcing_characters
    ]


async def test_an_analysis_tells_what_a_text_would_be_without_its_typography(api):
    """And what that saves."""
    response = await api.call(
        ANALYZE,
        message_service_pb2.AnalyzeMessageRequest(text="x" * 159 + "\u2019"),
        message_service_pb2.AnalyzeMessageResponse,
    )
    assert (3, "x" * 159 + "'", 1, 1) == (
        response.units,
        response.replaced_text,
        response.replaced_units,
        response.replaced_encoding,
    )
    assert 2 == response.forcing_characters[0].units_saved


async def test_an_analysis_fills_in_values_and_names_the_missing(api):
    """Measured as it would be sent, as far as that is known."""
    response = await api.call(
        ANALYZE,
        message_service_pb2.AnalyzeMessageRequest(
            text="$$5 for $name$ of $shop$ and $area$", tokens={"name": "Ж" * 70}
        ),
        message_service_pb2.AnalyzeMessageResponse,
    )
    assert ["area", "shop"] == response.missing_tokens
    assert "$5 for " + "Ж" * 70 + " of $shop$ and $area$" == "".join(part.text for part in response.parts)


@pytest.mark.parametrize(("characters", "within"), [(1_530, True), (1_531, False)])
async def test_a_text_of_more_than_10_units_is_over_the_maximum(api, characters, within):
    """Ten parts of 153 septets."""
    response = await api.call(
        ANALYZE,
        message_service_pb2.AnalyzeMessageRequest(text="a" * characters),
        message_service_pb2.AnalyzeMessageResponse,
    )
    assert within == response.within_maximum


@pytest.mark.parametrize(
    ("fields", "broken"),
    [
        ({"text": "a" * 10_000}, None),
        ({"text": "a" * 10_001}, "text"),
        ({"text": "a", "subject": "s" * 13}, None),
        ({"text": "a", "subject": "s" * 14}, "subject"),
        ({"text": "a", "recipient": "x" * 1_025}, "recipient"),
        ({"text": "a", "tokens": {"a b": ""}}, "tokens"),
        ({"text": "$a$" * 5, "tokens": {"a": "x" * 2_000}}, None),
        ({"text": "$a$" * 5 + "x", "tokens": {"a": "x" * 2_000}}, "text"),
    ],
)
async def test_an_analysis_has_the_limits_of_a_message(api, fields, broken):
    """Text and subject from both sides."""
    answer = await api.call(ANALYZE, message_service_pb2.AnalyzeMessageRequest(**fields), key="read-key")
    assert ({broken} if broken else set()) == (
        set() if isinstance(answer, bytes) else answer.violations.keys()
    )
