"""`waypost send`: whom, what and how from the command line; answers, and with --follow the whole story."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli.exit_codes import ExitCode
from broker.cli.failures import UsageError
from broker.cli.options import (
    DATA_DIR_DEFAULT,
    TARGET_DEFAULT,
    ChannelName,
    DataDirOption,
    KeyOption,
    TargetOption,
    TlsCaOption,
    TlsOption,
    TrafficName,
    span_of,
    span_s_of,
    time_of,
)
from broker.cli.recipients import Recipients, read_recipients, row_of_address

if TYPE_CHECKING:
    from broker.cli.connection import Target
    from broker.cli.requests import PlannedRequest
    from broker.cli.sending import Answer

_MESSAGE = "Message"
_RESULT = "Output"


def send(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RECIPIENT] [TEXT]", help="A phone number or a mailbox, and what to say."),
    ] = None,
    to: Annotated[
        list[str] | None, typer.Option(metavar="RECIPIENT", help="One more recipient; repeatable.")
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Recipients from a file with a header: phone_number or email (or device_token), and if you "
            "like text, client_reference, name.",
        ),
    ] = None,
    text: Annotated[str | None, typer.Option(help="What to say.", rich_help_panel=_MESSAGE)] = None,
    subject: Annotated[
        str, typer.Option(help="Of an email; also for MMS and push.", rich_help_panel=_MESSAGE)
    ] = "",
    sender: Annotated[str, typer.Option(help="Who it is from.", rich_help_panel=_MESSAGE)] = "",
    traffic: Annotated[
        TrafficName | None, typer.Option(help="What it is for.", rich_help_panel=_MESSAGE)
    ] = None,
    channel: Annotated[
        list[ChannelName] | None,
        typer.Option(help="Channels in order of preference; repeatable.", rich_help_panel=_MESSAGE),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="When to send, as 2026-12-24T18:00:00Z.", rich_help_panel=_MESSAGE
        ),
    ] = None,
    validity: Annotated[
        str | None,
        typer.Option(metavar="SPAN", help="Give up after, as 10m or 600s.", rich_help_panel=_MESSAGE),
    ] = None,
    reference: Annotated[
        str, typer.Option(help="Your own id, on every event.", rich_help_panel=_MESSAGE)
    ] = "",
    campaign: Annotated[
        str, typer.Option(metavar="ID", help="A campaign to report under.", rich_help_panel=_MESSAGE)
    ] = "",
    tag: Annotated[list[str] | None, typer.Option(help="Repeatable.", rich_help_panel=_MESSAGE)] = None,
    data: Annotated[str, typer.Option(help="Returned on every event.", rich_help_panel=_MESSAGE)] = "",
    request_id: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="Makes the command repeatable: within 24 h the same id sends nothing twice.",
            rich_help_panel=_MESSAGE,
        ),
    ] = "",
    provider: Annotated[
        str, typer.Option(metavar="NAME", help="The provider instance to use.", rich_help_panel=_MESSAGE)
    ] = "",
    validate_only: Annotated[
        bool, typer.Option("--validate-only", help="Check, and send nothing.", rich_help_panel=_MESSAGE)
    ] = False,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", help="Watch until every message has reached its end.", rich_help_panel=_RESULT
        ),
    ] = False,
    timeout: Annotated[
        str | None,
        typer.Option(
            metavar="SPAN", help="With --follow: stop watching after, as 30s.", rich_help_panel=_RESULT
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Results and events as JSON lines.", rich_help_panel=_RESULT)
    ] = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Send a message to one recipient or to many.

    waypost send +447700900123 "Hello"
    waypost send --csv recipients.csv --text "Hello" --follow

    Exit codes: 0 every recipient was accepted, and with --follow every message reached an end, whichever;
    1 a recipient or the call was refused; 2 usage; 3 no broker there, or not for this key; 4 time ran out.
    """
    if follow and validate_only:
        raise UsageError("--validate-only sends nothing, so there is nothing to --follow")
    if timeout is not None and not follow:
        raise UsageError("--timeout goes with --follow")
    recipients, said = _recipients(words or [], to or [], csv, text)

    from broker.cli.connection import Target
    from broker.cli.requests import Wishes, plan_requests

    wishes = Wishes(
        text=said or "",
        subject=subject,
        sender=sender,
        traffic=traffic or "",
        channels=channel or (),
        schedule_time=None if schedule is None else time_of("--schedule", schedule),
        validity=None if validity is None else span_of("--validity", validity),
        client_reference=reference,
        campaign=campaign,
        tags=tag or (),
        data=data,
        request_id=request_id,
        provider=provider,
        validate_only=validate_only,
    )
    timeout_s = None if timeout is None else span_s_of("--timeout", timeout)
    plans = plan_requests(recipients.rows, wishes)
    if recipients.unused_columns:
        print(f"waypost: columns not used: {', '.join(recipients.unused_columns)}", file=sys.stderr)
    to_broker = Target(target, key, data_dir, tls, tls_ca)
    return asyncio.run(_send(to_broker, recipients, plans, follow=follow, timeout_s=timeout_s, json=json))


def _recipients(
    words: Sequence[str], to: Sequence[str], csv: Path | None, text: str | None
) -> tuple[Recipients, str | None]:
    """Whom, and the text for all of them. Words are a recipient where none was named otherwise, and a text."""
    left = list(words)
    named = [*to]
    if left and not to and csv is None:
        named.append(left.pop(0))
    said = text
    if left and text is None:
        said = left.pop(0)
    if left:
        raise UsageError(f"{left[0]!r} is one word too many; quote the text, and give more recipients by --to")
    if csv is not None and named:
        raise UsageError("give recipients by --csv or by --to, not both")
    if csv is not None:
        return read_recipients(csv), said
    if not named:
        raise UsageError("whom to? Give a recipient and a text, or --to, or --csv")
    return Recipients([row_of_address(address) for address in named]), said


async def _send(
    target: "Target",
    recipients: Recipients,
    plans: "Sequence[PlannedRequest]",
    *,
    follow: bool,
    timeout_s: float | None,
    json: bool,
) -> int:
    from broker.cli.connection import connected
    from broker.cli.following import send_and_follow

    in_time = True
    async with connected(target) as connection:
        if follow:
            answers, in_time = await send_and_follow(
                connection, recipients.rows, plans, timeout_s=timeout_s, json=json
            )
            if not in_time:
                print("waypost: time ran out; the broker goes on with the rest", file=sys.stderr)
        else:
            from broker.cli.sending import send_all

            answers = await _print_answers(send_all(connection, plans), recipients, json=json)
    if not in_time:
        return ExitCode.TIMEOUT
    return ExitCode.REFUSED if any(answer.refused for answer in answers) else ExitCode.OK
