"""SendStream with 100 requests a frame, dispatch paused, against bare streams and against bare SQLite."""

from collections.abc import Sequence
from dataclasses import replace

from bench.measure import Goal, Line, Run, interleave
from bench.raw_rows import RawRows
from bench.reference_server import CONSTANT_KEY
from bench.stage import Stage


async def measure(stage: Stage) -> Sequence[Line]:
    """Messages a second."""
    seconds = stage.scale.seconds
    raw_rows = RawRows(stage.scale.rows_raw)
    async with stage.broker(stage.new_data_dir()) as broker:

        async def bare(share: float) -> Run:
            return (await stage.frames(stage.reference, seconds * share))[0]

        async def constant(share: float) -> Run:
            return (await stage.frames(replace(stage.reference, key=CONSTANT_KEY), seconds * share))[0]

        async def durable(share: float) -> Run:
            return (await stage.frames(stage.durable, seconds * share))[0]

        async def send(share: float) -> Run:
            return (await stage.frames(broker, seconds * share))[0]

        async def rows(share: float) -> Run:
            return Run(raw_rows.insert(stage.new_data_dir(), share))

        arms = (bare, constant, durable, send, rows)
        bares, constants, durables, sends, inserts = await interleave(stage.scale.rounds, *arms)
    what = "SendStream, 100 a frame, durable"
    return [
        Line("frames", what, "messages/s", sends, "bare stream", bares, Goal(">=", 0.25)),
        Line("frames", what, "messages/s", sends, "durable stream", durables),
        Line("frames", "the durable stream", "messages/s", durables, "bare stream", bares),
        Line("frames", what, "messages/s", sends, "constant frames", constants),
        Line("frames", what, "messages/s", sends, "bare SQLite", inserts),
    ]
