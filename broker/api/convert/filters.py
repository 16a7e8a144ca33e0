"""What to follow and what to list: EventFilter, SubscribeRequest's start, MessageFilter and pages."""

from collections.abc import Iterable
from typing import Literal

from broker.api.convert.findings import Findings
from broker.api.convert.paging import page_position, page_size_of
from broker.api.convert.requests import (
    CAMPAIGN_ID_CHARACTERS_MAX,
    CLIENT_REFERENCE_CHARACTERS_MAX,
    DATA_CHARACTERS_MAX,
    TAG_CHARACTERS_MAX,
    normal_tag,
)
from broker.api.convert.words import EVENT_KINDS, STATES_SHOWN_AS
from broker.delivery.history import MessageQuery
from broker.domain.cursor import Cursor, parse_cursor
from broker.domain.ids import parse_id
from broker.domain.lifecycle import State
from broker.domain.records import EventFilter
from broker.errors import BrokerError, ErrorReason
from waypost.v1 import message_pb2, message_service_pb2, status_pb2, subscribe_pb2

FILTER_VALUES_MAX = 1_000
STATUSES_MAX = 100
HEARTBEAT_DEFAULT_S = 15.0
HEARTBEAT_S_MIN = 1
HEARTBEAT_S_MAX = 3_600

Start = Cursor | Literal["beginning", "now"]


def event_filter_of(given: subscribe_pb2.EventFilter, findings: Findings) -> EventFilter:
    """Which events to follow."""
    count = sum(len(values) for descriptor, values in given.ListFields() if descriptor.name != "kinds")
    if not findings.count("filter", count + len(given.kinds), FILTER_VALUES_MAX):
        return EventFilter()
    kinds = [
        findings.word(f"filter.kinds[{index}]", kind, EVENT_KINDS) for index, kind in enumerate(given.kinds)
    ]
    return EventFilter(
        message_ids=_ids("filter.message_ids", given.message_ids, findings),
        broadcast_ids=_ids("filter.broadcast_ids", given.broadcast_ids, findings),
        client_references=_texts(
            "filter.client_references", given.client_references, CLIENT_REFERENCE_CHARACTERS_MAX, findings
        ),
        campaigns=_texts("filter.campaigns", given.campaigns, CAMPAIGN_ID_CHARACTERS_MAX, findings),
        tags=_texts("filter.tags", map(normal_tag, given.tags), TAG_CHARACTERS_MAX, findings),
        data=_texts("filter.data", given.data, DATA_CHARACTERS_MAX, findings),
        reply_to_message_ids=_ids("filter.reply_to_message_ids", given.reply_to_message_ids, findings),
        kinds=frozenset(kind for kind in kinds if kind is not None),
    )


def start_of(request: subscribe_pb2.SubscribeRequest, account_id: int) -> Start:
    """Where to start. Raises BrokerError for a cursor that is none of this account's."""
    start = request.WhichOneof("start")
    if start == "from_beginning":
        return "beginning"
    if start != "after_cursor":
        return "now"
    cursor = parse_cursor(request.after_cursor)
    if cursor is None or cursor.account_id != account_id:
        raise BrokerError(ErrorReason.CURSOR_INVALID)
    return cursor


def heartbeat_s_of(request: subscribe_pb2.SubscribeRequest, findings: Findings) -> float:
    """How long the stream may be silent, in seconds."""
    if not request.HasField("heartbeat_interval"):
        return HEARTBEAT_DEFAULT_S
    span_us = findings.span(
        "heartbeat_interval", request.heartbeat_interval, s_min=HEARTBEAT_S_MIN, s_max=HEARTBEAT_S_MAX
    )
    return HEARTBEAT_DEFAULT_S if span_us is None else span_us / 1_000_000


def message_query_of(request: message_service_pb2.ListMessagesRequest, account_id: int) -> MessageQuery:
    """Which messages to list. Raises BrokerError with every rule that the request breaks."""
    findings = Findings()
    wanted = request.filter
    start_us = (
        findings.time("filter.start_time", wanted.start_time) if wanted.HasField("start_time") else None
    )
    end_us = findings.time("filter.end_time", wanted.end_time) if wanted.HasField("end_time") else None
    query = MessageQuery(
        account_id=account_id,
        start_us=start_us,
        end_us=end_us,
        states=_states(wanted.statuses, findings),
        before_id=_before_id(request, account_id, findings),
        page_size=page_size_of(request.page_size, findings),
        contact_id=_contact_id(wanted.contact_id, findings),
    )
    findings.refuse()
    return query


def list_scope(given: message_pb2.MessageFilter, account_id: int) -> str:
    """What a page token of ListMessages is good for: this account and this filter."""
    times = (
        (given.start_time.seconds, given.start_time.nanos) if given.HasField("start_time") else None,
        (given.end_time.seconds, given.end_time.nanos) if given.HasField("end_time") else None,
    )
    contact = f" of {given.contact_id}" if given.contact_id else ""
    return f"messages {account_id} {times} {sorted(set(given.statuses))}{contact}"


def _contact_id(text: str, findings: Findings) -> int | None:
    number = parse_id(text) if text else None
    if text and number is None:
        findings.broke("filter.contact_id", "is not an id: 13 characters of Crockford base32")
    return number


def _before_id(
    request: message_service_pb2.ListMessagesRequest, account_id: int, findings: Findings
) -> int | None:
    position = page_position(request.page_token, list_scope(request.filter, account_id), findings)
    return None if position is None else parse_id(position)


def _states(statuses: Iterable[int], findings: Findings) -> frozenset[State]:
    given = list(statuses)
    states: set[State] = set()
    if not findings.count("filter.statuses", len(given), STATUSES_MAX):
        return frozenset()
    for index, status in enumerate(given):
        field = f"filter.statuses[{index}]"
        shown = STATES_SHOWN_AS.get(status)
        if shown is not None:
            states |= shown
        elif status == status_pb2.MESSAGE_STATUS_DELETED:
            findings.not_built(field)
        else:
            findings.broke(field, f"{status} is not a status that a message can have")
    return frozenset(states)


def _ids(field: str, texts: Iterable[str], findings: Findings) -> frozenset[int]:
    numbers: set[int] = set()
    for index, text in enumerate(texts):
        number = parse_id(text)
        if number is None:
            findings.broke(f"{field}[{index}]", "is not an id: 13 characters of Crockford base32")
        else:
            numbers.add(number)
    return frozenset(numbers)


def _texts(field: str, texts: Iterable[str], characters_max: int, findings: Findings) -> frozenset[str]:
    """Values as long as a request may have them; a longer one matches nothing and is held for long."""
    given = tuple(texts)
    for index, text in enumerate(given):
        if len(text) > characters_max:
            findings.text(f"{field}[{index}]", text, characters_max)
    return frozenset(given)
