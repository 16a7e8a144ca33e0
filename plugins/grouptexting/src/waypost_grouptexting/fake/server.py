"""The fake on a socket: form requests in, bare numbers out, callbacks made; too many connections are turned away."""

import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from waypost_grouptexting.fake.service import NOT_FOUND, Forward, Service

ANSWER_S_MAX = 60.0
ANSWER_BYTES_MAX = 4_096
CONNECTIONS_PER_S_MAX = 2


@dataclass
class FakeServer:
    """A running fake. `url` is what the provider's `url` is set to; `refused` counts requests that met a 503."""

    service: Service
    http: aiohttp.ClientSession
    url: str = ""
    refused: int = 0
    connections: int = 0
    _begun_s: deque[float] = field(default_factory=lambda: deque(maxlen=CONNECTIONS_PER_S_MAX + 1))
    _known: set[int] = field(default_factory=set)

    async def say(self, phone: str, text: str) -> list[int]:
        """Somebody texts to the long code: the callbacks are made; answers their statuses."""
        return [await self._call(forward, phone) for forward in self.service.say(phone, text)]

    async def handle(self, request: web.Request) -> web.Response:
        """One request of the account's owner."""
        if self._hurries(request):
            self.refused += 1
            return web.Response(status=503, text="too many connections")
        fields = dict(request.query)
        if request.method == "POST":
            fields |= {name: str(text) for name, text in (await request.post()).items()}
        number = self.service.ask(request.method, request.match_info["operation"].strip("/"), fields)
        return web.Response(status=404) if number == NOT_FOUND else web.Response(text=str(number))

    async def hear(self, request: web.Request) -> web.Response:
        """For whoever develops: a phone says something, as `POST /say` with `phone` and `text`."""
        told = await request.post()
        statuses = await self.say(str(told.get("phone", "")), str(told.get("text", "")))
        return web.json_response({"callbacks": statuses})

    async def show(self, _request: web.Request) -> web.Response:
        """For whoever develops: what phones got."""
        texted = [{"phone": each.phone, "text": each.text, "by": each.by} for each in self.service.texted]
        return web.json_response({"credits": self.service.credits, "texted": texted})

    def _hurries(self, request: web.Request) -> bool:
        """Whether this request came over a new connection, and too soon after others did."""
        connection = id(request.transport)
        if connection in self._known:
            return False
        self._known.add(connection)
        self.connections += 1
        now_s = time.monotonic()
        self._begun_s.append(now_s)
        return len(self._begun_s) > CONNECTIONS_PER_S_MAX and now_s - self._begun_s[0] < 1

    async def _call(self, forward: Forward, phone: str) -> int:
        timeout = aiohttp.ClientTimeout(total=ANSWER_S_MAX)
        try:
            async with self.http.get(forward.url, params=forward.parameters, timeout=timeout) as answer:
                body = await answer.content.read(ANSWER_BYTES_MAX)
                self.service.answered(forward, phone, answer.status, body.decode(errors="replace"))
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0


@asynccontextmanager
async def serve(service: Service, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[FakeServer]:
    """A running fake; port 0 picks a free one."""
    async with aiohttp.ClientSession() as http:
        fake = FakeServer(service, http)
        app = web.Application()
        app.router.add_route("*", "/api/{operation:.*}", fake.handle)
        app.router.add_post("/say", fake.hear)
        app.router.add_get("/texted", fake.show)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            fake.url = f"http://{host}:{runner.addresses[0][1]}/api"
            yield fake
        finally:
            await runner.cleanup()
