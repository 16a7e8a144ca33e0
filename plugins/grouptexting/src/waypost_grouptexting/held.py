"""Callbacks whose answer Group Texting sends to whoever wrote: held open until there is something to answer.

An answer is a message like any other: the broker records it, counts it and hands it to `submit`. It leaves as the
answer to the callback where that is still open, and as a message of its own where it is not.
"""

import asyncio
from collections import defaultdict, deque

from broker.spi import CallbackAnswer, LateAnswer

WRITTEN_S_MAX = 3.0
"""From an answer to the word that it was written; after that, nobody can tell."""


class HeldCallback(LateAnswer):
    """One callback that waits up to `wait_s` for what its writer is answered."""

    def __init__(self, book: "HeldCallbacks", writer: str, wait_s: float) -> None:
        self.writer = writer
        self._book = book
        self._wait_s = wait_s
        loop = asyncio.get_running_loop()
        self._text: asyncio.Future[str] = loop.create_future()
        self._written: asyncio.Future[bool] = loop.create_future()

    async def answer(self) -> CallbackAnswer:
        """The text, once there is one; nothing where there is none in time."""
        self._book.add(self)
        try:
            await asyncio.wait({self._text}, timeout=self._wait_s)
        finally:
            self._book.remove(self)
        if not self._text.done():
            return CallbackAnswer()
        return CallbackAnswer(body=self._text.result().encode())

    def written(self, whole: bool) -> None:
        """The broker has written the answer, or could not."""
        if not self._written.done():
            self._written.set_result(whole)

    def give(self, text: str) -> None:
        """Answer with this."""
        self._text.set_result(text)

    def release(self) -> None:
        """Wait no longer."""
        if not self._text.done():
            self._text.set_result("")

    async def was_written(self) -> bool | None:
        """Whether the text went out; None where nobody can tell."""
        await asyncio.wait({self._written}, timeout=WRITTEN_S_MAX)
        return self._written.result() if self._written.done() else None


class HeldCallbacks:
    """Those that are open now, by who wrote; at most `held_max`."""

    def __init__(self, wait_s: float, held_max: int) -> None:
        self._wait_s = wait_s
        self._held_max = held_max
        self._count = 0
        self._open: defaultdict[str, deque[HeldCallback]] = defaultdict(deque)

    def hold(self, writer: str) -> HeldCallback | None:
        """One to hold open; None where none may be: what is answered leaves as a message of its own."""
        if not self._wait_s or self._count >= self._held_max:
            return None
        return HeldCallback(self, writer, self._wait_s)

    def add(self, held: HeldCallback) -> None:
        """It is open from now on."""
        self._open[held.writer].append(held)
        self._count += 1

    def remove(self, held: HeldCallback) -> None:
        """It is open no more."""
        self._count -= 1
        waiting = self._open[held.writer]
        if held in waiting:
            waiting.remove(held)
        if not waiting:
            del self._open[held.writer]

    def take(self, writer: str) -> HeldCallback | None:
        """The oldest that waits for an answer to this writer; nobody else gets it."""
        waiting = self._open.get(writer)
        return waiting.popleft() if waiting else None

    def release(self) -> None:
        """Let all of them go."""
        for waiting in list(self._open.values()):
            for held in waiting:
                held.release()
