"""The fake Bird on a socket: it answers over HTTP, and makes its webhooks' requests."""

import asyncio
import contextlib
import time
from collections import Counter
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from waypost_bird.fake.service import FakeBird, Webhook

HOST = "127.0.0.1"
BODY_BYTES_MAX = 4 * 1_048_576
ATTEMPTS_MAX = 10
LOOK_EVERY_S = 0.01
PAUSE_S = 0.2


class FakeServer:
    """`async with FakeServer(bird) as server`: `server.url` is its address.

    A webhook that is not answered with a 2xx is made again, `ATTEMPTS_MAX` times. `answers` counts what webhooks were
    answered with.
    """

    def __init__(self, bird: FakeBird, *, port: int = 0) -> None:
        self.bird = bird
        self.answers: Counter[int] = Counter()
        self._port = port
        self._idle = asyncio.Event()

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=BODY_BYTES_MAX)
        application.router.add_post("/phone", self._phone)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self._session = aiohttp.ClientSession()
        self._telling = asyncio.create_task(self._tell(), name="fake-bird.webhooks")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._telling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._telling
        await self._session.close()
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{HOST}:{self._port}"

    async def settled(self) -> None:
        """Wait until no webhook is left to be made."""
        self._idle.clear()
        await self._idle.wait()

    async def _answer(self, request: web.Request) -> web.Response:
        headers = {name.lower(): each for name, each in request.headers.items()}
        answer = self.bird.handle(request.method, request.path, headers, await request.read())
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    async def _phone(self, request: web.Request) -> web.Response:
        """Somebody writes: from, to and text of a form."""
        said = await request.post()
        channels = {channel.number: channel_id for channel_id, channel in self.bird.channels.items()}
        channel_id = channels.get(str(said.get("to", "")))
        if channel_id is None:
            return web.Response(status=404, text="no channel has that number\n")
        self.bird.say(str(said.get("text", "")), sender=str(said.get("from", "")), channel_id=channel_id)
        return web.Response(text="said\n")

    async def _tell(self) -> None:
        while True:
            while self.bird.webhooks:
                await self._deliver(self.bird.webhooks.popleft())
            self._idle.set()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _deliver(self, webhook: Webhook) -> None:
        for _ in range(ATTEMPTS_MAX):
            headers = self.bird.signed(webhook, int(time.time()))
            try:
                async with self._session.post(webhook.url, data=webhook.body, headers=headers) as response:
                    self.answers[response.status] += 1
                    if 200 <= response.status < 300:
                        return
            except aiohttp.ClientError:
                self.answers[0] += 1
            await asyncio.sleep(PAUSE_S)
