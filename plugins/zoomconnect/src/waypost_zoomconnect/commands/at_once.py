"""Doing the same for many records, several at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from waypost_zoomconnect.commands.failures import CommandFailed

AT_ONCE_MAX = 8
Each = TypeVar("Each")


async def for_each(records: Iterable[Each], do: Callable[[Each], Awaitable[None]]) -> None:
    """Do it for every record. Raises the first CommandFailed; what had begun by then is cancelled."""
    waiting = iter(records)

    async def work() -> None:
        for each in waiting:
            await do(each)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE_MAX):
                group.create_task(work())
    except* CommandFailed as failures:
        raise failures.exceptions[0] from None
