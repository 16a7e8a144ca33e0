"""A client of a real broker, and what its tests do to either."""

import asyncio
import contextlib
import signal

import pytest

import waypost
from waypost import SendRequest

NUMBER = "+447700900000"
REJECTED = "+447700900001"


@pytest.fixture
async def client(broker):
    """Of the session's broker."""
    async with waypost.Client(broker.address, key=broker.key) as connected:
        yield connected


def requests(reference: str, count: int, **fields) -> list[SendRequest]:
    """So many requests, told apart by their client_reference."""
    return [
        SendRequest("Hello", to=NUMBER, client_reference=f"{reference}-{number}", tags=[reference], **fields)
        for number in range(count)
    ]


async def kill_and_start(broker) -> None:
    """Kill it with -9, and start it again on the same port."""
    await asyncio.to_thread(broker.kill)
    await asyncio.to_thread(broker.start)


@contextlib.contextmanager
def stopped(broker):
    """A broker that does nothing, and whose connections stay open."""
    broker.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        broker.process.send_signal(signal.SIGCONT)


async def stays_pending(future) -> bool:
    """Whether it is still not done after everything that could happen had its chance to."""
    done, _ = await asyncio.wait([future], timeout=0.5)
    return not done


async def until(condition) -> None:
    """Wait until it holds; the test's own time limit is the only one."""
    while not condition():  # noqa: ASYNC110 - what is waited for has no event to tell of it
        await asyncio.sleep(0.02)


async def failure_of(call) -> waypost.WaypostError:
    """How a call fails."""
    with pytest.raises(waypost.WaypostError) as raised:
        await call
    return raised.value


async def stream_one(client) -> None:
    """Send one request by a stream of its own."""
    async with client.send_stream() as stream:
        await stream.send("Hello", to=NUMBER)


async def until_ended(events, count: int):
    """The events until so many messages have ended."""
    async for event in events:
        yield event
        count -= event.end
        if not count:
            return
