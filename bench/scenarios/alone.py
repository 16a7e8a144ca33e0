"""One Send at a time: what a lone caller waits, against an echo and one fdatasync of the same disk."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.measure import Goal, Line, Run, interleave
from bench.stage import Server, Stage

PAGE = b"\0" * 4_096
PAGES = 256
SYNCS = 300


async def measure(stage: Stage) -> Sequence[Line]:
    """The median latency in microseconds."""
    data_dir = stage.new_data_dir()
    async with stage.broker(data_dir) as broker:

        async def echo(share: float) -> Run:
            return await _latency(stage, stage.reference, share)

        async def sync(share: float) -> Run:
            return Run(fdatasync_us(data_dir / "fdatasync", round(SYNCS * share)))

        async def send(share: float) -> Run:
            return await _latency(stage, broker, share)

        echoes, syncs, sends = await interleave(stage.scale.rounds, echo, sync, send)
    both = [
        Run(one.figure + other.figure, one.usage, one.operations)
        for one, other in zip(echoes, syncs, strict=True)
    ]
    return [
        Line("alone", "Send, one at a time, p50", "µs", sends, "echo + fdatasync", both, Goal("<=", 2)),
        Line("alone", "  of which fdatasync, p50", "µs", syncs),
    ]


async def _latency(stage: Stage, server: Server, share: float) -> Run:
    run, answers = await stage.calls(server, stage.scale.seconds / 2 * share, concurrency=1)
    return Run(median(answer["p50_us"] for answer in answers), run.usage, run.operations)


def fdatasync_us(path: Path, times: int) -> float:
    """Median of writing one page over another and having it on disk, as a WAL that was reset does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, PAGE * PAGES)
        os.fsync(descriptor)
        took = []
        for number in range(times):
            began = time.perf_counter()
            os.pwrite(descriptor, PAGE, number % PAGES * len(PAGE))
            os.fdatasync(descriptor)
            took.append(time.perf_counter() - began)
        return median(took) * 1e6
    finally:
        os.close(descriptor)
