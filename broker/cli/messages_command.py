"""`waypost messages`: those the broker has, and one of them with its whole story."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from broker.cli import filter_options as option
from broker.cli.exit_codes import ExitCode
from broker.cli.failures import UsageError
from broker.cli.listing import with_list
from broker.cli.moments import moment_of
from broker.cli.options import (
    DATA_DIR_DEFAULT,
    TARGET_DEFAULT,
    DataDirOption,
    KeyOption,
    TargetOption,
    TlsCaOption,
    TlsOption,
)

if TYPE_CHECKING:
    from broker.cli.connection import Target
    from waypost.v1 import message_pb2

LIMIT_DEFAULT = 50

_MESSAGE_ID = re.compile(r"[0-9A-Za-z]{13}")


class MessagesGroup(TyperGroup):
    """`messages` alone lists, and `messages ID` shows: the sub-command may be left out."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put in the sub-command that was left out."""
        if args and _MESSAGE_ID.fullmatch(args[0]):
            return super().parse_args(ctx, ["show", *args])
        return super().parse_args(ctx, with_list(ctx, args))


MessageId = Annotated[str, typer.Argument(metavar="MESSAGE_ID", help="Its id, as `send` printed it.")]
Json = Annotated[bool, typer.Option("--json", help="As one JSON line.")]


def list_messages(
    status: option.Statuses = None,
    to: option.To = None,
    reference: option.References = None,
    campaign: option.Campaigns = None,
    tag: option.Tags = None,
    sender: option.Senders = None,
    channel: option.Channels = None,
    direction: option.Directions = None,
    traffic: option.Traffics = None,
    provider: option.Providers = None,
    reply_to: option.RepliesTo = None,
    data: option.Data = None,
    origin: option.Origins = None,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Accepted then or later: an RFC 3339 time, or 2h ago.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help="Accepted before, likewise.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = LIMIT_DEFAULT,
    json: Annotated[bool, typer.Option("--json", help="Each message as one JSON line.")] = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """List messages, newest first. Deleted ones only with --status deleted.

    waypost messages --status rejected --status expired --since 2h
    waypost messages --to +447700900123 --campaign spring
    """
    now = datetime.now(UTC)
    start = None if since is None else moment_of("--since", since, now)
    end = None if until is None else moment_of("--until", until, now)
    if start is not None and end is not None and start >= end:
        raise UsageError("--since is not before --until: nothing can match")

    from broker.cli.connection import Target

    values = {
        "recipients": to,
        "client_references": reference,
        "campaigns": campaign,
        "tags": tag,
        "senders": sender,
        "providers": provider,
        "reply_to_message_ids": reply_to,
        "data": data,
        "origins": origin,
    }
    words = {"statuses": status, "channels": channel, "traffics": traffic, "directions": direction}
    where = Target(target, key, data_dir, tls, tls_ca)
    return asyncio.run(_list(where, _filter(values, words, start, end), limit, json=json))


def show_message(
    message_id: MessageId,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Show one message, and all that happened to it."""
    from broker.cli.connection import Target

    return asyncio.run(_show(Target(target, key, data_dir, tls, tls_ca), message_id, json=json))


def _filter(
    values: Mapping[str, list[str] | None],
    words: Mapping[str, Sequence[StrEnum] | None],
    start: datetime | None,
    end: datetime | None,
) -> "message_pb2.MessageFilter":
    """`values` are those of the filter's fields of texts, `words` those of its enumerations."""
    from waypost.v1 import message_pb2

    wanted = message_pb2.MessageFilter()
    for field, given in values.items():
        getattr(wanted, field).extend(given or ())
    for field, chosen in words.items():
        enumeration = wanted.DESCRIPTOR.fields_by_name[field].enum_type
        prefix = enumeration.values[0].name.removesuffix("UNSPECIFIED")
        numbers = [enumeration.values_by_name[prefix + each.upper()].number for each in chosen or ()]
        getattr(wanted, field).extend(numbers)
    if start is not None:
        wanted.start_time.FromDatetime(start)
    if end is not None:
        wanted.end_time.FromDatetime(end)
    return wanted


async def _list(target: "Target", wanted: "message_pb2.MessageFilter", limit: int, *, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.json_lines import fields_of, print_line
    from broker.cli.message_lookup import Newest

    found = []
    async with connected(target) as connection:
        newest = Newest(connection, wanted, limit)
        async with aclosing(newest.messages()) as messages:
            async for message in messages:
                if json:
                    print_line(fields_of(message))
                else:
                    found.append(message)
    if not json:
        from broker.cli.message_tables import messages_table
        from broker.cli.tables import stdout_console

        stdout_console().print(messages_table(found, more=newest.more, index=newest.index))
    return ExitCode.OK


async def _show(target: "Target", message_id: str, *, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.message_lookup import look_up

    async with connected(target) as connection:
        response = await look_up(connection, message_id)
    if json:
        from broker.cli.json_lines import fields_of, print_line

        print_line(fields_of(response))
        return ExitCode.OK
    from broker.cli.message_tables import story_of
    from broker.cli.tables import stdout_console

    stdout_console().print(story_of(response))
    return ExitCode.OK
