"""The fake upstream's server: a thread, an event loop, a socket, and a plan of faults."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from broker.testing.upstream.connection import Conversation
from broker.testing.upstream.exchange import Answer, Handler, Request
from broker.testing.upstream.faults import Fault, Moment

START_S_MAX = 10.0
HOST = "127.0.0.1"


def nothing_here(_request: Request) -> Answer:
    """The upstream of a test that did not say what it answers."""
    return Answer.of_text("this upstream was given no answers", status=404)


@dataclass(slots=True)
class Plan:
    """A fault for requests that fit. `left` counts how often it still strikes; None: always."""

    fault: Fault
    left: int | None
    when: Callable[[Request], bool] | None


class Upstream:
    """A running fake upstream: `with Upstream(answer) as upstream`.

    `requests` are those that arrived whole, in order, whatever was answered; `accepted` counts
    connections and `connections` those that are open now; `bytes_written` is what was sent back. `answer` can be replaced at any time. What it raises
    is kept in `defects` and answered with a 500. It listens on a free port, or on `port`.
    """

    def __init__(self, answer: Handler = nothing_here, *, port: int = 0) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.defects: list[Exception] = []
        self.accepted = 0
        self.connections = 0
        self.bytes_written = 0
        self._plans: list[Plan] = []
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._port = port
        self._silent: socket.socket | None = None

    def __enter__(self) -> Self:
        started: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="fake upstream", daemon=True)
        self._thread.start()
        self._port = started.result(START_S_MAX)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{HOST}:{self._port}"

    @property
    def refused_url(self) -> str:
        """Where connections are refused: a port that is taken, so that nobody else can begin to listen."""
        if self._silent is None:
            self._silent = socket.socket()
            self._silent.bind((HOST, 0))
        return f"http://{HOST}:{self._silent.getsockname()[1]}"

    def fail(
        self, fault: Fault, *, times: int | None = 1, when: Callable[[Request], bool] | None = None
    ) -> None:
        """Let a fault strike the next requests: so many of them, None for all, and only those that fit.

        A fault that strikes before a request was read cannot look at it, and takes whatever comes next.
        """
        with self._lock:
            self._plans.append(Plan(fault, times, when))

    def recover(self) -> None:
        """Forget all planned faults."""
        with self._lock:
            self._plans.clear()

    def fault_at(self, moment: Moment, request: Request | None) -> Fault | None:
        """The fault that strikes now; it is used up by the answer. For the server's own use."""
        with self._lock:
            for plan in self._plans:
                fits = plan.when is None or (request is not None and plan.when(request))
                if plan.fault.moment is moment and plan.left != 0 and fits:
                    if plan.left is not None:
                        plan.left -= 1
                    return plan.fault
        return None

    def answered(self, request: Request) -> Answer:
        """What the handler answers. For the server's own use."""
        try:
            return self.answer(request)
        except Exception as defect:  # noqa: BLE001 - a fake's mistake must not look like the provider's
            self.defects.append(defect)
            return Answer(500)

    def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._silent is not None:
            self._silent.close()
            self._silent = None
        if self._thread is not None and self._loop is not None and self._ending is not None:
            self._loop.call_soon_threadsafe(self._ending.set)
            self._thread.join()
            self._thread = None

    def _run(self, started: "Future[int]") -> None:
        try:
            asyncio.run(self._serve(started))
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
            raise

    async def _serve(self, started: "Future[int]") -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        tasks: set[asyncio.Task[Any]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            self.accepted += 1
            self.connections += 1
            try:
                await Conversation(self, reader, writer, self.accepted).run()
            except asyncio.CancelledError:
                return  # the upstream is closing; what waits is of no interest any more
            finally:
                self.connections -= 1
                tasks.discard(task)
                writer.close()

        server = await asyncio.start_server(serve, HOST, self._port)
        started.set_result(server.sockets[0].getsockname()[1])
        await self._ending.wait()
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await server.wait_closed()
