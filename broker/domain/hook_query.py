"""What plugins are asked about by the hooks that decide something."""

from collections.abc import Mapping
from dataclasses import dataclass

from broker.domain.vocabulary import Channel, Traffic


@dataclass(frozen=True, slots=True)
class RouteQuery:
    """A message whose candidates are about to be fixed, as `waypost_route` sees it."""

    account_id: str
    channel: Channel
    recipient: str
    sender: str
    traffic: Traffic
    tags: tuple[str, ...]
    units: int


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message that came in and is stored, as `waypost_inbound` sees it.

    `recipient` is which of our addresses; `reply_to_message_id` and `keyword` are empty where there is none.
    """

    message_id: str
    account_id: str
    provider: str
    channel: Channel
    sender: str
    recipient: str
    text: str
    received_at_us: int
    reply_to_message_id: str = ""
    keyword: str = ""


@dataclass(frozen=True, slots=True)
class AdmitQuery:
    """A request that is about to be decided on, as `waypost_admit` sees it.

    `recipients` are as the caller wrote them: addresses, or ids of contacts. `content` is what is said on each
    channel, with its placeholders, under the names of the protos; leave it as it is.
    """

    account_id: str
    sender: str
    traffic: Traffic
    recipients: tuple[str, ...]
    content: Mapping[Channel, Mapping[str, object]]
    channels: tuple[Channel, ...]
    tags: tuple[str, ...]
    campaign: str
    client_reference: str
    origin: str
