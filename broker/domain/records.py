"""What the store tells about messages and events; times are microseconds since 1970 UTC."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from broker.domain.encoding import Encoding
from broker.domain.lifecycle import ENDS, Fact, State
from broker.domain.price import Price, PricedItem
from broker.domain.submission import Campaign, TemplateUsed
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Direction, EventKind, Guarantee, Reason, Traffic


@value
class Labels:
    """What a caller attached to a submission for its own use, besides what each recipient may override.

    Also the version of a template that it was made with, whether it answers STOP, START or HELP, whether it was
    to be sent in quiet hours too, and held to a frequency cap, and what it is priced as where it has a price.
    """

    campaign: Campaign | None = None
    tags: tuple[str, ...] = ()
    origin: str = ""
    reply_to_message_id: int | None = None
    template: TemplateUsed | None = None
    redriven_from_message_id: int | None = None
    answers_consent: bool = False
    broadcast_id: int | None = None
    ignore_quiet_hours: bool = False
    cap_frequency: bool = False
    priced_as: PricedItem = PricedItem.MESSAGE_UNIT


NO_LABELS = Labels()


@value
class MessageChange:
    """What one event says of a message: the fact, where it led, and what the provider said."""

    fact: Fact
    state: State
    previous_state: State | None
    reason: Reason | None = None
    detail: str = ""
    attempt: int = 0
    provider: str = ""
    provider_message_ids: tuple[str, ...] = ()
    part: int = 0
    provider_code: str = ""
    provider_text: str = ""
    next_attempt_at_us: int | None = None
    next_provider: str = ""
    previous_channel: Channel | None = None

    @property
    def end(self) -> bool:
        """Whether the message had reached its end with or before this change."""
        return self.state in ENDS


@value
class EventRecord:
    """One committed event of an account, with what filters and readers need of it.

    An event of kind MESSAGE is a `change` of the message it names. Any other kind has none; what it says is
    `told`, and `message_id`, labels and addresses are those of the message that it came of (0: of none).
    """

    account_id: int
    sequence: int
    time_us: int
    message_id: int
    change: MessageChange | None
    recipient: str
    sender: str
    channel: Channel | None
    units: int
    client_reference: str
    data: str
    labels: Labels
    kind: EventKind = EventKind.MESSAGE
    told: Mapping[str, Any] | None = None
    contact_id: int | None = None
    price: Price | None = None

    @property
    def broadcast_id(self) -> int | None:
        """The broadcast that it is about, or that its message belongs to."""
        if self.kind is EventKind.BROADCAST and self.told is not None:
            return int(self.told["broadcast_id"])
        return self.labels.broadcast_id

    @property
    def moved(self) -> MessageChange:
        """The change of an event of kind MESSAGE; raises AssertionError for another kind's."""
        if self.change is None:
            raise AssertionError(f"an event of kind {self.kind.name} is no change of a message")
        return self.change


@value
class TimelineRecord:
    """One event of one message's history."""

    sequence: int
    time_us: int
    change: MessageChange


@value
class LinkRecord:
    """A link of a message that was shortened: the link as its text had it, where it leads, and its clicks."""

    place: int
    short_url: str
    url: str
    target: str
    clicks: int = 0
    last_click_at_us: int | None = None


@value
class MessageRecord:
    """A message as it stands now. `content` is its channel's document, None where it was not asked for.

    `candidates` are the instances that may carry it, in the order to try them, of a message that was read
    alone and has not ended; `fallback_channels` are those that it may still go on by. `route_version` is that of the routes which named them, 0: there were none.
    alone and has not ended. `route_version` is that of the routes which named them, 0: there were none.
    `links` are those that were shortened, of a message that was read alone.
    A message that was deleted has neither content nor data, and its address is empty.
    """

    message_id: int
    account_id: int
    recipient: str
    sender: str
    channel: Channel | None
    traffic: Traffic
    guarantee: Guarantee
    state: State
    reason: Reason | None
    encoding: Encoding | None
    units: int
    provider: str
    attempts: int
    accepted_at_us: int
    transmit_at_us: int
    expire_at_us: int
    ended_at_us: int | None
    client_reference: str
    data: str
    labels: Labels
    content: dict[str, object] | None = None
    contact_id: int | None = None
    route_version: int = 0
    candidates: tuple[str, ...] = ()
    fallback_channels: tuple[Channel, ...] = ()
    direction: Direction = Direction.OUTBOUND
    deleted_at_us: int | None = None
    read_at_us: int | None = None
    price: Price | None = None
    links: tuple[LinkRecord, ...] = ()


@value
class EventFilter:
    """Which events a subscriber wants: every set that is not empty must contain the event's value."""

    message_ids: frozenset[int] = field(default=frozenset())
    broadcast_ids: frozenset[int] = field(default=frozenset())
    client_references: frozenset[str] = field(default=frozenset())
    campaigns: frozenset[str] = field(default=frozenset())
    tags: frozenset[str] = field(default=frozenset())
    data: frozenset[str] = field(default=frozenset())
    reply_to_message_ids: frozenset[int] = field(default=frozenset())
    kinds: frozenset[EventKind] = field(default=frozenset())
    origins: frozenset[str] = field(default=frozenset())

    def matches(self, event: EventRecord) -> bool:
        """Whether the event passes."""
        labels = event.labels
        return (
            (not self.message_ids or event.message_id in self.message_ids)
            and (not self.client_references or event.client_reference in self.client_references)
            and (not self.data or event.data in self.data)
            and (not self.kinds or event.kind in self.kinds)
            and (not self.tags or not self.tags.isdisjoint(labels.tags))
            and (not self.campaigns or (labels.campaign is not None and labels.campaign.id in self.campaigns))
            and (not self.origins or labels.origin in self.origins)
            and (not self.reply_to_message_ids or labels.reply_to_message_id in self.reply_to_message_ids)
            and (not self.broadcast_ids or event.broadcast_id in self.broadcast_ids)
        )

    @property
    def narrowest(self) -> tuple[str, frozenset[object]] | None:
        """The field that lets the fewest events through, with its values; None when only kinds are wanted."""
        for facet in FACETS:
            wanted: frozenset[object] = getattr(self, facet)
            if wanted:
                return facet, wanted
        return None

    @property
    def matches_all(self) -> bool:
        """Whether nothing is filtered out."""
        return self == EventFilter()


FACETS: dict[str, Callable[[EventRecord], Sequence[object]]] = {
    "message_ids": lambda event: (event.message_id,),
    "client_references": lambda event: (event.client_reference,),
    "data": lambda event: (event.data,),
    "reply_to_message_ids": lambda event: (event.labels.reply_to_message_id,),
    "campaigns": lambda event: () if event.labels.campaign is None else (event.labels.campaign.id,),
    "tags": lambda event: event.labels.tags,
    "origins": lambda event: (event.labels.origin,),
    "broadcast_ids": lambda event: (event.broadcast_id,),
}
"""What an event has under each field of a filter, the field that usually lets the fewest through first."""


def facets_of(facet: str, event: EventRecord) -> Sequence[object]:
    """An event's values under a field of EventFilter."""
    return FACETS[facet](event)
