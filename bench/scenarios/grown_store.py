"""SendStream into an empty store and into one of millions, and what the large one costs at start."""

from collections.abc import Sequence

from bench.measure import Arm, Goal, Line, Run, interleave
from bench.procfs import resident_mb
from bench.stage import Server, Stage

INSERT_S_MAX = 4.0


async def measure(stage: Stage) -> Sequence[Line]:
    """Messages a second, seconds, megabytes."""
    scale = stage.scale
    grown = stage.new_data_dir()
    await stage.fill(grown, scale.messages_stored)
    async with stage.broker(stage.new_data_dir()) as empty, stage.broker(grown) as full:
        started_mb = resident_mb(full.child.pid)
        plain_empty, plain_full, named_empty, named_full = await interleave(
            scale.rounds,
            _sender(stage, empty, request_ids=False),
            _sender(stage, full, request_ids=False),
            _sender(stage, empty, request_ids=True),
            _sender(stage, full, request_ids=True),
        )
        used_mb = resident_mb(full.child.pid)
    stored = f"{scale.messages_stored / 1e6:g} M stored"
    name = "grown-store"
    return [
        Line(
            name,
            f"SendStream, {stored}",
            "messages/s",
            plain_full,
            "empty store",
            plain_empty,
            Goal(">=", 0.7),
        ),
        Line(name, "  the same with request_id", "messages/s", named_full, "empty store", named_empty),
        Line(name, f"start to ready, {stored}", "s", [Run(full.ready_s)]),
        Line(name, f"resident, {stored}, started", "MB", [Run(started_mb)]),
        Line(name, f"resident, {stored}, after inserts", "MB", [Run(used_mb)]),
    ]


def _sender(stage: Stage, server: Server, *, request_ids: bool) -> Arm:
    """A count and not a time, so that the empty store stays nearly empty; what is slow is cut short."""

    async def send(share: float) -> Run:
        frames = round(stage.scale.frames_inserted * share)
        return (
            await stage.frames(server, seconds=INSERT_S_MAX * share, frames=frames, request_ids=request_ids)
        )[0]

    return send
