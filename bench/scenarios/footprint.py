"""A new broker that does nothing: how soon it is ready, and how much memory it holds."""

import asyncio
from collections.abc import Sequence

from bench.measure import Goal, Line, Run, interleave
from bench.procfs import resident_mb
from bench.stage import Server, Stage, reference_server

SETTLE_S = 0.5


async def measure(stage: Stage) -> Sequence[Line]:
    """Seconds from the command to the line that says ready, and resident megabytes after."""
    memory: dict[str, list[Run]] = {"reference": [], "ours": []}

    async def reference(_share: float) -> Run:
        async with reference_server(stage.directory) as server:
            return await _settled(server, memory["reference"])

    async def ours(_share: float) -> Run:
        async with stage.broker(stage.new_data_dir(), settings={}) as server:
            return await _settled(server, memory["ours"])

    bare, broker = await interleave(stage.scale.starts, reference, ours)
    return [
        # The goal is one of seconds, so nothing stands in for it.
        Line("footprint", "start to ready, new store", "s", broker, goal=Goal("<=", 1)),
        Line("footprint", "  beside the echo's", "s", broker, "echo", bare),
        Line("footprint", "resident, idle", "MB", memory["ours"][1:], "echo", memory["reference"][1:]),
    ]


async def _settled(server: Server, memory: list[Run]) -> Run:
    await asyncio.sleep(SETTLE_S)
    memory.append(Run(resident_mb(server.child.pid)))
    return Run(server.ready_s)
