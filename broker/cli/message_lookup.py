"""Asking the broker about messages that it has."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import grpc
import grpc.aio

from broker.cli.connection import CALL_TIMEOUT_S, Connection, fail
from waypost.v1 import message_pb2, message_service_pb2

PAGE_SIZE_MAX = 1_000
"""As many as the broker lists at once."""


class Newest:
    """The newest messages that match.

    `more` tells, after the last, whether older ones match too, and `index` how far that of the last page was.
    """

    def __init__(self, connection: Connection, wanted: message_pb2.MessageFilter, limit: int) -> None:
        self.more = False
        self.index = message_pb2.IndexProgress(whole=True)
        self._connection = connection
        self._wanted = wanted
        self._limit = limit

    async def messages(self) -> AsyncGenerator[message_pb2.Message, None]:
        """Each of them, newest first; pages are asked for as they are needed."""
        left, token = self._limit, ""
        while left > 0:
            page = await self._page(token, min(left, PAGE_SIZE_MAX))
            for message in page.messages:
                yield message
            left -= len(page.messages)
            token = page.next_page_token
            self.more = bool(token)
            self.index = page.index
            if not token:
                return

    async def _page(self, token: str, size: int) -> message_service_pb2.ListMessagesResponse:
        request = message_service_pb2.ListMessagesRequest(
            filter=self._wanted, page_size=size, page_token=token
        )
        try:
            return await self._connection.messages.ListMessages(
                request, metadata=self._connection.metadata, timeout=CALL_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            fail(error, self._connection.address)


async def look_up(connection: Connection, message_id: str) -> message_service_pb2.GetMessageResponse:
    """One message with its timeline."""
    try:
        return await connection.messages.GetMessage(
            message_service_pb2.GetMessageRequest(message_id=message_id),
            metadata=connection.metadata,
            timeout=CALL_TIMEOUT_S,
        )
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)


async def cancel(connection: Connection, message_id: str) -> message_pb2.Message:
    """End a message that no provider was given yet; answers it as it stands then."""
    try:
        response = await connection.messages.CancelMessage(
            message_service_pb2.CancelMessageRequest(message_id=message_id),
            metadata=connection.metadata,
            timeout=CALL_TIMEOUT_S,
        )
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)
    return response.message


async def delete(connection: Connection, message_id: str) -> message_pb2.Message:
    """Erase an ended message; answers it as it stands then."""
    try:
        response = await connection.messages.DeleteMessage(
            message_service_pb2.DeleteMessageRequest(message_id=message_id),
            metadata=connection.metadata,
            timeout=CALL_TIMEOUT_S,
        )
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)
    return response.message


async def mark(connection: Connection, message_id: str, *, read: bool) -> message_pb2.Message:
    """Mark a message that came in read or unread; answers it as it stands then."""
    wish = message_service_pb2.MARK_READ if read else message_service_pb2.MARK_UNREAD
    try:
        response = await connection.messages.MarkMessage(
            message_service_pb2.MarkMessageRequest(message_id=message_id, mark=wish),
            metadata=connection.metadata,
            timeout=CALL_TIMEOUT_S,
        )
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)
    return response.message


async def redrive(
    connection: Connection, message_id: str, request_id: str, validity: timedelta | None
) -> message_pb2.Message:
    """Send an ended message again; answers the new one."""
    request = message_service_pb2.RedriveMessageRequest(message_id=message_id, request_id=request_id)
    if validity is not None:
        request.validity.FromTimedelta(validity)
    try:
        response = await connection.messages.RedriveMessage(
            request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S
        )
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)
    return response.message
