"""The disk of the data directory: how fast it makes writes durable, and how much room it has."""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from broker.cli.doctor.findings import Finding, fail, ok, shown_bytes, warn

SYNCS = 20
PAGE_BYTES = 4_096
SYNC_MS_MAX = 10.0
"""Beyond this a single Send waits longer for the disk than a caller likes to wait."""

FREE_BYTES_MIN = 1_000_000_000
FREE_SHARE_MIN = 0.05


def nearest_existing(directory: Path) -> Path:
    """The directory, or the closest above it that is there: where the broker would make it."""
    path = directory.absolute()
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def check_sync(data_dir: Path) -> Finding:
    """How long a durable write takes."""
    place = nearest_existing(data_dir)
    try:
        return judge_sync(sync_times_ms(place))
    except OSError as error:
        return fail(
            "fsync", f"cannot write in {place}: {error.strerror}", "let the broker's user write there"
        )


def sync_times_ms(directory: Path) -> list[float]:
    """The times of some appended pages, each made durable, in a nameless file that leaves nothing behind."""
    synced = getattr(os, "fdatasync", os.fsync)  # macOS has only the latter
    page = os.urandom(PAGE_BYTES)
    times = []
    with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
        for _ in range(SYNCS):
            began = time.perf_counter()
            file.write(page)
            synced(file.fileno())
            times.append((time.perf_counter() - began) * 1_000)
    return times


def judge_sync(times_ms: Sequence[float]) -> Finding:
    """By the median: one slow write among many is nothing."""
    median_ms = statistics.median(times_ms)
    detail = f"{median_ms:.2f} ms for a durable write (median of {len(times_ms)})"
    if median_ms <= SYNC_MS_MAX:
        return ok("fsync", detail)
    return warn("fsync", detail, "each answer waits for the disk: put the data directory on a faster one")


def check_space(data_dir: Path) -> Finding:
    """How much room there is."""
    place = nearest_existing(data_dir)
    try:
        usage = shutil.disk_usage(place)
    except OSError as error:
        return fail("disk", f"{place}: {error.strerror}", "mend the file system, or choose another place")
    return judge_space(usage.free, usage.total)


def judge_space(free: int, total: int) -> Finding:
    """In bytes and as a share."""
    share = free / total if total else 0.0
    detail = f"{shown_bytes(free)} free of {shown_bytes(total)} ({share:.0%})"
    if free >= FREE_BYTES_MIN and share >= FREE_SHARE_MIN:
        return ok("disk", detail)
    return warn("disk", detail, "make room: a full disk stops the broker from accepting messages")
