"""Committed changes of an account, as a subscription yields them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from waypost.broadcasts import Broadcast
from waypost.sending import Campaign, Price
from waypost.vocabulary import (
    BroadcastState,
    Channel,
    Fact,
    InboundAssignment,
    InboundKind,
    OptInState,
    Reason,
    Status,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One committed change.

    An event of a kind that this client does not know is a plain Event.

    sequence: its position in the account's log.
    cursor: resume after exactly this event with `subscribe(after=...)`. Opaque.
    """

    sequence: int
    time: datetime
    account_id: str
    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEvent(Event):
    """A message moved, or something was learnt about it. An empty str means that there is none.

    end: whether this status is for good.
    attempt: its number, from 1. 0: before the first.
    part: the part a receipt is about, from 1. 0: the whole message.
    next_attempt_time: when the broker will act next, as the retry's time on DEFERRED.
    next_provider: the provider that gets the next attempt, on DEFERRED, REROUTED and CHANNEL_CHANGED.
    previous_channel: the channel that it went by before, on CHANNEL_CHANGED.
    """

    message_id: str
    broadcast_id: str
    contact_id: str
    recipient: str
    sender: str
    channel: Channel | None
    fact: Fact
    status: Status
    previous_status: Status | None
    end: bool
    reason: Reason | None
    detail: str
    provider: str
    provider_message_ids: tuple[str, ...]
    part: int
    provider_code: str
    provider_text: str
    attempt: int
    units: int
    price: Price | None
    client_reference: str
    campaign: Campaign | None
    data: str
    tags: tuple[str, ...]
    reply_to_message_id: str
    origin: str
    next_attempt_time: datetime | None
    next_provider: str
    previous_channel: Channel | None
    redriven_from_message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEvent(Event):
    """Somebody wrote to us.

    sender: who wrote.
    recipient: which of our addresses.
    reply_to_message_id: the message it answers, from which client_reference, campaign, data and tags come.
    kind: what it is, as a reply.
    assigned_by: how it was found to be this account's.
    keyword: the keyword that it is or begins with.
    joined_group_id: the group that its writer is a member of by it.
    """

    message_id: str
    sender: str
    recipient: str
    text: str
    receive_time: datetime | None
    provider: str
    provider_message_id: str
    reply_to_message_id: str
    client_reference: str
    campaign: Campaign | None
    data: str
    channel: Channel | None
    kind: InboundKind | None
    assigned_by: InboundAssignment | None
    keyword: str
    joined_group_id: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickEvent(Event):
    """A tracked link was followed.

    url: where it leads, and `short_url` what was followed; empty once the message was deleted.
    client_reference, campaign, data, tags: from the message.
    """

    message_id: str
    url: str
    short_url: str
    click_time: datetime
    client_reference: str
    campaign: Campaign | None
    data: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptInEvent(Event):
    """What somebody wants changed, told by a call, by themselves, or by a provider.

    sender: empty: every sender of the account.
    message: what to tell the recipient, in English.
    message_id: the message that told us. Empty: an `opt_in` call.
    """

    sender: str
    recipient: str
    state: OptInState
    previous_state: OptInState | None
    message: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastEvent(Event):
    """A broadcast moved to another state, or its counters grew; of those at most two a second.

    broadcast: as it was then, without its refusals.
    """

    broadcast: Broadcast
    previous_state: BroadcastState


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceEvent(Event):
    """What the account can spend fell below its policy's mark."""

    balance: Price
    threshold: Price


class EventFields(TypedDict, total=False):
    """Which events to follow: an event passes when it matches each field that is given, by any of its values.

    At most 1,000 values in all. Tags match in any case, `data` exactly.
    """

    message_ids: str | Iterable[str]
    broadcast_ids: str | Iterable[str]
    client_references: str | Iterable[str]
    campaigns: str | Iterable[str]
    tags: str | Iterable[str]
    data: str | Iterable[str]
    reply_to_message_ids: str | Iterable[str]
    origins: str | Iterable[str]
