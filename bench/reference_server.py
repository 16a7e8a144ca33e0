"""What gRPC alone can do: the broker's messages and server options, and nothing behind them.

Run as `python -m bench.reference_server`; it says its address in one JSON line and ends with its stdin. With a
directory as its argument it is *durable*: it answers when what it was sent is on that directory's disk, as bytes.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import grpc.aio
import uvloop

from bench.child import say
from bench.raw_bytes import RawBytes
from bench.traffic import FRAME_REQUESTS, request
from broker.api.broker_service import FRAMES_IN_FLIGHT_MAX
from broker.api.gate import Gate, Lane
from broker.api.server import DEFAULT_LIMITS, server_options
from broker.settings import FeedSettings, IntakeSettings
from waypost.v1 import broker_service_pb2_grpc, event_pb2, send_pb2, status_pb2, subscribe_pb2

CONSTANT_KEY = "constant"
"""Who streams with this key gets the same prepared frame for each of its own, whatever is in it."""

EVENTS_A_FRAME = FeedSettings().frame_events_max
FRAMES_MAX = FRAMES_IN_FLIGHT_MAX

_RESULT = send_pb2.SendResult(
    message_id="01KAB3XQ8G000",
    status=status_pb2.MESSAGE_STATUS_ACCEPTED,
    recipient="+447700901000",
    client_reference="campaign-00",
    units=1,
)
_RESPONSE = send_pb2.SendResponse(results=[_RESULT])
_FRAME = send_pb2.SendStreamResponse(
    responses=[send_pb2.SendStreamResult(response=_RESPONSE) for _ in range(FRAME_REQUESTS)]
)


class Reference(broker_service_pb2_grpc.BrokerServiceServicer):
    """Answers at once, and decides and keeps nothing."""

    def __init__(self) -> None:
        self._numbers = count(1)

    async def Send(self, request: send_pb2.SendRequest, context: Any) -> send_pb2.SendResponse:  # noqa: N802
        """An echo."""
        del request, context
        return _RESPONSE

    async def SendStream(  # noqa: N802
        self, request_iterator: AsyncIterator[send_pb2.SendStreamRequest], context: Any
    ) -> AsyncIterator[send_pb2.SendStreamResponse]:
        """A frame of results for each frame of requests: each its own, or with the key CONSTANT_KEY a prepared one."""
        metadata = dict(context.invocation_metadata())
        answer = _prepared if metadata["authorization"] == f"Bearer {CONSTANT_KEY}" else self._echo
        async for frame in request_iterator:
            yield answer(frame)

    def _echo(self, frame: send_pb2.SendStreamRequest) -> send_pb2.SendStreamResponse:
        """What any server does that looks at its requests: each result has an id and tells what it is about."""
        return send_pb2.SendStreamResponse(
            responses=[
                send_pb2.SendStreamResult(
                    response=send_pb2.SendResponse(
                        results=[
                            send_pb2.SendResult(
                                recipient_index=index,
                                message_id=f"{next(self._numbers):013}",
                                status=status_pb2.MESSAGE_STATUS_ACCEPTED,
                                recipient=recipient.phone_number,
                                client_reference=request.client_reference,
                                units=1,
                            )
                            for index, recipient in enumerate(request.recipients)
                        ]
                    )
                )
                for request in frame.requests
            ]
        )

    async def Subscribe(  # noqa: N802
        self, request: subscribe_pb2.SubscribeRequest, context: Any
    ) -> AsyncIterator[subscribe_pb2.SubscribeResponse]:
        """An empty frame, then the same events again and again: as many as `after_cursor` says."""
        del context
        yield subscribe_pb2.SubscribeResponse(cursor="0")
        frame = subscribe_pb2.SubscribeResponse(events=[_event()] * EVENTS_A_FRAME, cursor="0")
        for _ in range(int(request.after_cursor or 0) // EVENTS_A_FRAME):
            yield frame


class Durable(Reference):
    """Decides nothing, and keeps the bytes that came: the least that a server does which promises not to lose them."""

    def __init__(self, raw_bytes: RawBytes) -> None:
        super().__init__()
        self._raw_bytes = raw_bytes

    async def Send(self, request: send_pb2.SendRequest, context: Any) -> send_pb2.SendResponse:  # noqa: N802
        """An echo of what was stored."""
        await self._raw_bytes.keep([request.SerializeToString()])
        return await super().Send(request, context)

    async def SendStream(  # noqa: N802
        self, request_iterator: AsyncIterator[send_pb2.SendStreamRequest], context: Any
    ) -> AsyncIterator[send_pb2.SendStreamResponse]:
        """The same for frames, each request a row of its own. While some are being stored, the next are read."""
        del context
        storing: asyncio.Queue[asyncio.Task[send_pb2.SendStreamResponse] | None] = asyncio.Queue(FRAMES_MAX)

        async def read() -> None:
            async for frame in request_iterator:
                await storing.put(asyncio.create_task(self._stored(frame)))
            await storing.put(None)

        reading = asyncio.create_task(read())
        while (answer := await storing.get()) is not None:
            yield await answer
        await reading

    async def _stored(self, frame: send_pb2.SendStreamRequest) -> send_pb2.SendStreamResponse:
        await self._raw_bytes.keep([each.SerializeToString() for each in frame.requests])
        return self._echo(frame)


def _prepared(_frame: send_pb2.SendStreamRequest) -> send_pb2.SendStreamResponse:
    return _FRAME


def _event() -> event_pb2.Event:
    sent = request(0)
    event = event_pb2.Event(sequence=1_000_000, account_id=_RESULT.message_id)
    event.time.GetCurrentTime()
    event.message.MergeFrom(
        event_pb2.MessageEvent(
            message_id=_RESULT.message_id,
            recipient=_RESULT.recipient,
            sender=sent.sender,
            client_reference=sent.client_reference,
            status=status_pb2.MESSAGE_STATUS_ACCEPTED,
            fact=status_pb2.MESSAGE_FACT_ACCEPTED,
            units=1,
        )
    )
    return event


def _gate() -> Gate:
    """What stands in for the broker's gate: its limits, since nothing else of it becomes an option."""
    calls_max, subscribers_max = IntakeSettings().calls_max, FeedSettings().subscribers_max
    lanes = SimpleNamespace(calls=Lane(calls_max), streams=Lane(subscribers_max + calls_max))
    return cast("Gate", lanes)


async def serve(durable_dir: str | None) -> None:
    """Serve until stdin ends."""
    service = Reference() if durable_dir is None else Durable(RawBytes(Path(durable_dir)))
    server = grpc.aio.server(options=server_options(_gate(), DEFAULT_LIMITS))
    broker_service_pb2_grpc.add_BrokerServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    say({"address": f"127.0.0.1:{port}"})
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(0)


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1] if len(sys.argv) > 1 else None))
