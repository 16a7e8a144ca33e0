"""Messages as they stand, with their histories, and texts that were measured."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from waypost.content import Content, TemplateVersion
from waypost.sending import Campaign, Price
from waypost.vocabulary import Channel, Direction, Encoding, Fact, Guarantee, Reason, Status, Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One thing that happened to a message.

    attempt: its number, from 1. 0: before the first.
    part: the part a receipt is about, from 1. 0: the whole message.
    next_attempt_time: when the broker planned to act next.
    next_provider: the provider that was to get the next attempt, on DEFERRED, REROUTED and CHANNEL_CHANGED.
    previous_channel: the channel that it went by before, on CHANNEL_CHANGED.
    """

    sequence: int
    time: datetime
    fact: Fact
    status: Status
    previous_status: Status | None
    reason: Reason | None
    detail: str
    attempt: int
    provider: str
    provider_message_ids: tuple[str, ...]
    part: int
    provider_code: str
    provider_text: str
    next_attempt_time: datetime | None
    next_provider: str
    previous_channel: Channel | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link of a message that was shortened.

    url: as the text had it; short_url: what stands there instead; target_url: where that leads.
    clicks: how often it was followed; robots that say so are not counted.
    """

    url: str
    short_url: str
    target_url: str
    clicks: int
    last_click_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it stands now. An empty str means that there is none.

    A deleted one (status DELETED) has no recipient, content and data.

    end: whether the status is for good.
    redriven_from_message_id: the message that this one sends again.
    fallback_channels: those that it may still go on by, in order; as content, only of a message looked up.
    content, timeline: only of a message that was looked up by its id; None and empty in lists.
    content, links, timeline: only of a message that was looked up by its id; None and empty in lists.
    """

    message_id: str
    account_id: str
    broadcast_id: str
    contact_id: str
    recipient: str
    sender: str
    channel: Channel | None
    traffic: Traffic | None
    guarantee: Guarantee | None
    status: Status
    end: bool
    reason: Reason | None
    content: Content | None
    encoding: Encoding | None
    units: int
    price: Price | None
    provider: str
    attempts: int
    accept_time: datetime
    transmit_time: datetime | None
    expire_time: datetime | None
    end_time: datetime | None
    client_reference: str
    campaign: Campaign | None
    data: str
    tags: tuple[str, ...]
    reply_to_message_id: str
    origin: str
    template: TemplateVersion | None = None
    direction: Direction | None = None
    delete_time: datetime | None = None
    read_time: datetime | None = None
    redriven_from_message_id: str = ""
    fallback_channels: tuple[Channel, ...] = ()
    links: tuple[Link, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()


class MessageFields(TypedDict, total=False):
    """Which messages to list: a message is listed when it matches each field that is given, by any of its values.

    At most 100 values in all. Tags match in any case, addresses in any spelling, the rest exactly.
    """

    recipients: str | Iterable[str]
    client_references: str | Iterable[str]
    campaigns: str | Iterable[str]
    tags: str | Iterable[str]
    senders: str | Iterable[str]
    channels: Channel | Iterable[Channel]
    traffics: Traffic | Iterable[Traffic]
    directions: Direction | Iterable[Direction]
    providers: str | Iterable[str]
    reply_to_message_ids: str | Iterable[str]
    data: str | Iterable[str]
    origins: str | Iterable[str]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a text as the network carries it. `length` is in septets, or UTF-16 units for UCS-2."""

    text: str
    length: int


@dataclass(frozen=True, slots=True)
class ForcingCharacter:
    """A character outside the GSM alphabet.

    index: where it first stands, from 0; indexes: everywhere that it stands.
    replacement: a GSM text that might stand in for it, perhaps empty; None: the broker knows none.
    units_saved: what it saves to replace this one everywhere and nothing else.
    """

    character: str
    index: int
    indexes: tuple[int, ...] = ()
    replacement: str | None = None
    units_saved: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """A text, measured.

    units: billable parts.
    within_maximum: whether the account allows that many.
    credit_cost_micros: 0: no price rule applies, it would not be sent, or no recipient was named.
    forcing_characters: those that force UCS-2, in order of appearance.
    characters: how many the text has.
    units_max: the account's most units.
    replaced_text: the text with every forcing character replaced that has a replacement, and
        `replaced_units` what it comes to; None where that helps nothing.
    missing_tokens: placeholders without a value; they were measured as they stand.
    length_max: the length that the account's most units hold in this encoding.
    price: the same as credit_cost_micros with its currency; None where that is 0.
    provider: the instance that it would go to first; "" where it would not be sent, or no recipient was named.
    reason: why the recipient would be refused, and `detail` the same for people; None: it would not be.
    """

    units: int
    encoding: Encoding | None
    length: int
    within_maximum: bool
    credit_cost_micros: int
    parts: tuple[Part, ...]
    forcing_characters: tuple[ForcingCharacter, ...]
    characters: int = 0
    units_max: int = 0
    replaced_text: str | None = None
    replaced_units: int = 0
    replaced_encoding: Encoding | None = None
    missing_tokens: tuple[str, ...] = ()
    length_max: int = 0
    price: Price | None = None
    provider: str = ""
    reason: Reason | None = None
    detail: str = ""
