"""SendStream: frames of many requests, answered in order while later ones are already being stored.

    caller ──frame──▶ reader ──▶ task: convert, accept ──▶ queue of tasks in order ──▶ writer ──▶ caller
                        ▲                                                              │
                        └────────────────── a slot is free again ◀─────────────────────┘

Two commits of two frames can be under way together, so a caller that does not wait for answers is bound
by the disk's throughput and not by its latency. A slot is taken before a frame is read and given back
after its answer was written: a caller that never reads its answers stops being read.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from broker.api.convert.results import add_results
from broker.api.gate import Gate
from broker.api.outcomes import Asked, Outcomes
from broker.api.rpc import EOF, MALFORMED, Conversation
from broker.api.status import send_error
from broker.delivery.key_rates import KeyRates
from broker.domain.access import Principal
from broker.errors import BrokerError, ErrorReason, Violation
from waypost.v1 import send_pb2

REQUESTS_MAX = 1_000
RECIPIENTS_MAX = 10_000
"""Of all requests of a frame together: it is one commit, and its answer should fit a client's default limit."""

_Answering = Callable[[send_pb2.SendStreamRequest], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class FrameAnswerer:
    """Makes one frame's answer: has all of its requests stored at once, and says of each what came of it."""

    outcomes: Outcomes
    rates: KeyRates

    async def answer(self, caller: Principal, frame: send_pb2.SendStreamRequest) -> bytes:
        """The serialised answer. What refuses a request, or all of them, is an answer as well."""
        response = send_pb2.SendStreamResponse()
        add = response.responses.add
        for outcome in await self.outcomes.of([self._counted(caller, each) for each in frame.requests]):
            if isinstance(outcome, BrokerError):
                add().error.CopyFrom(send_error(outcome))
            else:
                add_results(add().response, outcome)
        return response.SerializeToString()

    def _counted(self, caller: Principal, request: send_pb2.SendRequest) -> Asked | BrokerError:
        """Each request of a frame is a call of the caller's key."""
        try:
            self.rates.spend(caller)
        except BrokerError as error:
            return error
        return caller, request


class SendStream:
    """One open stream."""

    def __init__(self, *, gate: Gate, frames_in_flight_max: int, answering: _Answering) -> None:
        self._gate = gate
        self._answering = answering
        self._slots = asyncio.Semaphore(frames_in_flight_max)
        # What is to be written, in order: answers that come to be, how it ends badly, or None for its end.
        self._answers: asyncio.Queue[asyncio.Future[bytes] | Exception | None] = asyncio.Queue()
        self._unwritten: set[asyncio.Future[bytes]] = set()
        self._closed = False

    async def run(self, conversation: Conversation) -> None:
        """Serve the stream to its end. Raises BrokerError for how it ends badly, after the answers before it."""
        # The reader is never cancelled: a receive that core still owns must be left to end by itself,
        # and it does once this call has its status.
        self._reader = asyncio.create_task(self._read(conversation))
        self._gate.ask_on_drain(self._stop_for_drain)
        try:
            while (answer := await self._next_answer()) is not None:
                await conversation.write(await answer)
                self._unwritten.discard(answer)
                self._slots.release()
        finally:
            self._gate.forget(self._stop_for_drain)
            self._closed = True
            self._slots.release()
            for answer in self._unwritten:
                answer.cancel()

    async def _next_answer(self) -> asyncio.Future[bytes] | None:
        answer = await self._answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _read(self, conversation: Conversation) -> None:
        try:
            while await self._read_one(conversation):
                pass
        except Exception as error:  # noqa: BLE001 - raised again within the call, after the answers before it
            self._answers.put_nowait(error)
        else:
            self._answers.put_nowait(None)

    async def _read_one(self, conversation: Conversation) -> bool:
        await self._slots.acquire()
        if self._closed:
            return False
        frame = await conversation.read()
        if frame is EOF:
            return False
        if self._gate.draining:  # not accepted and not answered: the caller learns it from the status
            raise BrokerError(ErrorReason.DRAINING)
        answer = asyncio.ensure_future(self._answering(_checked(frame)))
        self._unwritten.add(answer)
        self._answers.put_nowait(answer)
        return True

    def _stop_for_drain(self) -> None:
        self._answers.put_nowait(BrokerError(ErrorReason.DRAINING))


def _checked(frame: Any) -> send_pb2.SendStreamRequest:
    """The frame, when it is one and has a legal number of requests. Raises BrokerError when not."""
    if frame is MALFORMED:
        raise BrokerError(ErrorReason.MALFORMED_REQUEST)
    request: send_pb2.SendStreamRequest = frame
    count = len(request.requests)
    if not 1 <= count <= REQUESTS_MAX:
        rule = f"has {count:,} entries; 1 to {REQUESTS_MAX:,} are allowed"
        raise BrokerError(ErrorReason.INVALID_REQUEST, violations=[Violation("requests", rule)])
    recipients = sum(len(each.recipients) for each in request.requests)
    if recipients > RECIPIENTS_MAX:
        rule = f"have {recipients:,} recipients together; at most {RECIPIENTS_MAX:,} are allowed"
        raise BrokerError(ErrorReason.INVALID_REQUEST, violations=[Violation("requests", rule)])
    return request
