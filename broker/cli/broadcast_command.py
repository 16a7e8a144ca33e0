"""`waypost broadcast`: send one content to many, watch it go out, and hold it at any moment."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli import broadcast_options as own
from broker.cli import send_options as option
from broker.cli.exit_codes import ExitCode
from broker.cli.failures import UsageError
from broker.cli.options import (
    DATA_DIR_DEFAULT,
    TARGET_DEFAULT,
    DataDirOption,
    KeyOption,
    TargetOption,
    TlsCaOption,
    TlsOption,
    link_actions_of,
    time_of,
    tokens_of,
)

if TYPE_CHECKING:
    from broker.cli.connection import Connection, Target
    from waypost.v1 import broadcast_pb2, broadcast_service_pb2

WATCH_EVERY_S = 0.5
LIMIT_DEFAULT = 20
REFUSED_SHOWN_MAX = 10

Broadcasts = Annotated[str, typer.Argument(metavar="BROADCAST_ID", help="The broadcast.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON lines.")]


def send_broadcast(
    text: own.Text = None,
    file: own.File = None,
    to: option.To = None,
    group: own.Groups = None,
    keep_good: own.KeepGood = False,
    name: own.Name = "",
    subject: option.Subject = "",
    link_action: option.LinkActions = None,
    sender: option.Sender = "",
    sender_pool: option.SenderPool = "",
    traffic: option.Traffic = None,
    channel: option.Channels = None,
    ignore_quiet_hours: option.IgnoreQuietHours = False,
    cap_frequency: option.CapFrequency = False,
    schedule: option.Schedule = None,
    per_minute: own.PerMinute = 0,
    campaign: option.Campaign = "",
    tag: option.Tags = None,
    token: option.Tokens = None,
    template: option.Template = None,
    locale: option.Locale = "",
    request_id: option.RequestId = "",
    upstream_provider: own.UpstreamProvider = "",
    draft: own.Draft = False,
    watch: own.Watch = False,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Send one content to a file of recipients, to groups, or to those that are named.

    waypost broadcast send "Hello $name$" --file people.csv --watch

    Exit codes: 0 it goes out (with --watch: it is over), 1 it or its file was refused, 2 usage.
    """
    from broker.cli.broadcast_request import request_of
    from broker.cli.connection import Target
    from broker.cli.policy_wishes import options_of
    from broker.cli.requests import TemplateWish, Wishes

    _check_audience(file, to, group)
    if watch and draft:
        raise UsageError("--draft sends nothing, so there is nothing to --watch")
    wishes = Wishes(
        text=text or "",
        subject=subject,
        link_actions=link_actions_of(link_action or ()),
        sender=sender,
        sender_pool=sender_pool,
        traffic=traffic or "",
        channels=channel or (),
        options=options_of(ignore_quiet_hours=ignore_quiet_hours, cap_frequency=cap_frequency),
        schedule_time=None if schedule is None else time_of("--schedule", schedule),
        campaign=campaign,
        tags=tag or (),
        request_id=request_id,
        tokens=tokens_of("--token", token or ()),
        template=None if template is None else TemplateWish(template, "", locale),
    )
    request = request_of(wishes, to or [], group or [])
    request.name, request.messages_per_minute, request.draft = name, per_minute, draft
    request.upstream_provider = upstream_provider
    where = Target(target, key, data_dir, tls, tls_ca)
    return asyncio.run(_send(where, request, file, keep_good=keep_good, watch=watch, json=json))


def _check_audience(file: Path | None, to: Sequence[str] | None, group: Sequence[str] | None) -> None:
    if not (file or to or group):
        raise UsageError("name recipients: --file, --group or --to")
    if file is not None and not file.is_file():
        raise UsageError(f"--file: {file} is no file")


