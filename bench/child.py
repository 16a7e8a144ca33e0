"""Processes of the benchmark: each is started by us, bounded in time, and ended by its pid."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ANSWER_S_MAX = 240.0
STOP_S_MAX = 20.0
LOG_BYTES_SHOWN = 2_000


def say(answer: Mapping[str, object]) -> None:
    """What a child answers its parent with: one line."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


class ChildFailed(RuntimeError):
    """A process ended, was late, or said that its job failed."""


class Child:
    """One process that answers in JSON lines on its stdout."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process
        self._log = log

    async def answer(self) -> dict[str, Any]:
        """Its next line."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise ChildFailed(f"{self.name} did not answer within {ANSWER_S_MAX:.0f} s") from None
        if not line:
            said = self._log.read_text(errors="replace")[-LOG_BYTES_SHOWN:]
            raise ChildFailed(f"{self.name} ended:\n{said}")
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise ChildFailed(f"{self.name}: {answer['failed']}")
        return answer

    async def ask(self, job: str, **arguments: object) -> dict[str, Any]:
        """Give it a job and wait for what came of it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"job": job, **arguments}).encode() + b"\n")
        await self._process.stdin.drain()
        return await self.answer()

    async def stop(self) -> None:
        """Ask it to end, and end it if it does not."""
        if self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(STOP_S_MAX):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def running(
    name: str,
    module: str,
    arguments: Sequence[str],
    directory: Path,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Child]:
    """`python -m module` for as long as the block lasts."""
    log = directory / f"{name}.log"
    with log.open("ab") as log_file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            cwd=ROOT,
            env=_environment(settings or {}),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log_file,
            start_new_session=True,  # Ctrl-C is for us, who then end each child in order
        )
    child = Child(name, process, log)
    try:
        yield child
    finally:
        await child.stop()


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Ours, without what would change the broker; byte code is kept, as it is where a broker is installed."""
    ours = {
        name: setting
        for name, setting in os.environ.items()
        if not name.startswith("WAYPOST_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return {**ours, **settings}
