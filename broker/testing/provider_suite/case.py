"""What a case of the provider suite is: an async body in an event loop of its own, whatever runs the tests."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any

Body = Callable[..., Coroutine[Any, Any, None]]


def case(body: Body) -> Callable[..., None]:
    """Make a test out of an async method. The author needs no plugin for async tests, and no mode of one."""

    @functools.wraps(body)
    def run(*arguments: Any, **fixtures: Any) -> None:
        __tracebackhide__ = True
        with asyncio.Runner() as runner:
            runner.run(body(*arguments, **fixtures))

    return run


def waits(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a case that lasts as long as the provider's own time limit; the kit's own tests look for it."""
    test.waits = True  # type: ignore[attr-defined]
    return test
