"""The options by which `waypost messages` and `waypost tail` choose, as types for their parameters."""

from enum import StrEnum
from typing import Annotated

import typer

from broker.cli.options import ChannelName, KindName, TrafficName

_WHICH = "Which ones (each option repeatable; all must match)"


class StatusName(StrEnum):
    """Statuses as they are written on the command line."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    PROCESSING = "processing"
    SENT = "sent"
    DELIVERED = "delivered"
    SENDING_FAILED = "sending_failed"
    DELIVERY_FAILED = "delivery_failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DELETED = "deleted"
    UNKNOWN = "unknown"


class DirectionName(StrEnum):
    """Directions as they are written on the command line."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"


Statuses = Annotated[
    list[StatusName] | None,
    typer.Option(help="In this status.", case_sensitive=False, rich_help_panel=_WHICH),
]
To = Annotated[
    list[str] | None, typer.Option(metavar="RECIPIENT", help="To this address.", rich_help_panel=_WHICH)
]
References = Annotated[
    list[str] | None, typer.Option(help="With this client_reference.", rich_help_panel=_WHICH)
]
Campaigns = Annotated[
    list[str] | None, typer.Option(metavar="ID", help="Of this campaign.", rich_help_panel=_WHICH)
]
Tags = Annotated[list[str] | None, typer.Option(help="With this tag.", rich_help_panel=_WHICH)]
Senders = Annotated[list[str] | None, typer.Option(help="From this sender.", rich_help_panel=_WHICH)]
Channels = Annotated[list[ChannelName] | None, typer.Option(help="On this channel.", rich_help_panel=_WHICH)]
Directions = Annotated[
    list[DirectionName] | None,
    typer.Option(help="Sent, or come in.", case_sensitive=False, rich_help_panel=_WHICH),
]
Traffics = Annotated[list[TrafficName] | None, typer.Option(help="For this purpose.", rich_help_panel=_WHICH)]
Providers = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Last tried with this instance.", rich_help_panel=_WHICH),
]
RepliesTo = Annotated[
    list[str] | None,
    typer.Option(metavar="MESSAGE_ID", help="Answering this message.", rich_help_panel=_WHICH),
]
Data = Annotated[list[str] | None, typer.Option(help="With this data.", rich_help_panel=_WHICH)]
Origins = Annotated[list[str] | None, typer.Option(help="From this origin.", rich_help_panel=_WHICH)]
Messages = Annotated[
    list[str] | None, typer.Option(metavar="ID", help="Of this message.", rich_help_panel=_WHICH)
]
Kinds = Annotated[list[KindName] | None, typer.Option(help="Of this kind.", rich_help_panel=_WHICH)]
