"""What to follow: EventFilter, and SubscribeRequest's start."""

from collections.abc import Iterable
from typing import Literal

from broker.api.convert.findings import Findings
from broker.api.convert.requests import (
    CAMPAIGN_ID_CHARACTERS_MAX,
    CLIENT_REFERENCE_CHARACTERS_MAX,
    DATA_CHARACTERS_MAX,
    ORIGIN_CHARACTERS_MAX,
    TAG_CHARACTERS_MAX,
    normal_tag,
)
from broker.api.convert.words import EVENT_KINDS
from broker.domain.cursor import Cursor, parse_cursor
from broker.domain.ids import parse_id
from broker.domain.records import EventFilter
from broker.errors import BrokerError, ErrorReason
from waypost.v1 import subscribe_pb2

FILTER_VALUES_MAX = 1_000
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
        message_ids=ids_of("filter.message_ids", given.message_ids, findings),
        broadcast_ids=ids_of("filter.broadcast_ids", given.broadcast_ids, findings),
        client_references=texts_of(
            "filter.client_references", given.client_references, CLIENT_REFERENCE_CHARACTERS_MAX, findings
        ),
        campaigns=texts_of("filter.campaigns", given.campaigns, CAMPAIGN_ID_CHARACTERS_MAX, findings),
        tags=texts_of("filter.tags", map(normal_tag, given.tags), TAG_CHARACTERS_MAX, findings),
        data=texts_of("filter.data", given.data, DATA_CHARACTERS_MAX, findings),
        reply_to_message_ids=ids_of("filter.reply_to_message_ids", given.reply_to_message_ids, findings),
        kinds=frozenset(kind for kind in kinds if kind is not None),
        origins=texts_of("filter.origins", given.origins, ORIGIN_CHARACTERS_MAX, findings),
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


def ids_of(field: str, texts: Iterable[str], findings: Findings) -> frozenset[int]:
    """Ids, each of which has to be one."""
    numbers: set[int] = set()
    for index, text in enumerate(texts):
        number = parse_id(text)
        if number is None:
            findings.broke(f"{field}[{index}]", "is not an id: 13 characters of Crockford base32")
        else:
            numbers.add(number)
    return frozenset(numbers)


def texts_of(field: str, texts: Iterable[str], characters_max: int, findings: Findings) -> frozenset[str]:
    """Values as long as a request may have them; a longer one matches nothing and is held for long."""
    given = tuple(texts)
    for index, text in enumerate(given):
        if len(text) > characters_max:
            findings.text(f"{field}[{index}]", text, characters_max)
    return frozenset(given)
