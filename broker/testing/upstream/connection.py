"""One connection to the fake upstream: requests are read, and answered rightly or wrongly."""

import asyncio
import socket
import struct
from collections.abc import Mapping
from typing import Protocol

import h11

from broker.testing.upstream.exchange import Answer, Request
from broker.testing.upstream.faults import (
    CloseAfterBody,
    Drip,
    Echo,
    Endless,
    Fault,
    Hang,
    Hold,
    Late,
    Moment,
    NotHttp,
    ResetAfterBody,
    ResetMidBody,
    ResetOnAccept,
    Say,
    Truncated,
)

READ_BYTES = 65_536
LOOK_EVERY_S = 0.002
RESETS = (ResetOnAccept, ResetMidBody, ResetAfterBody)


class Ended(Exception):
    """The connection is over."""


class Faults(Protocol):
    """What a connection asks of the upstream that it belongs to."""

    requests: list[Request]
    bytes_written: int

    def fault_at(self, moment: Moment, request: Request | None) -> Fault | None:
        """The fault that strikes now."""

    def answered(self, request: Request) -> Answer:
        """The right answer."""


class Conversation:
    """Request after request over one connection, until either side ends it."""

    def __init__(
        self, upstream: Faults, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self._upstream = upstream
        self._reader = reader
        self._writer = writer
        self._number = number
        self._http = h11.Connection(h11.SERVER)

    async def run(self) -> None:
        """Serve until the connection ends; a peer that breaks off or speaks no HTTP is nothing special."""
        try:
            await self._strike(self._upstream.fault_at(Moment.ACCEPTED, None), None)
            while True:
                request = await self._request()
                self._upstream.requests.append(request)
                fault = self._upstream.fault_at(Moment.WHOLE, request)
                await self._strike(fault, request)
                await self._answer(self._upstream.answered(request))
                if self._http.our_state is h11.MUST_CLOSE:
                    return
                self._http.start_next_cycle()
        except (Ended, ConnectionError, h11.RemoteProtocolError):
            return

    async def _request(self) -> Request:
        """The next request, whole."""
        head: h11.Request | None = None
        body = b""
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                await self._read_more()
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                await self._mid_body(head, body)
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                await self._mid_body(head, body)
                return self._seen(head, body)
            else:
                raise Ended

    async def _read_more(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            await self._write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))
        self._http.receive_data(await self._reader.read(READ_BYTES))

    async def _mid_body(self, head: h11.Request | None, body: bytes) -> None:
        assert head is not None
        await self._strike(self._upstream.fault_at(Moment.MID_BODY, self._seen(head, body)), None)

    def _seen(self, head: h11.Request, body: bytes) -> Request:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
        return Request(
            head.method.decode("ascii"), head.target.decode("latin-1"), headers, body, self._number
        )

    async def _answer(self, answer: Answer) -> None:
        """A right answer."""
        named = _with_length(answer.headers, len(answer.body)).items()
        headers = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in named]
        reply = h11.Response(status_code=answer.status, headers=headers)
        data = self._http.send(reply) or b""
        if answer.body and answer.status not in {204, 304}:
            data += self._http.send(h11.Data(data=answer.body)) or b""
        await self._write(data + (self._http.send(h11.EndOfMessage()) or b""))

    async def _strike(self, fault: Fault | None, request: Request | None) -> None:
        """Do what the fault says. Returns where the right answer is still to come."""
        if fault is None:
            return
        if isinstance(fault, RESETS):
            self._reset()
        elif isinstance(fault, Hang):
            await self._until_hung_up()
        elif isinstance(fault, Late):
            await asyncio.sleep(fault.seconds)
            return
        elif isinstance(fault, Hold):
            await _held(fault)
            return
        elif request is not None and not isinstance(fault, CloseAfterBody):
            await self._answer_wrongly(fault, request)
        raise Ended

    async def _answer_wrongly(self, fault: Fault, request: Request) -> None:
        if isinstance(fault, Say | Echo):
            said = fault.answer if isinstance(fault, Say) else _echo(fault, request)
            headers = {**said.headers, "connection": "close"}
            await self._answer(Answer(said.status, said.body, headers))
        elif isinstance(fault, NotHttp):
            await self._write(fault.data)
        elif isinstance(fault, Truncated):
            right = self._upstream.answered(request)
            await self._write(_head(right.status, right.headers, len(right.body) + 7) + right.body[:-1])
        elif isinstance(fault, Drip):
            await self._write(_head(200, _JSON, 1_000_000))
            while True:
                await self._write(b" ")
                await asyncio.sleep(fault.pause_s)
        elif isinstance(fault, Endless):
            await self._write(_head(200, _JSON, fault.bytes_max))
            for _ in range(fault.bytes_max // READ_BYTES):
                await self._write(b" " * READ_BYTES)

    async def _write(self, data: bytes | None) -> None:
        if data:
            self._writer.write(data)
            await self._writer.drain()
            self._upstream.bytes_written += len(data)

    def _reset(self) -> None:
        """Close so that the peer gets a reset instead of an end."""
        transport = self._writer.transport
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()

    async def _until_hung_up(self) -> None:
        """Keep the connection open and silent, as long as the peer does."""
        while await self._reader.read(READ_BYTES):
            pass


_JSON = {"content-type": "application/json"}


async def _held(hold: Hold) -> None:
    """Wait for the release. The event belongs to another thread, so it is looked at and not awaited."""
    for _ in range(round(hold.seconds_max / LOOK_EVERY_S)):
        if hold.release.is_set():
            return
        await asyncio.sleep(LOOK_EVERY_S)
    hold.expired.set()


def _echo(fault: Echo, request: Request) -> Answer:
    quoted = f'{{"error": "cannot process: {request.everything}"}}'
    return Answer.of_text(quoted, fault.status, "application/json")


def _with_length(headers: Mapping[str, str], length: int) -> dict[str, str]:
    return {"content-length": str(length), **{name.lower(): text for name, text in headers.items()}}


def _head(status: int, headers: Mapping[str, str], length: int) -> bytes:
    """A response's head, for answers that h11 would not send."""
    lines = [f"HTTP/1.1 {status} Answer", *(f"{k}: {v}" for k, v in _with_length(headers, length).items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
