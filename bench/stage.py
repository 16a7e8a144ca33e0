"""What every scenario plays on: the reference server, the load processes, and brokers on data of their own."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from bench.child import Child, running
from bench.measure import Run
from bench.procfs import Watch
from bench.scale import Scale

NO_LIMIT = 10**9
PAUSED = {"WAYPOST_DELIVERY__PAUSED": "true"}


@dataclass(frozen=True, slots=True)
class Server:
    """A broker or the reference, ready to be called."""

    child: Child
    address: str
    key: str
    ready_s: float

    @property
    def place(self) -> dict[str, str]:
        """How a load process is told where it is."""
        return {"address": self.address, "key": self.key}


@dataclass(frozen=True, slots=True)
class Stage:
    """`callers` make the load; `follower` subscribes, so that it takes no time from them.

    `durable` is a reference that stores what it was sent. `store_url` is that of a PostgreSQL database, where there is one.
    """

    scale: Scale
    directory: Path
    reference: Server
    durable: Server
    callers: Sequence[Child]
    follower: Child
    store_url: str
    _numbers: Any

    def new_data_dir(self) -> Path:
        """A path of its own for one store."""
        return self.directory / f"data-{next(self._numbers)}"

    @asynccontextmanager
    async def broker(self, data_dir: Path, settings: Mapping[str, str] = PAUSED) -> AsyncIterator[Server]:
        """A broker, by default one that stores messages and hands none over."""
        async with serving("broker", "broker", data_dir, settings) as server:
            yield server

    async def fill(self, data_dir: Path, messages: int) -> None:
        """A broker makes the store, then a process of its own fills it while nobody serves it."""
        async with self.broker(data_dir):
            pass
        arguments = [str(data_dir), str(messages)]
        async with running("fill", "bench.fill", arguments, self.directory) as filling:
            await filling.answer()

    async def calls(
        self, server: Server, seconds: float, *, concurrency: int = 64, count: int = NO_LIMIT
    ) -> tuple[Run, list[dict[str, Any]]]:
        """Unary Sends: how many a second, and what each caller said."""
        return await self._load(
            server,
            "unary",
            seconds=seconds,
            concurrency=concurrency // len(self.callers),
            count=count // len(self.callers),
            request_ids=False,
        )

    async def frames(
        self, server: Server, seconds: float, *, frames: int = NO_LIMIT, request_ids: bool = False
    ) -> tuple[Run, list[dict[str, Any]]]:
        """SendStream: how many messages a second, and what each caller said."""
        return await self._load(
            server, "stream", seconds=seconds, frames=frames // len(self.callers), request_ids=request_ids
        )

    def watch(self, server: Server) -> Watch:
        """Count what the server and all load processes use from now on."""
        return Watch(server.child.pid, [child.pid for child in (*self.callers, self.follower)])

    async def _load(self, server: Server, job: str, **arguments: Any) -> tuple[Run, list[dict[str, Any]]]:
        watch = self.watch(server)
        answers = await asyncio.gather(
            *(caller.ask(job, **server.place, **arguments) for caller in self.callers)
        )
        usage = watch.usage()
        operations = sum(answer["count"] for answer in answers)
        rate = sum(answer["count"] / answer["seconds"] for answer in answers)
        return Run(rate, usage, operations), answers


@asynccontextmanager
async def serving(
    name: str, module: str, data_dir: Path, settings: Mapping[str, str]
) -> AsyncIterator[Server]:
    """A broker on a data directory, and how long it took to be ready."""
    arguments = ["serve", "--json", "--listen", "127.0.0.1:0", "--data-dir", str(data_dir)]
    began = time.monotonic()
    async with running(name, module, arguments, data_dir.parent, settings) as child:
        ready = await child.answer()
        ready_s = time.monotonic() - began
        key = (data_dir / "admin.key").read_text(encoding="ascii").strip()
        yield Server(child, ready["address"], key, ready_s)


@asynccontextmanager
async def reference_server(directory: Path, durable_dir: Path | None = None) -> AsyncIterator[Server]:
    """The reference, one that stores what it was sent where it has a directory; and how long it took to be ready."""
    began = time.monotonic()
    name, arguments = ("reference", []) if durable_dir is None else ("durable", [str(durable_dir)])
    async with running(name, "bench.reference_server", arguments, directory) as child:
        ready = await child.answer()
        yield Server(child, ready["address"], "none", time.monotonic() - began)


@asynccontextmanager
async def stage(scale: Scale, directory: Path, store_url: str = "") -> AsyncIterator[Stage]:
    """Everything that outlives one scenario."""
    async with (
        reference_server(directory) as reference,
        reference_server(directory, directory / "durable") as durable,
        _caller("follower", directory) as follower,
        _callers(scale.callers, directory) as callers,
    ):
        yield Stage(scale, directory, reference, durable, callers, follower, store_url, count())


@asynccontextmanager
async def _caller(name: str, directory: Path) -> AsyncIterator[Child]:
    async with running(name, "bench.caller", [], directory) as child:
        await child.answer()
        yield child


@asynccontextmanager
async def _callers(number: int, directory: Path) -> AsyncIterator[list[Child]]:
    if number == 0:
        yield []
        return
    async with (
        _caller(f"caller-{number}", directory) as first,
        _callers(number - 1, directory) as others,
    ):
        yield [first, *others]
