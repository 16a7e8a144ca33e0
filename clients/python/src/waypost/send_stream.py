"""SendStream: many requests to a frame, several frames on their way, and each request its own answer.

Requests whose answer was lost with a connection are sent again over the next one. That sends nothing
twice: every request has a request_id, and the broker gives the first answer again.
"""

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, Unpack, overload

import grpc.aio

from waypost.connection import Connection, SendStreamCall
from waypost.errors import InternalError, ResourceExhausted, Unavailable, WaypostError
from waypost.patience import Patience
from waypost.send_window import SendWindow, WindowLimits
from waypost.sending import Body, SendFields, SendRequest, Sent, as_request
from waypost.v1 import send_pb2
from waypost.wire.failures import error_of_answer
from waypost.wire.sends import request_message, sent_of

log = logging.getLogger("waypost")

REQUEST_BYTES_MAX = 16 * 1024 * 1024 - 1024
"""What a broker takes, unless it was set otherwise, without the frame around it."""

SENDS_BETWEEN_BREATHS = 100

HOLD_S = 0.5
"""A write that fails because the broker ended the stream makes grpc.aio say INTERNAL, and forget what the
broker said (grpc/grpc#36066). The next stream then holds its first write, so that a refusal can be heard."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sending:
    """A request on its way. While its patience lasts, a transient refusal is not its answer."""

    request: send_pb2.SendRequest
    size_bytes: int
    answer: asyncio.Future[Sent]
    patience: Patience


class SendStream:
    """An open stream; leaving its block waits until everything is answered.

        async with client.send_stream() as stream:
            answer = await stream.send("Hello", to="+447700900123")   # waits while the window is full
            sent = await answer                                       # Sent, or raises WaypostError

    A failed request is its own answer and harms no other. A lost connection is restored and unanswered
    requests are sent again, for as long as it takes (bound it with `asyncio.timeout`); only a broker that
    cannot be reached at first is a failure, after the client's `timeout`. A failure of the stream as a
    whole, as for a key without the right to send, is every unanswered request's answer, and is raised by
    `send` and on leaving.
    """

    def __init__(self, connection: Connection, limits: WindowLimits) -> None:
        self._connection = connection
        self._window: SendWindow[_Sending] = SendWindow(limits)
        self._unanswered: set[_Sending] = set()
        self._free = asyncio.Semaphore(limits.requests_in_flight_max)
        self._changed = asyncio.Event()
        self._closing = False
        self._failure: WaypostError | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def in_flight(self) -> int:
        """Requests without an answer."""
        return len(self._unanswered)

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._running is not None
        self._closing = True
        self._changed.set()
        if error is not None:  # nobody waits for the answers any more
            self._running.cancel()
        try:
            await asyncio.wait([self._running])
        finally:
            self._running.cancel()
        failure = None if self._running.cancelled() else self._running.exception()
        if failure is not None and error is None:
            raise failure

    @overload
    async def send(self, content: SendRequest, /) -> "asyncio.Future[Sent]": ...

    @overload
    async def send(self, content: Body = (), /, **fields: Unpack[SendFields]) -> "asyncio.Future[Sent]": ...

    async def send(self, content: Body | SendRequest = (), /, **fields: Any) -> "asyncio.Future[Sent]":
        """Put a request on its way; its answer comes to be in the future that is returned.

        The keyword arguments are SendRequest's fields. Waits while as many requests are unanswered as the
        window allows.
        """
        message = request_message(as_request(content, fields))
        answer = asyncio.get_running_loop().create_future()
        size_bytes = message.ByteSize()
        if size_bytes > REQUEST_BYTES_MAX:  # the broker would end the stream, and every request with it
            answer.set_exception(_too_large(size_bytes))
            return answer
        if len(self._unanswered) % SENDS_BETWEEN_BREATHS == 0:
            await asyncio.sleep(0)  # a caller that never waits must not hold up what sends and answers
        await self._free.acquire()
        if self._running is None or self._closing or self._running.done():
            self._free.release()
            raise self._failure or RuntimeError("the stream is open only within its `async with` block")
        sending = _Sending(message, size_bytes, answer, self._connection.patience())
        self._unanswered.add(sending)
        self._put(sending)
        return answer

    def _put(self, sending: _Sending) -> None:
        """Have it wait for the next frame."""
        if sending in self._unanswered:
            self._window.add(sending)
            self._changed.set()

    async def _run(self) -> None:
        try:
            await self._serve()
        except WaypostError as error:
            self._failure = error
            raise
        finally:
            for sending in list(self._unanswered):
                self._finish(sending, self._failure)

    async def _serve(self) -> None:
        """Hold conversations, one after the other, until the block was left and everything is answered."""
        patience: Patience | None = None
        hold_s = 0.0
        while await self._has_work():
            patience = patience or self._connection.patience()
            try:
                with self._connection.translating():
                    await self._converse(patience, hold_s)
            except WaypostError as error:
                if self._is_over:
                    return
                self._window.take_back()
                hold_s = HOLD_S if error.reason == "INTERNAL" else 0.0
                pause_s = patience.pause_s(error, asyncio.get_running_loop().time())
                log.warning("send_stream.lost reason=%s pause_s=%.1f", error.reason, pause_s)
                await asyncio.sleep(pause_s)

    @property
    def _is_over(self) -> bool:
        return self._closing and not self._unanswered

    async def _has_work(self) -> bool:
        """Wait for something to send, or for the end. A connection is made only when it is needed."""
        while not (self._window or self._is_over):
            self._changed.clear()
            await self._changed.wait()
        return not self._is_over

    async def _converse(self, patience: Patience, hold_s: float) -> None:
        """One call, from its first frame until it ends well; raises when it does not."""
        call = self._connection.open_send_stream()
        writing = asyncio.create_task(self._write(call, hold_s))
        try:
            while isinstance(frame := await call.read(), send_pb2.SendStreamResponse):
                patience.rewarded()
                self._take(frame)
            if not self._is_over:
                raise Unavailable("UNAVAILABLE", "UNAVAILABLE", "the stream ended")
        finally:
            writing.cancel()
            call.cancel()
            await asyncio.wait([writing])

    async def _write(self, call: SendStreamCall, hold_s: float) -> None:
        """Send frames as the window lets them. A call that broke is the reader's to tell."""
        await asyncio.sleep(hold_s)
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            while not self._is_over:
                if frame := self._window.next_frame():
                    await call.write(send_pb2.SendStreamRequest(requests=[each.request for each in frame]))
                else:
                    self._changed.clear()
                    await self._changed.wait()
            await call.done_writing()

    def _take(self, frame: send_pb2.SendStreamResponse) -> None:
        sendings = self._window.answered()
        if len(sendings) != len(frame.responses):
            raise InternalError("INTERNAL", "INTERNAL", "the broker's answers do not match the requests")
        for sending, result in zip(sendings, frame.responses, strict=True):
            if result.WhichOneof("outcome") == "response":
                self._finish(sending, sent_of(sending.request.request_id, result.response))
            else:
                self._refused(sending, error_of_answer(result.error))
        self._changed.set()

    def _refused(self, sending: _Sending, error: WaypostError) -> None:
        loop = asyncio.get_running_loop()
        try:
            pause_s = sending.patience.pause_s(error, loop.time())
        except WaypostError:
            self._finish(sending, error)
        else:
            loop.call_later(pause_s, self._put, sending)

    def _finish(self, sending: _Sending, outcome: Sent | WaypostError | None) -> None:
        """Give a request its answer, and its place in the window to the next. None: there will be none."""
        self._unanswered.discard(sending)
        self._free.release()
        answer = sending.answer
        if answer.done():  # whoever waited for it was cancelled
            return
        if isinstance(outcome, Sent):
            answer.set_result(outcome)
        elif outcome is None:
            answer.cancel()
        else:
            answer.set_exception(outcome)
            if outcome is self._failure:
                answer.exception()  # leaving the block raises it: asyncio need not report it as unseen


def _too_large(size_bytes: int) -> ResourceExhausted:
    message = f"the request has {size_bytes:,} bytes; a stream takes {REQUEST_BYTES_MAX:,}"
    return ResourceExhausted("RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED", message)
