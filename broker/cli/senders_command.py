"""`waypost senders`: who an account's messages are from."""

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
    from waypost.v1 import sender_pb2
    from waypost.v1 import sender_service_pb2 as pb


class KindName(StrEnum):
    """The protos' kinds in lower case."""

    SHORT_CODE = "short_code"
    LONG_CODE = "long_code"
    TOLL_FREE = "toll_free"
    ALPHANUMERIC = "alphanumeric"
    EMAIL_ADDRESS = "email_address"
    APPLICATION = "application"


class CapabilityName(StrEnum):
    """The protos' capabilities in lower case."""

    SMS = "sms"
    MMS = "mms"
    EMAIL = "email"
    PUSH = "push"
    IN_APP = "in_app"
    TWO_WAY = "two_way"


Account = Annotated[str, typer.Option(metavar="ACCOUNT_ID", help="The account; your key's own if left out.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON lines.")]
Kinds = Annotated[
    list[KindName] | None, typer.Option("--kind", help="Of this kind; repeatable.", case_sensitive=False)
]
Able = Annotated[
    list[CapabilityName] | None,
    typer.Option("--can", help="What it can do; repeatable.", case_sensitive=False),
]


def list_senders(
    kind: Kinds = None,
    can: Able = None,
    country: Annotated[list[str] | None, typer.Option(help="Of this country; repeatable.")] = None,
    pool: Annotated[list[str] | None, typer.Option(help="Of this pool; repeatable.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="With this tag; repeatable.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    account: Account = "",
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """List the senders of an account, oldest first.

    waypost senders list --kind short_code --kind long_code --can mms
    """
    from broker.cli.connection import Target
    from waypost.v1 import sender_pb2
    from waypost.v1 import sender_service_pb2 as pb

    wanted = pb.SenderFilter(
        kinds=[sender_pb2.SenderKind.Value(f"SENDER_KIND_{each.upper()}") for each in kind or ()],
        capabilities=[_capability(each) for each in can or ()],
        countries=country or (),
        pools=pool or (),
        tags=tag or (),
    )
    request = pb.ListSendersRequest(account_id=account, filter=wanted)
    return asyncio.run(_list(Target(target, key, data_dir, tls, tls_ca), request, limit, json=json))


def add_sender(
    value: Annotated[
        str, typer.Argument(metavar="SENDER", help="A number, short code, name, mailbox or application id.")
    ],
    kind: Annotated[
        KindName | None,
        typer.Option(help="What it is, where its value could be several.", case_sensitive=False),
    ] = None,
    country: Annotated[str, typer.Option(help='Where a short code is leased, as "US".')] = "",
    can: Able = None,
    provider: Annotated[
        list[str] | None,
        typer.Option(help="A provider instance that may use it; repeatable. All, if left out."),
    ] = None,
    pool: Annotated[str, typer.Option(help="The pool that it belongs to.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="A tag; repeatable.")] = None,
    default: Annotated[bool, typer.Option("--default", help="For messages that name no sender.")] = False,
    account: Account = "",
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Register a sender.

    waypost senders add 12345 --country US --can sms --can two_way --pool care
    """
    from broker.cli.connection import Target
    from waypost.v1 import sender_pb2
    from waypost.v1 import sender_service_pb2 as pb

    sender = sender_pb2.Sender(
        value=value,
        kind=sender_pb2.SenderKind.Value(f"SENDER_KIND_{(kind or 'unspecified').upper()}"),
        country=country,
        capabilities=[_capability(each) for each in can or ()],
        providers=provider or (),
        pool=pool,
        tags=tag or (),
        is_default=default,
    )
    request = pb.CreateSenderRequest(account_id=account, sender=sender)
    return asyncio.run(_add(Target(target, key, data_dir, tls, tls_ca), request, json=json))


def remove_sender(
    sender_id: Annotated[str, typer.Argument(metavar="SENDER_ID", help="Its id, as `list` prints it.")],
    account: Account = "",
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Remove a sender. Messages that were accepted with it are still sent."""
    from broker.cli.connection import Target
    from waypost.v1 import sender_service_pb2 as pb

    request = pb.DeleteSenderRequest(account_id=account, sender_id=sender_id)
    return asyncio.run(_remove(Target(target, key, data_dir, tls, tls_ca), request))


def _capability(name: CapabilityName) -> "sender_pb2.SenderCapability.ValueType":
    from waypost.v1 import sender_pb2

    return sender_pb2.SenderCapability.Value(f"SENDER_CAPABILITY_{name.upper()}")


async def _list(target: "Target", request: "pb.ListSendersRequest", limit: int, *, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import Listed
    from broker.cli.json_lines import fields_of, print_line

    found = []
    async with connected(target) as connection:
        listed = Listed(connection, connection.senders.ListSenders, limit)
        async with aclosing(listed.items(request, "senders")) as senders:
            async for sender in senders:
                if json:
                    print_line(fields_of(sender))
                else:
                    found.append(sender)
    if not json:
        from broker.cli.sender_tables import senders_table
        from broker.cli.tables import stdout_console

        stdout_console().print(senders_table(found, more=listed.more))
    return ExitCode.OK


async def _add(target: "Target", request: "pb.CreateSenderRequest", *, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import ask

    async with connected(target) as connection:
        response = await ask(connection, connection.senders.CreateSender, request)
    if json:
        from broker.cli.json_lines import fields_of, print_line

        print_line({"sender": fields_of(response.sender)})
    else:
        from broker.cli.sender_tables import kind_word

        print(f"{response.sender.sender_id} is {response.sender.value}, {kind_word(response.sender)}")
    return ExitCode.OK


async def _remove(target: "Target", request: "pb.DeleteSenderRequest") -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import ask

    async with connected(target) as connection:
        await ask(connection, connection.senders.DeleteSender, request)
    print(f"{request.sender_id} is removed")
    return ExitCode.OK
