"""Messages for people: many as rows, one as a card with its timeline."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from broker.cli.grid import STATUS_STYLES, Column, card, grid
from broker.cli.wording import local_time, reason_word, status_word, what_happened, word_of
from waypost.v1 import (
    channel_pb2,
    content_pb2,
    event_pb2,
    message_pb2,
    message_service_pb2,
    status_pb2,
)

_LIST = (
    Column("accepted"),
    Column("message id"),
    Column("status", styles=STATUS_STYLES),
    Column("channel"),
    Column("recipient"),
    Column("provider"),
    Column("attempts", right=True),
    Column("units", right=True),
    Column("reason", rare=True),
    Column("reference", rare=True),
)

_TIMELINE = (
    Column("time"),
    Column("status", styles=STATUS_STYLES),
    Column("what happened"),
    Column("attempt", right=True),
    Column("provider"),
    Column("part", right=True, rare=True),
    Column("provider's id", rare=True),
    Column("note", rare=True),
)


_LINKS = (
    Column("short link"),
    Column("leads to"),
    Column("clicks", right=True),
    Column("last click", rare=True),
)


def messages_table(
    messages: Sequence[message_pb2.Message], *, more: bool, index: message_pb2.IndexProgress
) -> RenderableType:
    """A row for each message, whether there are older ones, and whether newer ones may be missing."""
    if not messages:
        return Text("no message matches" + _missing(index))
    count = "1 message" if len(messages) == 1 else f"{len(messages):,} messages"
    summary = f"{count}; older ones match too: raise --limit" if more else count
    return Group(grid(_LIST, [_cells(each) for each in messages]), "", Text(summary + _missing(index)))


def _missing(index: message_pb2.IndexProgress) -> str:
    """What to say where the index has not kept up; nothing while lists are whole."""
    if index.whole:
        return ""
    since = local_time(index.time) if index.HasField("time") else "the beginning"
    return f"; the index is {index.events_behind:,} events behind: messages since {since} may be missing"


def _cells(message: message_pb2.Message) -> Sequence[str]:
    return (
        local_time(message.accept_time),
        message.message_id,
        status_word(message.status),
        _channel(message),
        _whom(message),
        message.provider,
        str(message.attempts or ""),
        str(message.units or ""),
        reason_word(message.reason),
        message.client_reference,
    )


def _whom(message: message_pb2.Message) -> str:
    """The other side: whom it went to, or who wrote it."""
    if message.direction == message_pb2.DIRECTION_INBOUND:
        return f"from {message.sender}"
    return message.recipient


def story_of(response: message_service_pb2.GetMessageResponse) -> RenderableType:
    """The message as it stands, and below it all that happened to it."""
    timeline = [_timeline_cells(entry) for entry in response.timeline]
    links = [_link_cells(each) for each in response.message.links]
    shown: list[RenderableType] = ["", grid(_LINKS, links)] if links else []
    return Group(message_card(response.message), *shown, "", grid(_TIMELINE, timeline))


def message_card(message: message_pb2.Message) -> RenderableType:
    """What is known about one message."""
    facts = [
        ("message", message.message_id),
        ("status", status_word(message.status)),
        ("reason", reason_word(message.reason)),
        ("recipient", message.recipient),
        ("sender", message.sender),
        ("channel", _channel(message)),
        ("traffic", word_of(channel_pb2.Traffic.DESCRIPTOR, message.traffic).lower()),
        ("text", text_of(message.content)),
        ("units", _units(message)),
        ("provider", message.provider),
        ("candidates", ", ".join(message.candidates)),
        ("routes", f"version {message.route_version}" if message.route_version else ""),
        ("attempts", str(message.attempts or "")),
        *_times(message),
        ("reference", message.client_reference),
        ("campaign", message.campaign.id),
        ("tags", ", ".join(message.tags)),
        ("data", message.data),
        ("origin", message.origin),
        ("answers", message.reply_to_message_id),
        ("sent again from", message.redriven_from_message_id),
    ]
    return card(facts, STATUS_STYLES)


def text_of(content: content_pb2.Content) -> str:
    """What is said, on whichever channel it is."""
    said = (content.sms.text, content.mms.text, content.email.text, content.push.body, content.in_app.body)
    return next(filter(None, said), content.email.html)


def _channel(message: message_pb2.Message) -> str:
    return word_of(channel_pb2.Channel.DESCRIPTOR, message.channel).lower()


def _units(message: message_pb2.Message) -> str:
    if not message.units:
        return ""
    encoding = word_of(channel_pb2.Encoding.DESCRIPTOR, message.encoding)
    return f"{message.units} ({encoding})" if encoding else str(message.units)


def _times(message: message_pb2.Message) -> list[tuple[str, str]]:
    """Its times in their order; the end of its validity matters only until it has ended."""
    times = [("accepted", message.accept_time), ("due", message.transmit_time)]
    if message.HasField("end_time"):
        times.append(("ended", message.end_time))
    else:
        times.append(("expires", message.expire_time))
    if message.HasField("delete_time"):
        times.append(("deleted", message.delete_time))
    return [(name, local_time(time) if time.ByteSize() else "") for name, time in times]


def _link_cells(link: message_pb2.Link) -> Sequence[str]:
    last = local_time(link.last_click_time) if link.HasField("last_click_time") else ""
    return link.short_url, link.target_url, str(link.clicks), last


def _timeline_cells(entry: message_pb2.TimelineEntry) -> Sequence[str]:
    happened = what_happened(
        event_pb2.MessageEvent(fact=entry.fact, provider_code=entry.provider_code, reason=entry.reason)
    )
    return (
        local_time(entry.time),
        status_word(entry.status),
        happened,
        str(entry.attempt or ""),
        entry.provider,
        str(entry.part or ""),
        ", ".join(entry.provider_message_ids),
        _note(entry),
    )


def _note(entry: message_pb2.TimelineEntry) -> str:
    """What there is to say beyond the fact, and what was planned next while something still was."""
    said = [entry.detail, entry.provider_text]
    if entry.HasField("next_attempt_time") and entry.fact == status_pb2.MESSAGE_FACT_DEFERRED:
        said.append(f"again at {local_time(entry.next_attempt_time)}")
    if entry.next_provider and entry.next_provider != entry.provider:
        said.append(f"next {entry.next_provider}")
    if entry.previous_channel:
        said.append(f"no longer by {word_of(channel_pb2.Channel.DESCRIPTOR, entry.previous_channel).lower()}")
    return "; ".join(filter(None, said))
