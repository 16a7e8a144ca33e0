"""`waypost tail`: events as they are committed, over lost connections, resumable by cursor."""

import asyncio
import signal
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli import filter_options as option
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
)

if TYPE_CHECKING:
    from broker.cli.connection import Target
    from waypost.v1 import subscribe_pb2


def tail(
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Start with the oldest event that is kept.")
    ] = False,
    after: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="Resume after what an earlier tail has shown.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many events.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Each event as one JSON line.")] = False,
    message: option.Messages = None,
    reference: option.References = None,
    campaign: option.Campaigns = None,
    tag: option.Tags = None,
    data: option.Data = None,
    origin: option.Origins = None,
    reply_to: option.RepliesTo = None,
    kind: option.Kinds = None,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Show what happens, as it happens, until Ctrl-C.

    Waits for a broker that went away, and goes on where it was.
    At the end it prints a cursor on stderr; --after goes on from there, without a gap.
    """
    if from_beginning and after is not None:
        raise UsageError("--from-beginning and --after are two places to start; give one")
    from broker.cli.connection import Target
    from waypost.v1 import event_pb2, subscribe_pb2

    request = subscribe_pb2.SubscribeRequest(
        filter=subscribe_pb2.EventFilter(
            message_ids=message or (),
            client_references=reference or (),
            campaigns=campaign or (),
            tags=tag or (),
            data=data or (),
            origins=origin or (),
            reply_to_message_ids=reply_to or (),
            kinds=[event_pb2.EventKind.Value(f"EVENT_KIND_{each.upper()}") for each in kind or ()],
        ),
    )
    if after is not None:
        request.after_cursor = after
    elif from_beginning:
        request.from_beginning.SetInParent()
    asyncio.run(_until_told(Target(target, key, data_dir, tls, tls_ca), request, limit, json=json))
    return ExitCode.OK


async def _until_told(
    target: "Target", request: "subscribe_pb2.SubscribeRequest", limit: int | None, *, json: bool
) -> None:
    """Print events until Ctrl-C, SIGTERM or the limit, and then where to go on."""
    shown = _Shown(limit, json=json)
    printing = asyncio.create_task(_print_events(target, request, shown))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, printing.cancel)
    try:
        await printing
    except asyncio.CancelledError:
        pass
    finally:
        if shown.cursor:
            print(f"cursor: {shown.cursor}{shown.caveat}", file=sys.stderr)


async def _print_events(target: "Target", request: "subscribe_pb2.SubscribeRequest", shown: "_Shown") -> None:
    from broker.cli.connection import connected
    from broker.cli.event_stream import EventStream

    async with connected(target) as connection, aclosing(EventStream(connection, request).frames()) as frames:
        async for frame in frames:
            if shown.print_frame(frame):
                return


class _Shown:
    """What was printed so far. `cursor` is after the last frame that was printed whole."""

    def __init__(self, limit: int | None, *, json: bool) -> None:
        self.cursor = ""
        self.caveat = ""
        self._left = limit
        self._json = json

    def print_frame(self, frame: "subscribe_pb2.SubscribeResponse") -> bool:
        """Print its events; whether the limit is reached."""
        from broker.cli.event_lines import print_events

        events = frame.events[: self._left]
        print_events(events, json=self._json)
        if len(events) < len(frame.events):
            # Cursors are given out by the frame, so the last one from before is where nothing gets lost.
            self.caveat = f" (going on from here repeats the last {len(events)} events)"
        else:
            self.cursor = frame.cursor
        if self._left is not None:
            self._left -= len(events)
        return self._left == 0
