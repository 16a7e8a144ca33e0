"""A load process: `python -m bench.caller` takes jobs as JSON lines and answers each with one.

Requests are serialised ahead and answers left as bytes wherever that is fair, so that the callers need
as little of the machine as they can.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from statistics import median
from typing import Any

import grpc.aio
import uvloop

from bench import traffic
from bench.child import say
from bench.following import Following, follow_request
from waypost.v1 import send_pb2

WINDOW_FRAMES = 8
CHECKED_EVERY = 16
"""Of the frames of answers, one in so many is parsed and looked at."""

_OPTIONS = (("grpc.max_receive_message_length", 64 * 1024 * 1024),)
SEND = "/waypost.v1.BrokerService/Send"
SEND_STREAM = "/waypost.v1.BrokerService/SendStream"

Answer = dict[str, Any]


class Caller:
    """Does the jobs. One channel is kept for each address."""

    def __init__(self) -> None:
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._calls: dict[bool, Iterator[bytes]] = {}
        self._frames: dict[bool, Iterator[bytes]] = {}
        self._following: Following | None = None

    async def unary(
        self, *, address: str, key: str, concurrency: int, seconds: float, count: int, request_ids: bool
    ) -> Answer:
        """Send one after the other, `concurrency` at a time, until the time or the count is over."""
        channel = self._channel(address)
        send: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(SEND)
        metadata = _metadata(key)
        bodies = self._calls.setdefault(request_ids, traffic.calls(with_request_id=request_ids))
        latencies: list[float] = []
        began = time.monotonic()
        left = count

        async def one_after_the_other() -> None:
            nonlocal left
            while left > 0 and (now := time.monotonic()) < began + seconds:
                left -= 1
                await send(next(bodies), metadata=metadata)
                latencies.append(time.monotonic() - now)

        async with asyncio.TaskGroup() as callers:
            for _ in range(concurrency):
                callers.create_task(one_after_the_other())
        return _counted(len(latencies), began) | {"p50_us": median(latencies) * 1e6}

    async def stream(
        self, *, address: str, key: str, seconds: float, frames: int, request_ids: bool
    ) -> Answer:
        """Send frames of 100 with a window of answers outstanding, until the time or the count is over."""
        channel = self._channel(address)
        send: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(SEND_STREAM)
        call = send(metadata=_metadata(key))
        bodies = self._frames.setdefault(request_ids, traffic.frames(with_request_id=request_ids))
        window = asyncio.Semaphore(WINDOW_FRAMES)
        began = time.monotonic()

        async def write() -> None:
            left = frames
            while left > 0 and time.monotonic() < began + seconds:
                left -= 1
                await window.acquire()
                await call.write(next(bodies))
            await call.done_writing()

        writing = asyncio.create_task(write())
        answered = 0
        async for answer in call:
            if answered % CHECKED_EVERY == 0:
                check_answers(answer)
            answered += 1
            window.release()
        await writing
        return _counted(answered * traffic.FRAME_REQUESTS, began)

    async def read(self, *, address: str, key: str, subscribers: int, events: int, start: str) -> Answer:
        """Have subscribers read a backlog of this many events each."""
        following = Following(self._channel(address), _metadata(key))
        began = time.monotonic()
        await following.start([follow_request(start)] * subscribers)
        await following.until(events=events * subscribers)
        answer = _counted(following.events, began)
        following.stop()
        return answer

    async def follow(self, *, address: str, key: str, subscribers: int, share: str) -> Answer:
        """Begin to follow what comes from now on; answers when all subscribers do."""
        requests = [
            follow_request("now", traffic.reference(number) if share == "one percent" else None)
            for number in range(subscribers)
        ]
        self._following = Following(self._channel(address), _metadata(key))
        await self._following.start(requests)
        return {}

    async def followed(self, *, ends: int) -> Answer:
        """Wait for this many ends, then stop following."""
        following, self._following = self._following, None
        assert following is not None
        await following.until(ends=ends)
        following.stop()
        return {"events": following.events, "ends": following.ends, "last_at": following.last_at}

    def _channel(self, address: str) -> grpc.aio.Channel:
        if address not in self._channels:
            self._channels[address] = grpc.aio.insecure_channel(address, options=_OPTIONS)
        return self._channels[address]


def check_answers(frame: bytes) -> None:
    """Raise when a request of a frame was not accepted."""
    answers = send_pb2.SendStreamResponse.FromString(frame).responses
    refused = next((each.error for each in answers if not each.HasField("response")), None)
    if refused is not None or len(answers) != traffic.FRAME_REQUESTS:
        raise RuntimeError(f"{len(answers)} answers, one of them {refused}")


def _metadata(key: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {key}"),)


def _counted(count: int, began: float) -> Answer:
    ended = time.monotonic()  # the same clock in every process of this machine
    return {"count": count, "began": began, "seconds": ended - began}


async def work() -> None:
    """Take jobs from stdin until it ends."""
    loop = asyncio.get_running_loop()
    caller = Caller()
    jobs: dict[str, Callable[..., Awaitable[Answer]]] = {
        name: getattr(caller, name) for name in ("unary", "stream", "read", "follow", "followed")
    }
    say({"ready": True})
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        arguments = json.loads(line)
        try:
            answer = await jobs[arguments.pop("job")](**arguments)
        except Exception as error:  # noqa: BLE001 - whatever failed is told to the benchmark
            cause = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            answer = {"failed": f"{type(cause).__name__}: {cause}"}
        say(answer)


if __name__ == "__main__":
    uvloop.run(work())
