"""Calls about broadcasts: upload a file, make one, move it, look at it."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio

from broker.cli.connection import CALL_TIMEOUT_S, Connection, fail
from waypost.v1 import broadcast_pb2
from waypost.v1 import broadcast_service_pb2 as pb

CHUNK_BYTES = 512 * 1024
UPLOAD_TIMEOUT_S = 3_600.0
PAGE_SIZE = 100


async def upload(connection: Connection, path: Path, file: pb.AudienceFile) -> pb.UploadAudienceResponse:
    """Store a file of recipients."""

    async def parts() -> AsyncIterator[pb.UploadAudienceRequest]:
        yield pb.UploadAudienceRequest(file=file)
        with path.open("rb") as opened:
            while chunk := opened.read(CHUNK_BYTES):
                yield pb.UploadAudienceRequest(chunk=chunk)

    try:
        return await connection.broadcasts.UploadAudience(
            parts(), metadata=connection.metadata, timeout=UPLOAD_TIMEOUT_S
        )
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)


async def make(connection: Connection, request: broadcast_pb2.BroadcastRequest) -> broadcast_pb2.Broadcast:
    """Store a broadcast."""
    try:
        response = await connection.broker.Broadcast(
            request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S
        )
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)
    return response.broadcast


async def look(connection: Connection, broadcast_id: str) -> broadcast_pb2.Broadcast:
    """A broadcast as it is now."""
    try:
        response = await connection.broadcasts.GetBroadcast(
            pb.GetBroadcastRequest(broadcast_id=broadcast_id),
            metadata=connection.metadata,
            timeout=CALL_TIMEOUT_S,
        )
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)
    return response.broadcast


async def move(connection: Connection, verb: str, broadcast_id: str) -> broadcast_pb2.Broadcast:
    """Start, suspend, resume, stop or delete it; `verb` is as in the names of the calls."""
    request = getattr(pb, f"{verb}BroadcastRequest")(broadcast_id=broadcast_id)
    call = getattr(connection.broadcasts, f"{verb}Broadcast")
    try:
        response = await call(request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S)
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)
    moved: broadcast_pb2.Broadcast = response.broadcast
    return moved


async def newest(connection: Connection, limit: int) -> list[broadcast_pb2.Broadcast]:
    """The newest broadcasts."""
    found: list[broadcast_pb2.Broadcast] = []
    token = ""
    while len(found) < limit:
        request = pb.ListBroadcastsRequest(page_size=min(PAGE_SIZE, limit - len(found)), page_token=token)
        try:
            page = await connection.broadcasts.ListBroadcasts(
                request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            fail(error, connection.address)
        found += page.broadcasts
        token = page.next_page_token
        if not token:
            break
    return found
