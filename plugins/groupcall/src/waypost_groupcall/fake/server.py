"""The fake Messenger on a socket: a thread with an event loop of its own, which also makes the callbacks."""

import asyncio
import threading
from concurrent.futures import Future
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from waypost_groupcall.fake.calling import address, parameters
from waypost_groupcall.fake.messenger import FakeGroupcall, Taken

HOST = "127.0.0.1"
START_S_MAX = 10.0
CALLBACK_TRIES = 5
CALLBACK_PAUSE_S = 0.2
BODY_BYTES_MAX = 32 * 1024 * 1024


class Server:
    """A fake that serves: `with Server(FakeGroupcall()) as server: ... server.url`.

    Each message that it takes is reported on to its callback address, `callback_after_s` after the answer.
    """

    def __init__(self, fake: FakeGroupcall, *, port: int = 0, callback_after_s: float = 0.05) -> None:
        self.fake = fake
        self.url = ""
        self._port = port
        self._callback_after_s = callback_after_s
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._calls: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        started: Future[str] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="fake groupcall", daemon=True)
        self._thread.start()
        self.url = started.result(START_S_MAX)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._loop is not None
        assert self._ending is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    def call(self, taken: Taken, **more: str) -> int:
        """Call back about a message with further parameters, as a reply's, and wait; the status of the answer."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(self._call(taken, more), self._loop).result(START_S_MAX)

    def _run(self, started: "Future[str]") -> None:
        try:
            asyncio.run(self._serve(started))
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
            raise

    async def _serve(self, started: "Future[str]") -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, HOST, self._port)
        await site.start()
        started.set_result(f"http://{HOST}:{runner.addresses[0][1]}")
        await self._ending.wait()
        for task in self._calls:
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        before = len(self.fake.taken)
        reply = self.fake.handle(request.method, request.path, await request.read())
        for taken in self.fake.taken[before:]:
            task = asyncio.create_task(self._report(taken))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        return web.json_response(reply.document, status=reply.status)

    async def _report(self, taken: Taken) -> None:
        """Say what became of a message, until somebody listens."""
        if not taken.fields.get("callbackurl"):
            return
        await asyncio.sleep(self._callback_after_s)
        for _ in range(CALLBACK_TRIES):
            if await self._call(taken, {}) < 500:
                return
            await asyncio.sleep(CALLBACK_PAUSE_S)

    async def _call(self, taken: Taken, more: dict[str, str]) -> int:
        said = parameters(taken, *self.fake.status_of(taken)) | more
        url = address(str(taken.fields["callbackurl"]), said)
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as response:
                return response.status
        except aiohttp.ClientError:
            return 599
