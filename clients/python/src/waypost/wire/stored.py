"""Stored messages and measured texts, from protobuf."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from waypost.content import TemplateVersion
from waypost.messages import Analysis, ForcingCharacter, Link, Message, MessageFields, Part, TimelineEntry
from waypost.v1 import message_pb2, message_service_pb2, template_pb2
from waypost.vocabulary import Status
from waypost.wire.contents import content_of
from waypost.wire.sends import campaign_of, price_of, texts
from waypost.wire.times import time_of, timestamp
from waypost.wire.words import (
    CHANNELS,
    DIRECTIONS,
    ENCODINGS,
    FACTS,
    GUARANTEES,
    REASONS,
    STATUSES,
    TRAFFICS,
    Words,
)

_WORDS: Mapping[str, Words[Any]] = {"channels": CHANNELS, "traffics": TRAFFICS, "directions": DIRECTIONS}


def list_message(
    since: datetime | None,
    until: datetime | None,
    status: Status | Iterable[Status],
    only: Mapping[str, Any],
    *,
    page_size: int,
    account_id: str,
) -> message_service_pb2.ListMessagesRequest:
    """Which messages to list, from the first page on. Raises TypeError for a field that is none."""
    request = message_service_pb2.ListMessagesRequest(account_id=account_id, page_size=page_size)
    if since is not None:
        request.filter.start_time.CopyFrom(timestamp(since))
    if until is not None:
        request.filter.end_time.CopyFrom(timestamp(until))
    statuses = [status] if isinstance(status, Status) else status
    request.filter.statuses.extend(STATUSES.number(each) for each in statuses)
    for field, values in only.items():
        if field not in MessageFields.__annotations__:
            raise TypeError(f"messages are not picked by {field!r}; see MessageFields")
        words = _WORDS.get(field)
        given = texts(values)
        getattr(request.filter, field).extend(given if words is None else map(words.number, given))
    return request


def message_of(message: message_pb2.Message, timeline: Iterable[message_pb2.TimelineEntry] = ()) -> Message:
    """A message as it stands, with what happened to it."""
    has = message.HasField
    return Message(
        message_id=message.message_id,
        account_id=message.account_id,
        broadcast_id=message.broadcast_id,
        contact_id=message.contact_id,
        recipient=message.recipient,
        sender=message.sender,
        channel=CHANNELS.optional(message.channel),
        traffic=TRAFFICS.optional(message.traffic),
        guarantee=GUARANTEES.optional(message.guarantee),
        status=STATUSES.word(message.status),
        end=message.end,
        reason=REASONS.optional(message.reason),
        content=content_of(message.content) if has("content") else None,
        encoding=ENCODINGS.optional(message.encoding),
        units=message.units,
        price=price_of(message.price) if has("price") else None,
        provider=message.provider,
        attempts=message.attempts,
        accept_time=time_of(message.accept_time),
        transmit_time=time_of(message.transmit_time) if has("transmit_time") else None,
        expire_time=time_of(message.expire_time) if has("expire_time") else None,
        end_time=time_of(message.end_time) if has("end_time") else None,
        client_reference=message.client_reference,
        campaign=campaign_of(message.campaign) if has("campaign") else None,
        data=message.data,
        tags=tuple(message.tags),
        reply_to_message_id=message.reply_to_message_id,
        origin=message.origin,
        template=_template_version(message.template) if has("template") else None,
        direction=DIRECTIONS.optional(message.direction),
        delete_time=time_of(message.delete_time) if has("delete_time") else None,
        read_time=time_of(message.read_time) if has("read_time") else None,
        redriven_from_message_id=message.redriven_from_message_id,
        fallback_channels=tuple(map(CHANNELS.word, message.fallback_channels)),
        links=tuple(map(_link, message.links)),
        timeline=tuple(map(_entry, timeline)),
    )


def _link(link: message_pb2.Link) -> Link:
    clicked = link.HasField("last_click_time")
    return Link(
        url=link.url,
        short_url=link.short_url,
        target_url=link.target_url,
        clicks=link.clicks,
        last_click_time=time_of(link.last_click_time) if clicked else None,
    )


def _template_version(used: template_pb2.TemplateVersion) -> TemplateVersion:
    return TemplateVersion(used.project, used.name, used.version, used.locale)


def _entry(entry: message_pb2.TimelineEntry) -> TimelineEntry:
    planned = entry.HasField("next_attempt_time")
    return TimelineEntry(
        sequence=entry.sequence,
        time=time_of(entry.time),
        fact=FACTS.word(entry.fact),
        status=STATUSES.word(entry.status),
        previous_status=STATUSES.optional(entry.previous_status),
        reason=REASONS.optional(entry.reason),
        detail=entry.detail,
        attempt=entry.attempt,
        provider=entry.provider,
        provider_message_ids=tuple(entry.provider_message_ids),
        part=entry.part,
        provider_code=entry.provider_code,
        provider_text=entry.provider_text,
        next_attempt_time=time_of(entry.next_attempt_time) if planned else None,
        next_provider=entry.next_provider,
        previous_channel=CHANNELS.optional(entry.previous_channel),
    )


def analysis_of(response: message_service_pb2.AnalyzeMessageResponse) -> Analysis:
    """A text, measured."""
    return Analysis(
        units=response.units,
        encoding=ENCODINGS.optional(response.encoding),
        length=response.length,
        within_maximum=response.within_maximum,
        credit_cost_micros=response.credit_cost,
        parts=tuple(Part(each.text, each.length) for each in response.parts),
        forcing_characters=tuple(map(_forcing_character, response.forcing_characters)),
        characters=response.characters,
        units_max=response.units_max,
        replaced_text=response.replaced_text if response.HasField("replaced_text") else None,
        replaced_units=response.replaced_units,
        replaced_encoding=ENCODINGS.optional(response.replaced_encoding),
        missing_tokens=tuple(response.missing_tokens),
        length_max=response.length_max,
        price=price_of(response.price) if response.HasField("price") else None,
        provider=response.provider,
        reason=REASONS.optional(response.reason),
        detail=response.detail,
    )


def _forcing_character(forcing: message_service_pb2.ForcingCharacter) -> ForcingCharacter:
    return ForcingCharacter(
        forcing.character,
        forcing.index,
        tuple(forcing.indexes),
        forcing.replacement if forcing.HasField("replacement") else None,
        forcing.units_saved,
    )
