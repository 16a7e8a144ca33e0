"""Subscribe as a stream that survives lost connections: it resumes after the last cursor, so no event is missed."""

import asyncio
import random
import sys
from collections.abc import AsyncGenerator

import grpc
import grpc.aio

from broker.cli.connection import Connection, explanation, fail
from waypost.v1 import subscribe_pb2

PAUSE_S_MIN = 0.2
PAUSE_S_MAX = 5.0


class EventStream:
    """The frames of one SubscribeRequest.

    A broker that cannot be reached at first is a failure; once it could, it is waited for.
    """

    def __init__(self, connection: Connection, request: subscribe_pb2.SubscribeRequest) -> None:
        self._connection = connection
        self._request = subscribe_pb2.SubscribeRequest()
        self._request.CopyFrom(request)
        self._pause_s = PAUSE_S_MIN
        self._was_connected = False
        self._is_lost = False

    async def frames(self) -> AsyncGenerator[subscribe_pb2.SubscribeResponse, None]:
        """Each frame, empty ones too; the first comes at once. Raises CommandFailed when refused."""
        while True:
            try:
                async for frame in self._connection.broker.Subscribe(
                    self._request, metadata=self._connection.metadata
                ):
                    self._pause_s = PAUSE_S_MIN
                    self._was_connected = True
                    self._is_lost = False
                    self._request.after_cursor = frame.cursor
                    yield frame
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE or not self._was_connected:
                    fail(error, self._connection.address)
                self._tell(error)
            await self._pause()

    def _tell(self, error: grpc.aio.AioRpcError) -> None:
        """Say once that the connection is lost, and not at every attempt to get it back."""
        if not self._is_lost:
            why = explanation(error, self._connection.address)
            print(f"waypost: {why}; waiting for it to come back", file=sys.stderr)
        self._is_lost = True

    async def _pause(self) -> None:
        """Wait before the next attempt, longer each time, and not in step with others."""
        await asyncio.sleep(self._pause_s * random.uniform(0.5, 1.0))  # noqa: S311
        self._pause_s = min(self._pause_s * 2, PAUSE_S_MAX)
