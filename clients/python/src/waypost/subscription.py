"""Subscribe as an endless iteration that survives lost connections.

The place after the last frame that arrived is remembered, and a stream that ends is opened again there:
no event is missed, and none comes twice. That holds wherever the iteration is interrupted, also by a
cancellation: a frame that did not arrive is asked for again.
"""

import asyncio
import logging
from collections import deque
from datetime import timedelta
from types import TracebackType
from typing import Generic, Self, TypeVar, cast

from waypost.connection import Connection, SubscribeCall
from waypost.errors import Unavailable, WaypostError
from waypost.events import Event
from waypost.patience import Patience
from waypost.v1 import subscribe_pb2
from waypost.wire.follow import Place, events_of, place_after
from waypost.wire.times import duration

log = logging.getLogger("waypost")

SILENT_HEARTBEATS_MAX = 3
"""A stream that was silent for so many heartbeats is dead, whatever the network says."""

Kind = TypeVar("Kind", bound=Event)


class Subscription(Generic[Kind]):
    """Committed events of an account, in order, for as long as the program asks for them.

        async with client.subscribe(MessageEvent, tags=["a"]) as events:
            async for event in events: ...

    `async with` comes back when the broker follows: what is sent from then on is seen. Without it the
    first iteration connects. A broker that cannot be reached at first is a failure after the client's
    `timeout`; once it could, it is waited for as long as it takes (bound it with `asyncio.timeout`).

    Raises WaypostError where coming back does not help, as OutOfRange for a cursor that has expired.
    """

    def __init__(
        self,
        connection: Connection,
        request: subscribe_pb2.SubscribeRequest,
        *,
        after: Place | None,
        heartbeat: timedelta,
    ) -> None:
        self._connection = connection
        self._request = request
        self._request.heartbeat_interval.CopyFrom(duration(heartbeat))
        self._silence_s_max = SILENT_HEARTBEATS_MAX * heartbeat.total_seconds()
        self._place = after
        self._cursor = after.text if after else None
        self._patience: Patience | None = None
        self._call: SubscribeCall | None = None
        self._waiting: deque[Event] = deque()
        self._closed = False

    @property
    def cursor(self) -> str | None:
        """Resume after it to see exactly what was not yielded. None until the broker was reached.

        It moves with heartbeats too, so it stays fresh where the filter lets little through.
        """
        return self._cursor

    async def __aenter__(self) -> Self:
        try:
            while self._call is None and not self._closed:
                await self._receive()
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Kind:
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            await self._receive()
        event = self._waiting.popleft()
        self._cursor = event.cursor
        return cast(Kind, event)  # the request's filter lets no other kind through

    def close(self) -> None:
        """End the iteration. What has arrived and was not yielded is dropped; `cursor` is before it."""
        self._closed = True
        self._waiting.clear()
        self._drop_call()

    async def _receive(self) -> None:
        """Take in one frame, or make one failed attempt and pause after it."""
        if self._patience is None:
            self._patience = self._connection.patience()
        try:
            with self._connection.translating():
                frame = await self._read()
        except WaypostError as error:
            self._drop_call()
            if not self._closed:
                await self._pause(error, self._patience)
        except BaseException:  # cancelled: the frame, if there was one, is asked for again
            self._drop_call()
            raise
        else:
            self._patience.rewarded()
            self._take(frame)

    async def _read(self) -> subscribe_pb2.SubscribeResponse:
        if self._call is None:
            if self._place is not None:
                self._request.after_cursor = self._place.cursor
            self._call = self._connection.open_subscription(self._request)
        try:
            async with asyncio.timeout(self._silence_s_max):
                frame = await self._call.read()
        except TimeoutError:
            raise _lost(f"the stream was silent for {self._silence_s_max:g} s") from None
        if not isinstance(frame, subscribe_pb2.SubscribeResponse):
            raise _lost("the stream ended")
        return frame

    def _take(self, frame: subscribe_pb2.SubscribeResponse) -> None:
        # The first frame has no events; it tells where "now" or "the beginning" is.
        before = self._place or Place(frame.cursor)
        self._waiting.extend(events_of(frame, before))
        self._place = place_after(frame, before)
        if not self._waiting:
            self._cursor = self._place.text

    async def _pause(self, error: WaypostError, patience: Patience) -> None:
        pause_s = patience.pause_s(error, asyncio.get_running_loop().time())
        log.warning("subscription.lost reason=%s pause_s=%.1f", error.reason, pause_s)
        await asyncio.sleep(pause_s)

    def _drop_call(self) -> None:
        if self._call is not None:
            self._call.cancel()
            self._call = None


def _lost(message: str) -> Unavailable:
    return Unavailable("UNAVAILABLE", "UNAVAILABLE", message)
