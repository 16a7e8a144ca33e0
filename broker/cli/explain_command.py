"""`waypost explain`: what `waypost send` would do with the same words, and why."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli import send_options as option
from broker.cli.exit_codes import ExitCode
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
)
from broker.cli.recipients import Row
from broker.cli.send_command import whom_and_what

if TYPE_CHECKING:
    from broker.cli.connection import Target
    from broker.cli.requests import PlannedRequest
    from waypost.v1 import explain_pb2


def explain(
    words: option.Words = None,
    to: option.To = None,
    contact: option.Contacts = None,
    csv: option.Csv = None,
    text: option.Text = None,
    subject: option.Subject = "",
    link_action: option.LinkActions = None,
    sender: option.Sender = "",
    sender_pool: option.SenderPool = "",
    traffic: option.Traffic = None,
    channel: option.Channels = None,
    ignore_quiet_hours: option.IgnoreQuietHours = False,
    cap_frequency: option.CapFrequency = False,
    fallback: option.Fallback = False,
    fallback_after: option.FallbackAfter = None,
    schedule: option.Schedule = None,
    tag: option.Tags = None,
    provider: option.Provider = "",
    account: Annotated[
        str, typer.Option(metavar="ID", help="The account to send from, for an admin key.")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Each recipient as one JSON line.")] = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Tell what sending would do: channel, parts, and every provider with the reason that it won or lost.

    waypost explain +447700900123 "Hello"

    Exit codes: 0 every recipient would be accepted, 1 a recipient or the call would be refused.
    """
    rows = [Row(contact=each) for each in contact or ()]
    recipients, said = whom_and_what(words or [], to or [], csv, text, rows)

    from broker.cli.connection import Target
    from broker.cli.policy_wishes import options_of
    from broker.cli.requests import Wishes, plan_requests

    wishes = Wishes(
        text=said,
        subject=subject,
        link_actions=link_actions_of(link_action or ()),
        sender=sender,
        sender_pool=sender_pool,
        traffic=traffic or "",
        channels=channel or (),
        options=options_of(
            fallback=fallback,
            fallback_after=fallback_after,
            ignore_quiet_hours=ignore_quiet_hours,
            cap_frequency=cap_frequency,
        ),
        schedule_time=None if schedule is None else time_of("--schedule", schedule),
        tags=tag or (),
        provider=provider,
    )
    plans = plan_requests(recipients.rows, wishes)
    for plan in plans:
        plan.request.account_id = account
    return asyncio.run(_explain(Target(target, key, data_dir, tls, tls_ca), plans, json=json))


async def _explain(target: "Target", plans: "Sequence[PlannedRequest]", *, json: bool) -> int:
    from waypost.v1 import status_pb2

    explanations = await _ask(target, plans)
    if json:
        from broker.cli.json_lines import fields_of, print_line

        for each in explanations:
            print_line({"recipient_index": each.recipient_index, **fields_of(each)})
    else:
        from broker.cli.explanation_tables import explanations_shown
        from broker.cli.tables import stdout_console

        stdout_console().print(explanations_shown(explanations))
    refused = any(each.status == status_pb2.MESSAGE_STATUS_REJECTED for each in explanations)
    return ExitCode.REFUSED if refused else ExitCode.OK


async def _ask(target: "Target", plans: "Sequence[PlannedRequest]") -> "list[explain_pb2.Explanation]":
    """An explanation for each row; their indexes count the rows of the command."""
    import grpc.aio

    from broker.cli.connection import CALL_TIMEOUT_S, connected, fail
    from waypost.v1 import explain_pb2

    explanations: list[explain_pb2.Explanation] = []
    async with connected(target) as connection:
        for plan in plans:
            try:
                response = await connection.broker.Explain(
                    explain_pb2.ExplainRequest(request=plan.request),
                    metadata=connection.metadata,
                    timeout=CALL_TIMEOUT_S,
                )
            except grpc.aio.AioRpcError as error:
                fail(error, connection.address)
            for each in response.results:
                each.recipient_index += plan.first_row
                explanations.append(each)
    return explanations
