"""`waypost opt-in`: what recipients want."""

import asyncio
from contextlib import aclosing
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli.exit_codes import ExitCode
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
    from waypost.v1 import consent_service_pb2, opt_in_pb2


class StateWord(StrEnum):
    """The states that can be set, or listed."""

    OPTED_IN = "opted-in"
    OPTED_OUT = "opted-out"
    OPTED_OUT_GLOBALLY = "opted-out-globally"


STATES = frozenset(StateWord)

Recipient = Annotated[str, typer.Argument(metavar="RECIPIENT", help="A phone number or a mailbox.")]
Recipients = Annotated[
    list[str], typer.Argument(metavar="RECIPIENT...", help="Phone numbers or mailboxes; at most 1,000.")
]
Sender = Annotated[
    str, typer.Option("--sender", metavar="SENDER", help="The sender; every one of the account.")
]
Account = Annotated[str, typer.Option("--account", metavar="ID", help="The account; the key's own.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON lines.")]


def set_opt_in(
    wish: Annotated[
        str,
        typer.Argument(
            metavar="WISH", help="opted-in, opted-out, opted-out-globally, or a word as STOP or START."
        ),
    ],
    recipients: Recipients,
    sender: Sender = "",
    everywhere: Annotated[
        bool, typer.Option("--global", help="Whichever account uses the sender; takes an admin key.")
    ] = False,
    evidence: Annotated[str, typer.Option(metavar="TEXT", help="How it is known.")] = "",
    organisation: Annotated[str, typer.Option(metavar="NAME", help="Who asks, for answers.")] = "",
    account: Account = "",
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Put on record what recipients want, all of them or none.

    waypost opt-in set STOP +447700900123 --sender Shop --evidence "letter of 3 May"
    """
    from broker.cli.connection import Target
    from waypost.v1 import opt_in_pb2

    state = opt_in_pb2.OptInState.Value(f"OPT_IN_STATE_{StateWord(wish).name}") if wish in STATES else None
    request = opt_in_pb2.OptInRequest(account_id=account)
    for recipient in recipients:
        request.entries.add(
            sender=sender,
            recipient=recipient,
            keyword=wish if state is None else None,
            state=state,
            scope=opt_in_pb2.OPT_IN_SCOPE_GLOBAL if everywhere else opt_in_pb2.OPT_IN_SCOPE_UNSPECIFIED,
            evidence=evidence,
            organisation_name=organisation,
        )
    return asyncio.run(_set(Target(target, key, data_dir, tls, tls_ca), request, json=json))


def get_opt_in(
    recipient: Recipient,
    sender: Sender = "",
    ask: Annotated[bool, typer.Option("--ask", help="Also ask upstreams that keep opt-ins.")] = False,
    account: Account = "",
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Show what is in force between a sender and a recipient, and what was said about it."""
    from broker.cli.connection import Target
    from waypost.v1 import consent_service_pb2 as pb

    request = pb.GetOptInRequest(account_id=account, sender=sender, recipient=recipient, ask_upstream=ask)
    return asyncio.run(_get(Target(target, key, data_dir, tls, tls_ca), request, json=json))


def list_opt_ins(
    sender: Annotated[
        str | None, typer.Option("--sender", metavar="SENDER", help="About this sender; '' for every one.")
    ] = None,
    recipient: Annotated[str, typer.Option(metavar="ADDRESS", help="Of this recipient.")] = "",
    state: Annotated[list[StateWord] | None, typer.Option(help="In this state; repeatable.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    account: Account = "",
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """List what recipients want, in the order of their addresses."""
    from broker.cli.connection import Target
    from waypost.v1 import consent_service_pb2 as pb
    from waypost.v1 import opt_in_pb2

    states = [opt_in_pb2.OptInState.Value(f"OPT_IN_STATE_{each.name}") for each in state or ()]
    request = pb.ListOptInsRequest(
        account_id=account, filter=pb.OptInFilter(sender=sender, recipient=recipient, states=states)
    )
    return asyncio.run(_list(Target(target, key, data_dir, tls, tls_ca), request, limit, json=json))


async def _set(target: "Target", request: "opt_in_pb2.OptInRequest", *, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import ask

    async with connected(target) as connection:
        response = await ask(connection, connection.broker.OptIn, request)
    if json:
        from broker.cli.json_lines import fields_of, print_line

        for each in response.states:
            print_line({"record": fields_of(each)})
        return ExitCode.OK
    from broker.cli.opt_in_tables import records_table
    from broker.cli.tables import stdout_console

    stdout_console().print(records_table(response.states, more=False, told=True))
    return ExitCode.OK


async def _get(target: "Target", request: "consent_service_pb2.GetOptInRequest", *, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import ask

    async with connected(target) as connection:
        response = await ask(connection, connection.consent.GetOptIn, request)
    if json:
        from broker.cli.json_lines import fields_of, print_line

        print_line(fields_of(response))
        return ExitCode.OK
    from broker.cli.opt_in_tables import record_card
    from broker.cli.tables import stdout_console

    stdout_console().print(record_card(response))
    return ExitCode.OK


async def _list(
    target: "Target", request: "consent_service_pb2.ListOptInsRequest", limit: int, *, json: bool
) -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import Listed
    from broker.cli.json_lines import fields_of, print_line

    found = []
    async with connected(target) as connection:
        listed = Listed(connection, connection.consent.ListOptIns, limit)
        async with aclosing(listed.items(request, "records")) as records:
            async for record in records:
                if json:
                    print_line({"record": fields_of(record)})
                else:
                    found.append(record)
    if not json:
        from broker.cli.opt_in_tables import records_table
        from broker.cli.tables import stdout_console

        stdout_console().print(records_table(found, more=listed.more, told=False))
    return ExitCode.OK