def watch_broadcast(
    broadcast_id: Broadcasts,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Watch a broadcast until it is over: how far it is, how fast, and how long it still takes."""
    from broker.cli.connection import Target

    return asyncio.run(_watch_one(Target(target, key, data_dir, tls, tls_ca), broadcast_id, json=json))


def show_broadcast(
    broadcast_id: Broadcasts,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Show a broadcast with all its counters, and what was refused by reason."""
    from broker.cli.connection import Target

    return asyncio.run(_show(Target(target, key, data_dir, tls, tls_ca), broadcast_id, json=json))


def list_broadcasts(
    limit: Annotated[
        int, typer.Option(metavar="COUNT", min=1, max=10_000, help="At most so many.")
    ] = LIMIT_DEFAULT,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """List broadcasts, newest first."""
    from broker.cli.connection import Target

    return asyncio.run(_list(Target(target, key, data_dir, tls, tls_ca), limit, json=json))


def start_broadcast(
    broadcast_id: Broadcasts,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Start a draft, or one that is scheduled before its time."""
    return _moved(target, key, data_dir, tls, tls_ca, "Start", broadcast_id, json=json)


def suspend_broadcast(
    broadcast_id: Broadcasts,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Hold a broadcast: nothing more of it is handed over."""
    return _moved(target, key, data_dir, tls, tls_ca, "Suspend", broadcast_id, json=json)


def resume_broadcast(
    broadcast_id: Broadcasts,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Let a held broadcast go on."""
    return _moved(target, key, data_dir, tls, tls_ca, "Resume", broadcast_id, json=json)


def stop_broadcast(
    broadcast_id: Broadcasts,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """End a broadcast for good."""
    return _moved(target, key, data_dir, tls, tls_ca, "Stop", broadcast_id, json=json)


def delete_broadcast(
    broadcast_id: Broadcasts,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Stop a broadcast where it runs, and remove it."""
    return _moved(target, key, data_dir, tls, tls_ca, "Delete", broadcast_id, json=json)


def _moved(
    target: str,
    key: str | None,
    data_dir: Path,
    tls: bool,
    tls_ca: Path | None,
    verb: str,
    broadcast_id: str,
    *,
    json: bool,
) -> int:
    from broker.cli.connection import Target

    return asyncio.run(_move(Target(target, key, data_dir, tls, tls_ca), verb, broadcast_id, json=json))


async def _send(
    target: "Target",
    request: "broadcast_pb2.BroadcastRequest",
    file: Path | None,
    *,
    keep_good: bool,
    watch: bool,
    json: bool,
) -> int:
    from broker.cli.broadcast_calls import make, upload
    from broker.cli.connection import connected
    from waypost.v1 import broadcast_service_pb2 as pb

    async with connected(target) as connection:
        if file is not None:
            bad_lines = pb.BAD_LINES_KEEP_GOOD if keep_good else pb.BAD_LINES_REFUSE_ALL
            received = await upload(connection, file, pb.AudienceFile(bad_lines=bad_lines))
            _tell_of_file(received, json=json)
            if not received.usable or not received.rows:
                return ExitCode.REFUSED
            request.audience.upload_id = received.upload_id
        made = await make(connection, request)
        if not watch:
            _print(made, json=json)
            return ExitCode.OK
        return await _watch(connection, made.broadcast_id, json=json)


def _tell_of_file(received: "broadcast_service_pb2.UploadAudienceResponse", *, json: bool) -> None:
    """How many lines are good, and what is wrong with the first of the others."""
    from broker.cli.json_lines import fields_of, print_line
    from broker.cli.wording import printable

    if json:
        print_line({"upload": fields_of(received)})
        return
    print(f"file: {received.rows:,} recipients, {received.refused_rows:,} lines refused", file=sys.stderr)
    for each in received.refused[:REFUSED_SHOWN_MAX]:
        print(f"  line {each.line}: {printable(each.problem)}", file=sys.stderr)
    if received.refused_rows > REFUSED_SHOWN_MAX:
        print(f"  and {received.refused_rows - REFUSED_SHOWN_MAX:,} more", file=sys.stderr)


async def _watch_one(target: "Target", broadcast_id: str, *, json: bool) -> int:
    from broker.cli.connection import connected

    async with connected(target) as connection:
        return await _watch(connection, broadcast_id, json=json)


async def _watch(connection: "Connection", broadcast_id: str, *, json: bool) -> int:
    """One line, drawn anew on a terminal; elsewhere a line whenever something moved."""
    from broker.cli.broadcast_calls import look
    from broker.cli.broadcast_tables import Speed, done_of, is_over, progress_line
    from broker.cli.json_lines import fields_of, print_line

    speed, before = Speed(), ""
    drawn = sys.stdout.isatty() and not json
    while True:
        now = await look(connection, broadcast_id)
        speed.see(time.monotonic(), done_of(now))
        line = progress_line(now, speed)
        if json:
            if (told := str(now)) != before:
                print_line({"broadcast": fields_of(now)})
                before = told
        elif drawn:
            print(f"\r\033[2K{line}", end="", flush=True)
        elif line != before:
            print(line, flush=True)
            before = line
        if is_over(now):
            if drawn:
                print()
            return ExitCode.OK
        await asyncio.sleep(WATCH_EVERY_S)


async def _show(target: "Target", broadcast_id: str, *, json: bool) -> int:
    from broker.cli.broadcast_calls import look
    from broker.cli.connection import connected

    async with connected(target) as connection:
        _print(await look(connection, broadcast_id), json=json)
    return ExitCode.OK


async def _list(target: "Target", limit: int, *, json: bool) -> int:
    from broker.cli.broadcast_calls import newest
    from broker.cli.broadcast_tables import broadcasts_table
    from broker.cli.connection import connected
    from broker.cli.json_lines import fields_of, print_line
    from broker.cli.tables import stdout_console

    async with connected(target) as connection:
        found = await newest(connection, limit)
    if json:
        for each in found:
            print_line({"broadcast": fields_of(each)})
    else:
        stdout_console().print(broadcasts_table(found))
    return ExitCode.OK


async def _move(target: "Target", verb: str, broadcast_id: str, *, json: bool) -> int:
    from broker.cli.broadcast_calls import move
    from broker.cli.connection import connected

    async with connected(target) as connection:
        _print(await move(connection, verb, broadcast_id), json=json)
    return ExitCode.OK


def _print(broadcast: "broadcast_pb2.Broadcast", *, json: bool) -> None:
    from broker.cli.broadcast_tables import facts_of
    from broker.cli.grid import card
    from broker.cli.json_lines import fields_of, print_line
    from broker.cli.tables import stdout_console

    if json:
        print_line({"broadcast": fields_of(broadcast)})
    else:
        stdout_console().print(card(facts_of(broadcast), {}))
