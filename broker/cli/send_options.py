"""The options of `waypost send`, as types for its parameters."""

from pathlib import Path
from typing import Annotated

import typer

from broker.cli.options import ChannelName, DelegationName, TrafficName

_MESSAGE = "Message"
_OUTPUT = "Output"

Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RECIPIENT] [TEXT]", help="A phone number or a mailbox, and what to say."),
]
To = Annotated[list[str] | None, typer.Option(metavar="RECIPIENT", help="One more recipient; repeatable.")]
Contacts = Annotated[
    list[str] | None,
    typer.Option(
        "--contact",
        metavar="CONTACT",
        help="Somebody of the directory, by contact id or your own id; repeatable.",
    ),
]
Delegation = Annotated[
    DelegationName | None,
    typer.Option(help="Who gets it in the place of each contact.", case_sensitive=False),
]
Csv = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Recipients from a file whose first line names its columns: phone_number or email (or "
        "device_token, or external_id for somebody of the directory), and if you like text, client_reference and name. "
        "Every column is a value for the $column$ of what is said.",
    ),
]
Text = Annotated[str | None, typer.Option(help="What to say.", rich_help_panel=_MESSAGE)]
Subject = Annotated[str, typer.Option(help="Of an email; also for MMS and push.", rich_help_panel=_MESSAGE)]
Sender = Annotated[str, typer.Option(help="Who it is from.", rich_help_panel=_MESSAGE)]
SenderPool = Annotated[
    str,
    typer.Option(
        metavar="POOL", help="From a sender of this pool, each recipient's own.", rich_help_panel=_MESSAGE
    ),
]
Traffic = Annotated[TrafficName | None, typer.Option(help="What it is for.", rich_help_panel=_MESSAGE)]
Channels = Annotated[
    list[ChannelName] | None,
    typer.Option(help="Channels in order of preference; repeatable.", rich_help_panel=_MESSAGE),
]
Schedule = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="When to send, RFC 3339, as 2026-12-24T18:00:00Z.", rich_help_panel=_MESSAGE
    ),
]
Validity = Annotated[
    str | None, typer.Option(metavar="SPAN", help="Give up after, as 10m or 600s.", rich_help_panel=_MESSAGE)
]
Fallback = Annotated[
    bool,
    typer.Option(
        "--fallback", help="Go on by the next channel where one fails for good.", rich_help_panel=_MESSAGE
    ),
]
FallbackAfter = Annotated[
    str | None,
    typer.Option(
        metavar="SPAN",
        help="Go on as well where nothing was delivered after, as 5m; implies --fallback.",
        rich_help_panel=_MESSAGE,
    ),
]
IgnoreQuietHours = Annotated[
    bool,
    typer.Option("--ignore-quiet-hours", help="Send also when it is quiet there.", rich_help_panel=_MESSAGE),
]
CapFrequency = Annotated[
    bool,
    typer.Option(
        "--cap-frequency",
        help="Refuse contacts who have had as many promotional messages as the account's policy allows.",
        rich_help_panel=_MESSAGE,
    ),
]
Reference = Annotated[str, typer.Option(help="Your own id, on every event.", rich_help_panel=_MESSAGE)]
Campaign = Annotated[
    str, typer.Option(metavar="ID", help="A campaign to report under.", rich_help_panel=_MESSAGE)
]
Tags = Annotated[
    list[str] | None, typer.Option(help="A label to filter by; repeatable.", rich_help_panel=_MESSAGE)
]
Data = Annotated[str, typer.Option(help="Returned untouched on every event.", rich_help_panel=_MESSAGE)]
Tokens = Annotated[
    list[str] | None,
    typer.Option(
        "--token",
        metavar="NAME=VALUE",
        help="A value for $NAME$ in what is said, where the recipient has none of its own; repeatable.",
        rich_help_panel=_MESSAGE,
    ),
]
Template = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help='A stored template to send instead of a text; with its project as "shop/bill".',
        rich_help_panel=_MESSAGE,
    ),
]
TemplateVersion = Annotated[
    str, typer.Option(metavar="NUMBER", help="A version of it; the latest.", rich_help_panel=_MESSAGE)
]
Locale = Annotated[
    str, typer.Option(metavar="TAG", help='The language of a template, as "en-GB".', rich_help_panel=_MESSAGE)
]
RequestId = Annotated[
    str,
    typer.Option(
        metavar="ID",
        help="Makes the command repeatable: within 24 h the same id and recipients send nothing twice.",
        rich_help_panel=_MESSAGE,
    ),
]
Provider = Annotated[
    str, typer.Option(metavar="NAME", help="The provider instance to use.", rich_help_panel=_MESSAGE)
]
TrackLinks = Annotated[
    bool | None,
    typer.Option(
        "--track-links/--keep-links",
        help="Replace links by short ones whose clicks are told, or leave them; by default as the account's policy.",
        rich_help_panel=_MESSAGE,
    ),
]
ShortLinkDomain = Annotated[
    str,
    typer.Option(
        metavar="HOST", help="Replace links by short ones on this domain.", rich_help_panel=_MESSAGE
    ),
]
LinkActions = Annotated[
    list[str] | None,
    typer.Option(
        "--link-action",
        metavar="TEXT=URL",
        help="A link that the text offers as a button, where a provider can show one; repeatable.",
        rich_help_panel=_MESSAGE,
    ),
]
ValidateOnly = Annotated[
    bool, typer.Option("--validate-only", help="Check, and send nothing.", rich_help_panel=_MESSAGE)
]
Follow = Annotated[
    bool,
    typer.Option("--follow", help="Watch until every message has reached its end.", rich_help_panel=_OUTPUT),
]
Timeout = Annotated[
    str | None,
    typer.Option(metavar="SPAN", help="With --follow: stop watching after, as 30s.", rich_help_panel=_OUTPUT),
]
Json = Annotated[
    bool, typer.Option("--json", help="Results and events as JSON lines.", rich_help_panel=_OUTPUT)
]
