"""`waypost messages cancel`, `delete`, `mark` and `redrive`: what is done to one message."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli.exit_codes import ExitCode
from broker.cli.messages_command import Json, MessageId
from broker.cli.options import (
    DATA_DIR_DEFAULT,
    TARGET_DEFAULT,
    DataDirOption,
    KeyOption,
    TargetOption,
    TlsCaOption,
    TlsOption,
    span_of,
)

if TYPE_CHECKING:
    from broker.cli.connection import Connection, Target
    from waypost.v1 import message_pb2

    Deed = Callable[[Connection], Awaitable[message_pb2.Message]]


def cancel_message(
    message_id: MessageId,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Cancel a message that no provider was given yet.

    Exit codes: 0 it is cancelled, 1 it is too late or there is no such message.
    """
    from broker.cli.connection import Target
    from broker.cli.message_lookup import cancel

    where = Target(target, key, data_dir, tls, tls_ca)
    return _do(where, lambda connection: cancel(connection, message_id), _cancelled, json=json)


def delete_message(
    message_id: MessageId,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Erase what an ended message says and to whom; its status and counts stay.

    Exit codes: 0 it is deleted, 1 it has not ended or there is no such message.
    """
    from broker.cli.connection import Target
    from broker.cli.message_lookup import delete

    where = Target(target, key, data_dir, tls, tls_ca)
    return _do(
        where,
        lambda connection: delete(connection, message_id),
        lambda message: f"{message.message_id} is deleted",
        json=json,
    )


def mark_message(
    message_id: MessageId,
    unread: Annotated[bool, typer.Option("--unread", help="Nobody has read it after all.")] = False,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Mark a message that came in read, or with --unread unread.

    Exit codes: 0 it is marked, 1 it did not come in or there is no such message.
    """
    from broker.cli.connection import Target
    from broker.cli.message_lookup import mark

    where = Target(target, key, data_dir, tls, tls_ca)
    return _do(
        where,
        lambda connection: mark(connection, message_id, read=not unread),
        lambda message: f"{message.message_id} is {'unread' if unread else 'read'}",
        json=json,
    )


def redrive_message(
    message_id: MessageId,
    request_id: Annotated[
        str, typer.Option(metavar="ID", help="Makes the command repeatable: the same id sends nothing twice.")
    ] = "",
    validity: Annotated[
        str | None, typer.Option(metavar="SPAN", help="Give up after, as 10m or 600s.")
    ] = None,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Send a message again that ended badly, as a new message.

    Exit codes: 0 it is on its way again, 1 it did not end badly or there is no such message.
    """
    from broker.cli.connection import Target
    from broker.cli.message_lookup import redrive

    span = None if validity is None else span_of("--validity", validity)
    where = Target(target, key, data_dir, tls, tls_ca)
    return _do(
        where,
        lambda connection: redrive(connection, message_id, request_id, span),
        lambda message: f"{message.redriven_from_message_id} is sent again as {message.message_id}",
        json=json,
    )


def _cancelled(message: "message_pb2.Message") -> str:
    from broker.cli.wording import printable

    return f"{message.message_id} to {printable(message.recipient)} is cancelled"


def _do(target: "Target", deed: "Deed", told: "Callable[[message_pb2.Message], str]", *, json: bool) -> int:
    message = asyncio.run(_done(target, deed))
    if json:
        from broker.cli.json_lines import fields_of, print_line

        print_line({"message": fields_of(message)})
    else:
        print(told(message))
    return ExitCode.OK


async def _done(target: "Target", deed: "Deed") -> "message_pb2.Message":
    from broker.cli.connection import connected

    async with connected(target) as connection:
        return await deed(connection)
