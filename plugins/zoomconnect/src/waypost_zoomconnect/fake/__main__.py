"""Serve the fake: `python -m waypost_zoomconnect.fake --port 8095`.

It prints its address and the table to configure a broker with. Every second it lets time pass for its
messages, and posts delivery reports and replies to the addresses given with --report-url and --reply-url.
"""

import argparse
import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import uvicorn

from waypost_zoomconnect.fake.messages import callback_url
from waypost_zoomconnect.fake.server import FakeZoomConnect

EMAIL = "developer@example.org"
TOKEN = "fake-token"  # noqa: S105 - it opens nothing but this fake
URL_TOKEN = "fake-url-token"  # noqa: S105 - the same
POST_S_MAX = 10.0
BODY_BYTES_MAX = 16 * 1_048_576

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


def application(fake: FakeZoomConnect) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The fake as an ASGI application."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body") or len(body) > BODY_BYTES_MAX:
                break
        target = f"{scope['raw_path'].decode('ascii')}?{scope['query_string'].decode('ascii')}"
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        status, told, content = fake(scope["method"], target, headers, body)
        pairs = [(name.lower().encode(), value.encode()) for name, value in told.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": content})

    return answer


async def post_callbacks(
    fake: FakeZoomConnect, session: aiohttp.ClientSession, addresses: Mapping[str, str]
) -> list[int]:
    """Post what is due, each to the address of its kind, "report" or "reply"; answers the statuses.

    What was not taken stays due. What has no address is dropped, as ZoomConnect does.
    """
    due, fake.messages.callbacks = fake.messages.callbacks, []
    statuses = []
    for kind, told in due:
        if not addresses.get(kind):
            continue
        try:
            async with session.post(callback_url(addresses[kind], told)) as response:
                statuses.append(response.status)
        except aiohttp.ClientError:
            statuses.append(0)
        if statuses[-1] != 200:
            fake.messages.callbacks.append((kind, told))
    return statuses


async def serve(fake: FakeZoomConnect, listening: socket.socket, addresses: Mapping[str, str]) -> None:
    """Serve until interrupted, and let a second pass for its messages each second."""
    config = uvicorn.Config(application(fake), log_level="warning", lifespan="off")
    server = uvicorn.Server(config)

    async def live() -> None:
        timeout = aiohttp.ClientTimeout(total=POST_S_MAX)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                await asyncio.sleep(1)
                fake.messages.deliver()
                await post_callbacks(fake, session, addresses)

    living = asyncio.create_task(live())
    try:
        await server.serve([listening])
    finally:
        living.cancel()
        await asyncio.wait({living})


def main() -> None:
    """Read the options, tell where it is, and serve."""
    options = argparse.ArgumentParser(prog="python -m waypost_zoomconnect.fake", description=__doc__)
    options.add_argument("--port", type=int, default=0, help="where to listen; 0: any free port")
    options.add_argument("--report-url", default="", help="where delivery reports are posted")
    options.add_argument("--reply-url", default="", help="where replies are posted")
    wanted = options.parse_args()
    listening = socket.create_server(("127.0.0.1", wanted.port))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    print(told(address), flush=True)  # noqa: T201 - it is what the command is for
    fake = FakeZoomConnect(email=EMAIL, token=TOKEN, url_token=URL_TOKEN)
    with contextlib.suppress(KeyboardInterrupt), listening:
        asyncio.run(serve(fake, listening, {"report": wanted.report_url, "reply": wanted.reply_url}))


def told(address: str) -> str:
    """The address, and the table for a broker's settings."""
    return f"""A fake ZoomConnect serves at {address}

[providers.zoomconnect]
type = "zoomconnect"
base_url = "{address}"
email = "{EMAIL}"
token = "{TOKEN}"
url_token = "{URL_TOKEN}"
"""


if __name__ == "__main__":
    main()
