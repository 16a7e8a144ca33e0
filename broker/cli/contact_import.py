"""Bringing contacts of a file into the directory: one call for each, many at once."""

import asyncio
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace

import grpc
import grpc.aio
from google.protobuf.field_mask_pb2 import FieldMask

from broker.cli.connection import CALL_TIMEOUT_S, Connection, Target, connected, explanation, fail
from broker.cli.contact_file import ContactRow
from broker.cli.contact_words import ContactWords, contact_of
from broker.cli.exit_codes import ExitCode
from broker.cli.failures import CommandFailed, UsageError
from broker.cli.json_lines import print_line
from waypost.v1 import directory_service_pb2 as pb

IN_FLIGHT_MAX = 64
_ONE_LINES_FAULT = frozenset({
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.NOT_FOUND,
})
"""What is wrong with one line; anything else would be wrong with the next one, too."""


async def bring_in(target: Target, rows: Sequence[ContactRow], *, json: bool) -> int:
    """Save every row, and tell which were refused. The delegates come last: they may stand further down."""
    refused: dict[int, str] = {}
    async with connected(target) as connection:
        await _save_all(connection, [_without_delegates(row) for row in rows], refused)
        again = [_only_delegates(row) for row in rows if row.words.delegates is not None]
        await _save_all(connection, [row for row in again if row.line not in refused], refused)
    for line, why in sorted(refused.items()):
        if json:
            print_line({"line": line, "error": why})
        else:
            print(f"waypost: line {line}: {why}", file=sys.stderr)
    taken = len(rows) - len(refused)
    if json:
        print_line({"taken": taken, "refused": len(refused)})
    else:
        print(f"{taken:,} taken, {len(refused):,} refused")
    return ExitCode.REFUSED if refused else ExitCode.OK


async def _save_all(connection: Connection, rows: Iterable[ContactRow], refused: dict[int, str]) -> None:
    waiting = iter(rows)

    async def work() -> None:
        for row in waiting:
            why = await _save(connection, row)
            if why:
                refused[row.line] = why

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT_MAX):
                group.create_task(work())
    except* CommandFailed as failures:
        raise failures.exceptions[0] from None


async def _save(connection: Connection, row: ContactRow) -> str:
    """Save one contact; answers why it was refused."""
    try:
        request = pb.UpdateContactRequest(
            external_id=row.external_id,
            contact=contact_of(row.words),
            update_mask=FieldMask(paths=row.words.given),
            allow_missing=True,
        )
        await connection.directory.UpdateContact(
            request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S
        )
    except UsageError as error:
        return str(error)
    except grpc.aio.AioRpcError as error:
        if error.code() in _ONE_LINES_FAULT:
            return explanation(error, connection.address)
        fail(error, connection.address)
    return ""


def _without_delegates(row: ContactRow) -> ContactRow:
    return replace(row, words=replace(row.words, delegates=None, priority=None))


def _only_delegates(row: ContactRow) -> ContactRow:
    words = ContactWords(delegates=row.words.delegates, priority=row.words.priority)
    return replace(row, words=words)
