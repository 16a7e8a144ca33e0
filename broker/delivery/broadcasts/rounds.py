"""Rounds of work on all broadcasts, one after another."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from broker.delivery.waking import set_within
from broker.errors import BrokerError

log = structlog.get_logger("waypost.broadcasts")

IDLE_S_MAX = 5.0
STORE_RETRY_S = 1.0


class Rounds:
    """A hint ends the wait for the next round."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def hint(self) -> None:
        """A broadcast may have something to do."""
        self._woken.set()

    async def run(self, one: Callable[[], Awaitable[float]]) -> NoReturn:
        """Run rounds, until cancelled; each answers how long nothing more will be to do, in seconds."""
        while True:
            self._woken.clear()
            try:
                idle_s = await one()
            except BrokerError as error:
                log.error("broadcasts.store_failed", error=str(error), retry_s=STORE_RETRY_S)
                idle_s = STORE_RETRY_S
            if idle_s > 0:
                await set_within(self._woken, idle_s)
