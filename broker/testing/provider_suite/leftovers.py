"""What a provider left behind: tasks, connections, warnings, errors that only the event loop heard of."""

import asyncio
import gc
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from broker.testing.upstream import Upstream

WAIT_S = 5.0
LOOK_EVERY_S = 0.005


async def until(condition: Callable[[], object]) -> bool:
    """Wait up to WAIT_S until something is so; whether it came to be so."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if condition():
            return True
        await asyncio.sleep(LOOK_EVERY_S)
    return bool(condition())


@dataclass
class Leftovers:
    """The tasks that were there before, and what has gone wrong unseen since."""

    before: set["asyncio.Task[Any]"] = field(default_factory=asyncio.all_tasks)
    errors: list[str] = field(default_factory=list)

    async def check(self, upstream: Upstream | None = None, *, connections_max: int = 0) -> None:
        """Fail when a task or a connection is left after a moment, or something was warned of."""
        await until(lambda: not self.tasks)
        assert [] == self.tasks, "tasks are still running"
        if upstream is not None:
            await until(lambda: upstream.connections <= connections_max)
            assert upstream.connections <= connections_max, "connections to the upstream are still open"
        gc.collect()
        await asyncio.sleep(0)
        assert [] == self.errors, "something failed, or was never closed, and nobody looked"

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks that came since."""
        return sorted(task.get_name() for task in asyncio.all_tasks() - self.before if not task.done())


@contextmanager
def watching() -> Iterator[Leftovers]:
    """Look at what is left behind in the block."""
    gc.collect()  # what earlier tests left is theirs
    freezes = not gc.get_freeze_count()
    if freezes:
        gc.freeze()  # so that the next collection looks at what is new, which is a hundred times faster
    left = Leftovers()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, told: left.errors.append(str(told.get("message"))))
    with warnings.catch_warnings():
        warnings.simplefilter("always")

        def keep(message: Any, category: type[Warning], *_rest: Any, **_more: Any) -> None:
            if issubclass(category, ResourceWarning | RuntimeWarning):
                left.errors.append(f"{category.__name__}: {message}")

        warnings.showwarning = keep
        try:
            yield left
        finally:
            loop.set_exception_handler(None)
            if freezes:
                gc.unfreeze()
