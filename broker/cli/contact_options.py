"""The options of `waypost contacts` and `waypost groups`, as types for their parameters."""

from enum import StrEnum
from typing import Annotated

import typer

from broker.cli.options import ChannelName

_CONTACT = "Contact"
LIMIT_DEFAULT = 50

Ref = Annotated[
    str,
    typer.Argument(
        metavar="CONTACT",
        help="Its contact id, or one of your own ids (external:ID where that looks like the broker's).",
    ),
]
Refs = Annotated[list[str], typer.Argument(metavar="CONTACT...", help="Contact ids, or your own ids.")]
GroupRef = Annotated[str, typer.Argument(metavar="GROUP", help="Its id or its name.")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON lines.")]
ExternalIds = Annotated[
    list[str] | None,
    typer.Option("--external-id", help="One of your own ids; repeatable.", rich_help_panel=_CONTACT),
]
Title = Annotated[str | None, typer.Option(help='As "Dr".', rich_help_panel=_CONTACT)]
FirstName = Annotated[str | None, typer.Option(rich_help_panel=_CONTACT)]
LastName = Annotated[str | None, typer.Option(rich_help_panel=_CONTACT)]
Organisation = Annotated[str | None, typer.Option(rich_help_panel=_CONTACT)]
Phones = Annotated[
    list[str] | None,
    typer.Option("--phone", help="A number, the primary one first; repeatable.", rich_help_panel=_CONTACT),
]
Emails = Annotated[
    list[str] | None,
    typer.Option("--email", help="A mailbox, the primary one first; repeatable.", rich_help_panel=_CONTACT),
]
Channels = Annotated[
    list[ChannelName] | None,
    typer.Option(
        "--channel", help="How to reach them, the best first; repeatable.", rich_help_panel=_CONTACT
    ),
]
Locale = Annotated[str | None, typer.Option(help='As "en-GB".', rich_help_panel=_CONTACT)]
TimeZone = Annotated[str | None, typer.Option(help='As "Europe/London".', rich_help_panel=_CONTACT)]
Properties = Annotated[
    list[str] | None,
    typer.Option("--property", metavar="NAME=VALUE", help="Repeatable.", rich_help_panel=_CONTACT),
]
Delegates = Annotated[
    list[str] | None,
    typer.Option(
        "--delegate",
        metavar="CONTACT[=RELATION]",
        help="Who stands in for them; repeatable.",
        rich_help_panel=_CONTACT,
    ),
]
Priority = Annotated[
    str | None,
    typer.Option(metavar="CONTACT", help="Which --delegate has priority.", rich_help_panel=_CONTACT),
]


class FieldName(StrEnum):
    """What an update can clear."""

    EXTERNAL_IDS = "external_ids"
    TITLE = "title"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    ORGANISATION = "organisation"
    PHONE_NUMBERS = "phone_numbers"
    EMAILS = "emails"
    DEVICE_TOKENS = "device_tokens"
    CHANNELS = "channels"
    LOCALE = "locale"
    TIME_ZONE = "time_zone"
    PROPERTIES = "properties"
    DELEGATES = "delegates"


Clear = Annotated[list[FieldName] | None, typer.Option(help="A field to empty; repeatable.")]
