"""MessageService on the wire: one message, a page, a cancellation, an analysis."""

from dataclasses import replace

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from broker.api.convert.messages import message_message, timeline_entry
from broker.delivery.history import MessageFilter, MessageQuery
from broker.domain.ids import format_id
from broker.domain.lifecycle import Fact, State
from broker.domain.records import Labels, MessageChange, TimelineRecord
from broker.domain.vocabulary import Channel, Direction, Traffic
from broker.errors import BrokerError, ErrorReason
from waypost.v1 import message_pb2, message_service_pb2, send_pb2, status_pb2

NOW_US = 1_790_000_000_000_000
GET, LIST, CANCEL = (f"MessageService/{each}" for each in ("GetMessage", "ListMessages", "CancelMessage"))
DELETE, MARK, REDRIVE = (
    f"MessageService/{each}" for each in ("DeleteMessage", "MarkMessage", "RedriveMessage")
)
ANALYZE = "MessageService/AnalyzeMessage"


def at(offset_us):
    return Timestamp(seconds=NOW_US // 1_000_000, nanos=offset_us * 1_000)


EVERYTHING = {
    "start_time": at(1),
    "end_time": at(2),
    "statuses": [4, 5, 11],
    "recipients": ["+44 7700 900123", "A@Example.org"],
    "client_references": ["order-1"],
    "campaigns": ["spring"],
    "tags": [" VIP "],
    "senders": ["Shop"],
    "channels": [1],
    "traffics": [3],
    "directions": [1, 2],
    "providers": ["sandbox"],
    "reply_to_message_ids": [format_id(5)],
    "data": ["{}"],
    "origins": ["crm"],
    "contact_id": format_id(8),
    "broadcast_ids": [format_id(9)],
}


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
        direction=1,
        read_time=at(4),
        redriven_from_message_id=format_id(6),
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
    api.history.refusal = BrokerError(
        ErrorReason.MESSAGE_NOT_CANCELLABLE, metadata={"message_id": "X", "status": "SENT"}
    )
    refusal = await api.call(CANCEL, message_service_pb2.CancelMessageRequest(message_id=format_id(1)))
    (violation,) = refusal.precondition.violations
    assert (grpc.StatusCode.FAILED_PRECONDITION, "MESSAGE_NOT_CANCELLABLE") == (refusal.code, refusal.reason)
    assert ("MESSAGE_NOT_CANCELLABLE", "X") == (violation.type, violation.subject)


async def test_a_bare_list_asks_for_the_first_100_of_everything(api):
    """Of the key's account."""
    await api.call(LIST, b"")
    assert [MessageQuery(1, MessageFilter(), None, 100)] == api.history.queries


async def test_every_field_of_a_list_reaches_the_query(api):
    """SENT asks for both states that are shown so, an address for each form of it, a tag for its normal form."""
    request = message_service_pb2.ListMessagesRequest(
        account_id=format_id(2), filter=EVERYTHING, page_size=1_000
    )
    await api.call(LIST, request, key="admin-key")
    expected = MessageFilter(
        start_us=NOW_US + 1,
        end_us=NOW_US + 2,
        states=frozenset({State.SENT, State.SENT_FINAL, State.DELIVERED}),
        deleted=True,
        channels=frozenset({Channel.SMS}),
        traffics=frozenset({Traffic.PASSCODE}),
        directions=frozenset({Direction.OUTBOUND, Direction.INBOUND}),
        recipients=frozenset({"+44 7700 900123", "+447700900123", "A@Example.org", "A@example.org"}),
        client_references=frozenset({"order-1"}),
        data=frozenset({"{}"}),
        senders=frozenset({"Shop"}),
        campaigns=frozenset({"spring"}),
        tags=frozenset({"vip"}),
        reply_to_message_ids=frozenset({5}),
        origins=frozenset({"crm"}),
        providers=frozenset({"sandbox"}),
        contact_id=8,
        broadcast_ids=frozenset({9}),
    )
    assert [MessageQuery(2, expected, None, 1_000)] == api.history.queries


def test_every_field_of_the_filter_has_a_case():
    """A new one needs a line above, so that it is not dropped on the way."""
    assert {field.name for field in message_pb2.MessageFilter.DESCRIPTOR.fields} == EVERYTHING.keys()


async def test_a_wish_that_the_broker_does_not_know_is_refused(api):
    """As of a newer client: to ignore it is to list more than was asked for."""
    unknown = b"\x12\x05\xd2\x0f\x02hi"  # ListMessagesRequest.filter with field 250
    refusal = await api.call(LIST, unknown)
    assert (grpc.StatusCode.INVALID_ARGUMENT, {"filter"}) == (refusal.code, refusal.violations.keys())
    assert "field 250" in refusal.violations["filter"]


async def test_a_list_says_how_far_its_index_is(api):
    """And whether anything may be missing."""
    response = await api.call(LIST, b"", message_service_pb2.ListMessagesResponse)
    expected = message_pb2.IndexProgress(sequence=7, time=at(0), events_behind=2, whole=True)
    assert expected == response.index


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
        ({"filter": {"statuses": [1] * 101}}, "filter"),
        ({"filter": {"tags": ["a"] * 60, "senders": ["b"] * 41}}, "filter"),
        ({"filter": {"channels": [0]}}, "filter.channels[0]"),
        ({"filter": {"traffics": [1, 0]}}, "filter.traffics[1]"),
        ({"filter": {"directions": [9]}}, "filter.directions[0]"),
        ({"filter": {"recipients": ["+447700900123", ""]}}, "filter.recipients[1]"),
        ({"filter": {"tags": [" "]}}, "filter.tags[0]"),
        ({"filter": {"client_references": ["x" * 129]}}, "filter.client_references[0]"),
        ({"filter": {"data": ["x" * 2_049]}}, "filter.data[0]"),
        ({"filter": {"reply_to_message_ids": ["nonsense"]}}, "filter.reply_to_message_ids[0]"),
    ],
)
async def test_a_list_that_breaks_a_rule_is_refused_with_its_field(api, fields, broken):
    """Sizes, tokens, times, statuses."""
    refusal = await api.call(LIST, message_service_pb2.ListMessagesRequest(**fields))
    assert (grpc.StatusCode.INVALID_ARGUMENT, {broken}) == (refusal.code, refusal.violations.keys())


