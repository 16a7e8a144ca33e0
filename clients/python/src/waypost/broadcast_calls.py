"""Broadcasts: `client.broadcasts`."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable
from contextlib import aclosing
from datetime import timedelta
from typing import IO, Protocol, TypeVar, Unpack

import grpc.aio

from waypost.broadcasts import Broadcast, BroadcastFields, RefusedLine, Upload
from waypost.connection import Connection
from waypost.errors import FailedPrecondition
from waypost.sending import Body
from waypost.v1 import broadcast_pb2
from waypost.v1 import broadcast_service_pb2 as pb
from waypost.vocabulary import BroadcastState, FileFormat
from waypost.wire.broadcasts import broadcast_message, broadcast_of, refused_line_of, upload_of
from waypost.wire.words import BROADCAST_STATES, FILE_FORMATS

PAGE_SIZE = 500
CHUNK_BYTES = 512 * 1024
WATCH_EVERY = timedelta(seconds=1)

AudienceSource = str | os.PathLike[str] | bytes | IO[bytes] | AsyncIterable[bytes]
"""A file of recipients: its path, its bytes, an open binary file, or its parts of any size."""


class _Answer(Protocol):
    """What every move answers."""

    @property
    def broadcast(self) -> broadcast_pb2.Broadcast: ...


class _Request(Protocol):
    """What every move is asked with."""

    @property
    def account_id(self) -> str: ...

    @property
    def broadcast_id(self) -> str: ...


_RequestT = TypeVar("_RequestT", bound=_Request)
_AnswerT = TypeVar("_AnswerT", bound=_Answer)


class Broadcasts:
    """Broadcasts of an account, and the files that they go to; the key's own account for account_id ""."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def upload(
        self,
        file: AudienceSource,
        *,
        keep_good: bool = False,
        format: FileFormat | None = None,  # noqa: A002 - it is called so everywhere
        encoding: str = "",
        delimiter: str = "",
        progress: Callable[[int], None] | None = None,
        account_id: str = "",
    ) -> Upload:
        """Store a file of recipients; what comes back is on the broker's disk.

        keep_good: keep the good lines where some are bad; else the file is refused then, and `usable` is False.
        format, encoding, delimiter: found out unless they are given.
        progress: called with the number of bytes that were sent so far, after each part of at most 512 KiB.

        The call is not repeated by itself: after Unavailable upload it again. What is left of the first one is
        removed by the broker.
        """
        first = pb.AudienceFile(
            account_id=account_id,
            format=FILE_FORMATS.number(format),
            encoding=encoding,
            delimiter=delimiter,
            bad_lines=pb.BAD_LINES_KEEP_GOOD if keep_good else pb.BAD_LINES_REFUSE_ALL,
        )

        async def parts() -> AsyncIterator[pb.UploadAudienceRequest]:
            yield pb.UploadAudienceRequest(file=first)
            sent = 0
            async with aclosing(_chunks(file)) as chunks:
                async for chunk in chunks:
                    yield pb.UploadAudienceRequest(chunk=chunk)
                    sent += len(chunk)
                    if progress is not None:
                        progress(sent)

        return upload_of(await self._connection.upload(parts()))

    async def refused_lines(self, upload_id: str, *, account_id: str = "") -> AsyncIterator[RefusedLine]:
        """The lines of a file that became no recipients, in order."""
        request = pb.ListRefusedRowsRequest(account_id=account_id, upload_id=upload_id, page_size=PAGE_SIZE)
        async for page in self._connection.pages(self._connection.broadcasts.ListRefusedRows, request):
            for row in page.refused:
                yield refused_line_of(row)

    async def send(self, content: Body = (), /, **fields: Unpack[BroadcastFields]) -> Broadcast:
        """Make a broadcast; what comes back is on the broker's disk, and starts in the background.

        It has a request_id, so it is repeated by itself, and there is one broadcast. To repeat it yourself, give
        your own request_id.
        """
        request = broadcast_message(content, fields)
        return broadcast_of(
            (await self._connection.call(self._connection.broker.Broadcast, request)).broadcast
        )

    async def update(
        self, broadcast_id: str, content: Body = (), /, **fields: Unpack[BroadcastFields]
    ) -> Broadcast:
        """Replace all that was asked for, of a broadcast that has not begun. Raises FailedPrecondition afterwards."""
        request = pb.UpdateBroadcastRequest(
            broadcast_id=broadcast_id, request=broadcast_message(content, fields)
        )
        answer = await self._connection.call(self._connection.broadcasts.UpdateBroadcast, request)
        return broadcast_of(answer.broadcast)

    async def get(self, broadcast_id: str, *, account_id: str = "") -> Broadcast:
        """One, as it is now. Raises NotFound."""
        request = pb.GetBroadcastRequest(account_id=account_id, broadcast_id=broadcast_id)
        return broadcast_of(
            (await self._connection.call(self._connection.broadcasts.GetBroadcast, request)).broadcast
        )

    async def watch(
        self, broadcast_id: str, *, every: timedelta = WATCH_EVERY, account_id: str = ""
    ) -> AsyncIterator[Broadcast]:
        """The broadcast now, and whenever it changed, until it is over.

        every: how often it is looked at.
        """
        before: Broadcast | None = None
        while True:
            now = await self.get(broadcast_id, account_id=account_id)
            if now != before:
                yield now
            if now.is_over:
                return
            before = now
            await asyncio.sleep(every.total_seconds())

    async def list(
        self, *, state: BroadcastState | Iterable[BroadcastState] = (), account_id: str = ""
    ) -> AsyncIterator[Broadcast]:
        """Broadcasts, newest first: those in any of these states, or all that are not deleted."""
        states = [state] if isinstance(state, BroadcastState) else state
        request = pb.ListBroadcastsRequest(
            account_id=account_id, states=map(BROADCAST_STATES.number, states), page_size=PAGE_SIZE
        )
        async for page in self._connection.pages(self._connection.broadcasts.ListBroadcasts, request):
            for each in page.broadcasts:
                yield broadcast_of(each)

    async def start(self, broadcast_id: str, *, account_id: str = "") -> Broadcast:
        """Start a draft, at its schedule_time; or one that is SCHEDULED, at once."""
        request = pb.StartBroadcastRequest(account_id=account_id, broadcast_id=broadcast_id)
        return await self._moved(self._connection.broadcasts.StartBroadcast, request, BroadcastState.RUNNING)

    async def suspend(self, broadcast_id: str, *, account_id: str = "") -> Broadcast:
        """Hold it: nothing more of it is handed to a provider."""
        request = pb.SuspendBroadcastRequest(account_id=account_id, broadcast_id=broadcast_id)
        return await self._moved(
            self._connection.broadcasts.SuspendBroadcast, request, BroadcastState.SUSPENDED
        )

    async def resume(self, broadcast_id: str, *, account_id: str = "") -> Broadcast:
        """Let one that is held go on where it was."""
        request = pb.ResumeBroadcastRequest(account_id=account_id, broadcast_id=broadcast_id)
        return await self._moved(self._connection.broadcasts.ResumeBroadcast, request, BroadcastState.RUNNING)

    async def stop(self, broadcast_id: str, *, account_id: str = "") -> Broadcast:
        """End it for good. Messages that no provider was given are CANCELLED."""
        request = pb.StopBroadcastRequest(account_id=account_id, broadcast_id=broadcast_id)
        return await self._moved(self._connection.broadcasts.StopBroadcast, request, BroadcastState.STOPPED)

    async def delete(self, broadcast_id: str, *, account_id: str = "") -> Broadcast:
        """Stop it where it runs, and remove it from lists with its audience. Its messages stay."""
        request = pb.DeleteBroadcastRequest(account_id=account_id, broadcast_id=broadcast_id)
        return await self._moved(self._connection.broadcasts.DeleteBroadcast, request, BroadcastState.DELETED)

    async def _moved(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[_RequestT, _AnswerT]",
        request: _RequestT,
        wanted: BroadcastState,
    ) -> Broadcast:
        """The broadcast after a move; one that is so already is no failure.

        Raises FailedPrecondition where its state does not allow the move; the metadata "state" names it.
        """
        try:
            return broadcast_of((await self._connection.call(method, request)).broadcast)
        except FailedPrecondition as error:
            # Also how it looks when the answer to our first attempt was lost.
            if error.metadata.get("state") != wanted:
                raise
            return await self.get(request.broadcast_id, account_id=request.account_id)


async def _chunks(file: AudienceSource) -> AsyncGenerator[bytes, None]:
    """The bytes of a file in parts that the broker takes."""
    if isinstance(file, bytes):
        for start in range(0, len(file), CHUNK_BYTES):
            yield file[start : start + CHUNK_BYTES]
    elif isinstance(file, AsyncIterable):
        async for part in file:
            for start in range(0, len(part), CHUNK_BYTES):
                yield part[start : start + CHUNK_BYTES]
    else:
        opened = await asyncio.to_thread(open, file, "rb") if isinstance(file, str | os.PathLike) else file
        try:
            while chunk := await asyncio.to_thread(opened.read, CHUNK_BYTES):
                yield chunk
        finally:
            if opened is not file:
                await asyncio.to_thread(opened.close)
