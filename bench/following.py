"""Subscribers within a load process."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import grpc.aio

from waypost.v1 import subscribe_pb2

SHARED_FRAMES_MAX = 256
SUBSCRIBE = "/waypost.v1.BrokerService/Subscribe"


@dataclass(frozen=True, slots=True)
class FrameCount:
    """What a frame holds."""

    events: int
    ends: int


class Following:
    """Counts what several subscribers get."""

    def __init__(self, channel: grpc.aio.Channel, metadata: Sequence[tuple[str, str]]) -> None:
        self._subscribe: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(SUBSCRIBE)
        self._metadata = tuple(metadata)
        self._tasks: list[asyncio.Task[None]] = []
        self._known: dict[bytes, FrameCount] = {}
        self._news = asyncio.Event()
        self._failure: Exception | None = None
        self._in_place = 0
        self.events = 0
        self.ends = 0
        self.last_at = 0.0

    async def start(self, requests: Sequence[bytes]) -> None:
        """Open a stream for each request; all of them are in place when it returns."""
        self._tasks = [asyncio.create_task(self._follow(request)) for request in requests]
        await self._until(lambda: self._in_place == len(requests))

    async def until(self, *, events: int = 0, ends: int = 0) -> None:
        """Wait until so many came, of all subscribers together."""
        await self._until(lambda: self.events >= events and self.ends >= ends)

    def stop(self) -> None:
        """End the streams."""
        for task in self._tasks:
            task.cancel()

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            if self._failure is not None:
                raise self._failure
            self._news.clear()
            await self._news.wait()

    async def _follow(self, request: bytes) -> None:
        first = True
        try:
            async for frame in self._subscribe(request, metadata=self._metadata):
                count = self._known.get(frame) or self._count(frame)
                if count.events:
                    self.events += count.events
                    self.ends += count.ends
                    self.last_at = time.monotonic()
                self._in_place += first
                first = False
                self._news.set()
        except grpc.aio.AioRpcError as error:
            self._failure = error
            self._news.set()

    def _count(self, frame: bytes) -> FrameCount:
        """Read a frame. Many subscribers get the same ones, so the last ones read are remembered."""
        events = subscribe_pb2.SubscribeResponse.FromString(frame).events
        count = FrameCount(len(events), sum(event.message.end for event in events))
        if len(self._known) >= SHARED_FRAMES_MAX:
            self._known.pop(next(iter(self._known)))
        self._known[frame] = count
        return count


def follow_request(start: str = "now", reference: str | None = None) -> bytes:
    """Serialised: from "now", from the "beginning" or after a cursor, what has a reference or everything."""
    request = subscribe_pb2.SubscribeRequest()
    if start == "beginning":
        request.from_beginning.SetInParent()
    elif start == "now":
        request.from_now.SetInParent()
    else:
        request.after_cursor = start
    if reference is not None:
        request.filter.client_references.append(reference)
    return request.SerializeToString()
