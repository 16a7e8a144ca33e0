"""MessageService on the wire: pages of messages, by every filter."""

import grpc
import pytest

from broker.api.convert.messages import message_message
from broker.delivery.history import MessageFilter, MessageQuery
from broker.domain.ids import format_id
from broker.domain.lifecycle import State
from broker.domain.vocabulary import Channel, Direction, Traffic
from tests.unit.api.fakes import NOW_US
from tests.unit.api.wire import at
from waypost.v1 import message_pb2, message_service_pb2

LIST = "MessageService/ListMessages"


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
