"""A data directory for one run of the broker: there before it starts, gone after it stopped."""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

PREFIX = "waypost-ephemeral-"
"""The directory's name says what it is wherever it is shown, as in the line that the broker is ready."""


@contextmanager
def ephemeral_directory() -> Iterator[Path]:
    """A private directory that is removed at the end of the block, also when SIGTERM ends it.

    A broker that runs handles SIGTERM itself; until then, the default would leave the directory behind.
    """
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        with tempfile.TemporaryDirectory(prefix=PREFIX) as directory:
            yield Path(directory)
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
