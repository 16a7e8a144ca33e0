"""Waiting for a hint, or for time to pass."""

import asyncio


async def set_within(event: asyncio.Event, seconds: float) -> None:
    """Return when the event is set, or after so many seconds, whichever comes first."""
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await event.wait()
    except TimeoutError:
        return
