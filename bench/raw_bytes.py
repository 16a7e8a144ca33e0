"""The least that keeps what comes: rows of bytes in one SQLite table, and one commit for all that wait.

It is to a durable call what the echo is to a call: no server that answers after `fsync` and shares its commits needs
less. It has the writer thread, the lingering and the pragmas of the broker's own store.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import apsw

from broker.app import SWITCH_INTERVAL_S
from broker.settings import StoreSettings
from broker.storage.store import LINGER_CALLS, LINGER_CALLS_MIN, LINGER_TIMES_MAX

ROWS_MAX = 10_000
"""Of one statement: SQLite binds 32,766 values at most."""


class RawBytes:
    """A table in a directory of its own. Make it within the event loop that uses it; it ends with its process."""

    def __init__(self, data_dir: Path) -> None:
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        data_dir.mkdir(parents=True)
        self._loop = asyncio.get_running_loop()
        self._linger_s = StoreSettings().linger_s
        self._waiting: list[tuple[Sequence[bytes], asyncio.Future[None]]] = []
        self._came = threading.Condition()
        self._connection = apsw.Connection(str(data_dir / "raw.db"))
        self._connection.pragma("journal_mode", "wal")
        self._connection.pragma("synchronous", "full")
        self._connection.execute("CREATE TABLE raw (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL)")
        threading.Thread(target=self._write, name="raw-write", daemon=True).start()

    async def keep(self, rows: Sequence[bytes]) -> None:
        """Return when they are on disk."""
        kept = self._loop.create_future()
        with self._came:
            self._waiting.append((rows, kept))
            self._came.notify()
        await kept

    def _write(self) -> None:
        calls = 0
        while True:
            with self._came:
                self._came.wait_for(lambda: self._waiting)
            calls = max(calls, len(self._waiting))  # those of the last commit come again
            if calls >= LINGER_CALLS_MIN:
                time.sleep(self._linger_s * min(LINGER_TIMES_MAX, 1 + calls / LINGER_CALLS))
            with self._came:
                group, self._waiting = self._waiting, []
            calls = len(group)
            rows = [each for several, _ in group for each in several]
            with self._connection:
                for start in range(0, len(rows), ROWS_MAX):
                    some = rows[start : start + ROWS_MAX]
                    values = ",".join(["(?)"] * len(some))
                    self._connection.execute(f"INSERT INTO raw (bytes) VALUES {values}", some)
            self._loop.call_soon_threadsafe(_tell, [kept for _, kept in group])


def _tell(kept: Sequence["asyncio.Future[None]"]) -> None:
    for each in kept:
        if not each.done():
            each.set_result(None)