async def test_a_deleted_message_is_shown_as_deleted(api, record):
    """With the time of that, and still at an end."""
    api.history.records[1, 1000] = replace(record, deleted_at_us=NOW_US + 9)
    response = await api.call(
        DELETE,
        message_service_pb2.DeleteMessageRequest(message_id=format_id(1000)),
        message_service_pb2.DeleteMessageResponse,
    )
    expected = (status_pb2.MESSAGE_STATUS_DELETED, True, at(9))
    assert expected == (response.message.status, response.message.end, response.message.delete_time)


def test_the_event_of_a_deletion_shows_deleted(record):
    """After the end that it had."""
    change = MessageChange(Fact.DELETED, State.DELIVERED, State.DELIVERED)
    entry = timeline_entry(TimelineRecord(4, NOW_US, change))
    assert (22, 11, 5) == (entry.fact, entry.status, entry.previous_status)


@pytest.mark.parametrize(("mark", "read"), [(1, True), (2, False)])
async def test_a_message_is_marked(api, record, mark, read):
    """Read or unread, and is answered as it is then."""
    api.history.records[1, 1000] = record
    response = await api.call(
        MARK,
        message_service_pb2.MarkMessageRequest(message_id=format_id(1000), mark=mark),
        message_service_pb2.MarkMessageResponse,
    )
    assert ([read], at(4)) == (api.history.marks, response.message.read_time)


async def test_a_mark_must_be_one(api):
    """Unspecified is a broken rule, and so is a number that nobody knows."""
    for mark in (0, 9):
        refusal = await api.call(
            MARK, message_service_pb2.MarkMessageRequest(message_id=format_id(1), mark=mark)
        )
        assert (grpc.StatusCode.INVALID_ARGUMENT, {"mark"}) == (refusal.code, refusal.violations.keys())


async def test_a_message_is_sent_again(api, record):
    """With everything that was asked for; the new message is the answer."""
    api.redriver.answer = record
    request = message_service_pb2.RedriveMessageRequest(
        message_id=format_id(7), account_id=format_id(2), request_id="again", validity={"seconds": 60}
    )
    response = await api.call(REDRIVE, request, message_service_pb2.RedriveMessageResponse, key="admin-key")
    assert [(2, 7, "again", 60_000_000)] == api.redriver.calls
    assert message_message(record) == response.message


@pytest.mark.parametrize(
    ("fields", "broken"),
    [
        ({"request_id": "x" * 129}, "request_id"),
        ({"request_id": "a\nb"}, "request_id"),
        ({"validity": {"seconds": 0}}, "validity"),
        ({"validity": {"seconds": 700_000}}, "validity"),
        ({"message_id": ""}, "message_id"),
    ],
)
async def test_a_redrive_that_breaks_a_rule_is_refused_with_its_field(api, fields, broken):
    """As a Send would be."""
    request = message_service_pb2.RedriveMessageRequest(**({"message_id": format_id(7)} | fields))
    refusal = await api.call(REDRIVE, request)
    assert (grpc.StatusCode.INVALID_ARGUMENT, {broken}) == (refusal.code, refusal.violations.keys())
    assert [] == api.redriver.calls


@pytest.mark.parametrize("method", [DELETE, MARK, REDRIVE])
async def test_a_key_that_only_reads_changes_nothing(api, method):
    """Nor does it learn whether there is such a message."""
    refusal = await api.call(
        method, message_service_pb2.GetMessageRequest(message_id=format_id(1)), key="read-key"
    )
    assert (grpc.StatusCode.PERMISSION_DENIED, "ROLE_INSUFFICIENT") == (refusal.code, refusal.reason)


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


async def test_a_text_is_measured_as_its_account_sends_it(api):
    """With short links, where the account's policy makes them."""
    response = await api.call(
        ANALYZE,
        message_service_pb2.AnalyzeMessageRequest(text="x" * 100 + " https://example.com/" + "a" * 100),
        message_service_pb2.AnalyzeMessageResponse,
    )
    short = "https://go.example.org/" + "0" * 11
    assert (1, 101 + len(short), "x" * 100 + f" {short}") == (
        response.units,
        response.length,
        response.parts[0].text,
    )


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


@pytest.mark.parametrize(
    ("region", "forms"),
    [("", {"07700 900123"}), ("GB", {"07700 900123", "+447700900123"})],
    ids=["none", "GB"],
)
async def test_a_list_finds_national_numbers_of_the_accounts_default_region(api, region, forms):
    """Beside the address as it is written: another channel may have such ones."""
    api.policies.region = region
    request = message_service_pb2.ListMessagesRequest(filter={"recipients": ["07700 900123"]})
    await api.call(LIST, request, message_service_pb2.ListMessagesResponse)
    assert forms == api.history.queries[-1].filter.recipients
