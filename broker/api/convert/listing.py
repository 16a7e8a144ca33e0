"""What to list: MessageFilter and pages → a query, and what a page says of the index → protobuf."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from enum import IntEnum
from typing import TypeVar

from google.protobuf.unknown_fields import UnknownFieldSet  # type: ignore[import-not-found]

from broker.api.convert.filters import ids_of, texts_of
from broker.api.convert.findings import Findings
from broker.api.convert.paging import page_position, page_size_of
from broker.api.convert.requests import (
    ADDRESS_CHARACTERS_MAX,
    CAMPAIGN_ID_CHARACTERS_MAX,
    CLIENT_REFERENCE_CHARACTERS_MAX,
    DATA_CHARACTERS_MAX,
    DEVICE_TOKEN_CHARACTERS_MAX,
    ORIGIN_CHARACTERS_MAX,
    PROVIDER_CHARACTERS_MAX,
    SENDER_CHARACTERS_MAX,
    TAG_CHARACTERS_MAX,
    normal_tag,
)
from broker.api.convert.times import optional_timestamp
from broker.api.convert.words import CHANNELS, DIRECTIONS, STATES_SHOWN_AS, TRAFFICS
from broker.delivery.history import IndexProgress, MessageFilter, MessageQuery
from broker.domain.address import normal_mailbox, normal_number
from broker.domain.ids import parse_id
from broker.domain.lifecycle import State
from waypost.v1 import channel_pb2, message_pb2, message_service_pb2, status_pb2

VALUES_MAX = 100
_SINGLE = {"start_time", "end_time", "contact_id"}

Word = TypeVar("Word", bound=IntEnum)


def message_query_of(
    request: message_service_pb2.ListMessagesRequest, account_id: int, region: str = ""
) -> tuple[MessageQuery, str]:
    """Which messages to list, and the scope of that list's page tokens.

    `region` is whose national numbers are taken. Raises BrokerError with every rule that the request breaks.
    """
    findings = Findings()
    wanted = _filter(request.filter, findings, region)
    scope = _scope(wanted, account_id)
    position = page_position(request.page_token, scope, findings)
    page_size = page_size_of(request.page_size, findings)
    findings.refuse()
    before_id = None if position is None else parse_id(position)
    return MessageQuery(account_id, wanted, before_id, page_size), scope


def index_message(progress: IndexProgress) -> message_pb2.IndexProgress:
    """How far the index is."""
    return message_pb2.IndexProgress(
        sequence=progress.sequence,
        time=optional_timestamp(progress.time_us or None),
        events_behind=progress.behind,
        whole=progress.whole,
    )


def _scope(wanted: MessageFilter, account_id: int) -> str:
    """What a page token of ListMessages is good for: this account and this filter, in any order of values."""
    fields = {
        name: sorted(given) if isinstance(given, frozenset) else given
        for name, given in asdict(wanted).items()
    }
    return f"messages {account_id} {fields}"


def _filter(given: message_pb2.MessageFilter, findings: Findings, region: str) -> MessageFilter:
    for unknown in UnknownFieldSet(given):  # to ignore a wish is to list more than was asked for
        findings.broke(
            "filter", f"has field {unknown.field_number}, which this version of the broker has not"
        )
    repeated = (values for descriptor, values in given.ListFields() if descriptor.name not in _SINGLE)
    if not findings.count("filter", sum(map(len, repeated)), VALUES_MAX):
        return MessageFilter()
    states, deleted = _states(given.statuses, findings)
    return MessageFilter(
        start_us=findings.time("filter.start_time", given.start_time)
        if given.HasField("start_time")
        else None,
        end_us=findings.time("filter.end_time", given.end_time) if given.HasField("end_time") else None,
        states=states,
        deleted=deleted,
        channels=_words("channels", given.channels, CHANNELS, findings),
        traffics=_words("traffics", given.traffics, _TRAFFICS, findings),
        directions=_words("directions", given.directions, DIRECTIONS, findings),
        recipients=_recipients(given.recipients, findings, region),
        client_references=_texts(
            "client_references", given.client_references, CLIENT_REFERENCE_CHARACTERS_MAX, findings
        ),
        data=_texts("data", given.data, DATA_CHARACTERS_MAX, findings),
        senders=_texts("senders", given.senders, SENDER_CHARACTERS_MAX, findings),
        campaigns=_texts("campaigns", given.campaigns, CAMPAIGN_ID_CHARACTERS_MAX, findings),
        tags=_texts("tags", map(normal_tag, given.tags), TAG_CHARACTERS_MAX, findings),
        reply_to_message_ids=ids_of("filter.reply_to_message_ids", given.reply_to_message_ids, findings),
        origins=_texts("origins", given.origins, ORIGIN_CHARACTERS_MAX, findings),
        providers=_texts("providers", given.providers, PROVIDER_CHARACTERS_MAX, findings),
        contact_id=_contact_id(given.contact_id, findings),
        broadcast_ids=ids_of("filter.broadcast_ids", given.broadcast_ids, findings),
    )


def _contact_id(text: str, findings: Findings) -> int | None:
    number = parse_id(text) if text else None
    if text and number is None:
        findings.broke("filter.contact_id", "is not an id: 13 characters of Crockford base32")
    return number


# Unspecified is a word of a SendRequest and none of a filter.
_TRAFFICS = {number: word for number, word in TRAFFICS.items() if number != channel_pb2.TRAFFIC_UNSPECIFIED}


def _texts(name: str, texts: Iterable[str], characters_max: int, findings: Findings) -> frozenset[str]:
    """Values that are not empty: that would be a wish for messages without one, which no index has."""
    given = tuple(texts)
    field = f"filter.{name}"
    for index, text in enumerate(given):
        if not text:
            findings.broke(f"{field}[{index}]", "must not be empty")
    return texts_of(field, given, characters_max, findings)


def _recipients(texts: Iterable[str], findings: Findings, region: str) -> frozenset[str]:
    """Addresses, each also in the form in which messages have it."""
    given = _texts("recipients", texts, max(ADDRESS_CHARACTERS_MAX, DEVICE_TOKEN_CHARACTERS_MAX), findings)
    if findings.violations:
        return given
    forms = {form for each in given for form in (each, normal_number(each, region), normal_mailbox(each))}
    return frozenset(form for form in forms if form is not None)


def _words(
    name: str, numbers: Iterable[int], words: Mapping[int, Word], findings: Findings
) -> frozenset[Word]:
    found = {findings.word(f"filter.{name}[{at}]", number, words) for at, number in enumerate(numbers)}
    return frozenset(word for word in found if word is not None)


def _states(statuses: Iterable[int], findings: Findings) -> tuple[frozenset[State], bool]:
    """The states, and whether deleted messages are wanted."""
    states: set[State] = set()
    deleted = False
    for index, status in enumerate(statuses):
        shown = STATES_SHOWN_AS.get(status)
        if shown is not None:
            states |= shown
        elif status == status_pb2.MESSAGE_STATUS_DELETED:
            deleted = True
        else:
            findings.broke(f"filter.statuses[{index}]", f"{status} is not a status that a message can have")
    return frozenset(states), deleted
