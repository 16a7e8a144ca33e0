"""What the broker lends a provider instance: its Context, and what has to be taken back at the end."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import structlog

from broker.delivery.registry import Instance
from broker.delivery.reports import Reporting
from broker.spi import Clock, Context
from broker.storage.keepsakes import ENTRIES_MAX, Keepsake, delete_keepsakes, put_keepsakes, read_keepsake
from broker.storage.store import Store

if TYPE_CHECKING:
    import aiohttp

KEY_CHARACTERS_MAX = 128
VALUE_BYTES_MAX = 65_536


class InstanceKeepsakes:
    """One instance's durable space, as `spi.Keepsakes` promises it."""

    def __init__(self, store: Store, instance: str) -> None:
        self._store = store
        self._instance = instance

    async def get(self, key: str) -> bytes | None:
        """What is kept under `key`, None for nothing."""
        return await self._store.read(read_keepsake, self._instance, _checked_key(key))

    async def put(self, key: str, value: bytes) -> None:
        """Keep `value`; raises ValueError past a limit."""
        item = Keepsake(self._instance, _checked_key(key), _checked_value(value))
        (fits,) = await self._store.write(put_keepsakes, [item])
        if not fits:
            raise ValueError(f"an instance has at most {ENTRIES_MAX} keepsakes")

    async def delete(self, key: str) -> None:
        """Forget what is kept under `key`."""
        await self._store.write(delete_keepsakes, [(self._instance, _checked_key(key))])


def _checked_key(key: object) -> str:
    """The key, if the store can hold it: a zero character or half a surrogate pair is in no text of it."""
    if (
        isinstance(key, str)
        and 0 < len(key) <= KEY_CHARACTERS_MAX
        and "\0" not in key
        and key.encode(errors="replace").decode() == key
    ):
        return key
    raise ValueError(f"a keepsake's key is 1 to {KEY_CHARACTERS_MAX} characters of text")


def _checked_value(value: object) -> bytes:
    if isinstance(value, bytes) and len(value) <= VALUE_BYTES_MAX:
        return value
    raise ValueError(f"a keepsake is at most {VALUE_BYTES_MAX} bytes")


class Lender:
    """Makes the instances' contexts, and closes what was opened for them."""

    def __init__(
        self, store: Store, clock: Clock, reports: Reporting, callback_url_of: Callable[[str], str]
    ) -> None:
        self._store = store
        self._clock = clock
        self._reports = reports
        self._callback_url_of = callback_url_of
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    def lend(self, instance: Instance) -> Context:
        """The context to start an instance with."""
        return Context(
            instance=instance.name,
            log=structlog.get_logger(f"waypost.provider.{instance.type}").bind(instance=instance.name),
            clock=self._clock,
            report=partial(self._reports.report, instance.name),
            keepsakes=InstanceKeepsakes(self._store, instance.name),
            http=partial(self._session, instance.name),
            callback_url=self._callback_url_of(instance.name),
        )

    async def close(self) -> None:
        """Close the instances' sessions, once all of them have stopped."""
        sessions = list(self._sessions.values())
        self._sessions.clear()
        await asyncio.gather(*(session.close() for session in sessions))

    def _session(self, instance: str) -> "aiohttp.ClientSession":
        session = self._sessions.get(instance)
        if session is None or session.closed:
            from broker.delivery.upstream_http import open_session

            session = self._sessions[instance] = open_session()
        return session
