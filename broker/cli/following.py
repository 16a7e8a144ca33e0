"""Sending and watching what becomes of it, without missing an event in between."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import grpc
import grpc.aio

from broker.cli.connection import CALL_TIMEOUT_S, Connection, fail
from broker.cli.event_stream import EventStream
from broker.cli.json_lines import answer_line, fields_of, print_line
from broker.cli.progress import Progress
from broker.cli.recipients import Row
from broker.cli.requests import PlannedRequest
from broker.cli.sending import Answer, send_all
from broker.cli.tables import shown
from waypost.v1 import event_pb2, message_service_pb2, subscribe_pb2

FILTER_IDS_MAX = 1_000
"""As many as a filter takes; more messages are picked out of the whole account's events."""


async def send_and_follow(
    connection: Connection,
    rows: Sequence[Row],
    plans: Sequence[PlannedRequest],
    *,
    timeout_s: float | None,
    json: bool,
) -> tuple[list[Answer], bool]:
    """Send, and show statuses until every message has ended. False where the time ran out before.

    The place in the log is taken before anything is sent: what happens from then on is after it.
    """
    cursor = await _head(connection)
    answers: list[Answer] = []
    async for answer in send_all(connection, plans):
        answers.append(answer)
        if json:
            print_line(answer_line(answer))
    progress = Progress(rows, answers)
    if any(plan.request.request_id for plan in plans):
        await _catch_up(connection, progress)
    try:
        async with asyncio.timeout(timeout_s):
            if json:
                await _follow(connection, progress, cursor, json=True)
            else:
                async with shown(progress):
                    await _follow(connection, progress, cursor, json=False)
    except TimeoutError:
        return answers, False
    return answers, True


async def _head(connection: Connection) -> str:
    """The cursor after everything that was committed by now."""
    stream = EventStream(connection, subscribe_pb2.SubscribeRequest())
    async with aclosing(stream.frames()) as frames:
        return (await anext(frames)).cursor


async def _catch_up(connection: Connection, progress: Progress) -> None:
    """Ask where each message stands: those of a request_id that was used before may have ended long ago."""
    try:
        for message_id in progress.open_ids:
            response = await connection.messages.GetMessage(
                message_service_pb2.GetMessageRequest(message_id=message_id),
                metadata=connection.metadata,
                timeout=CALL_TIMEOUT_S,
            )
            progress.catch_up(response.message)
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)


async def _follow(connection: Connection, progress: Progress, cursor: str, *, json: bool) -> None:
    if not progress.open_ids:
        return
    stream = EventStream(
        connection, subscribe_pb2.SubscribeRequest(after_cursor=cursor, filter=_filter(progress))
    )
    async with aclosing(stream.frames()) as frames:
        async for frame in frames:
            for event in frame.events:
                if progress.apply(event) and json:
                    print_line({"event": fields_of(event)})
            if progress.all_ended:
                return


def _filter(progress: Progress) -> subscribe_pb2.EventFilter:
    wanted = progress.open_ids
    return subscribe_pb2.EventFilter(
        kinds=[event_pb2.EVENT_KIND_MESSAGE], message_ids=wanted if len(wanted) < FILTER_IDS_MAX else ()
    )
