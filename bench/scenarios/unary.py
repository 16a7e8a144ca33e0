"""Durable Sends, 64 at a time, with dispatch paused, against an echo of the same messages."""

from collections.abc import Sequence

from bench.measure import Goal, Line, Run, interleave
from bench.stage import Stage


async def measure(stage: Stage) -> Sequence[Line]:
    """Calls a second."""
    seconds = stage.scale.seconds
    async with stage.broker(stage.new_data_dir()) as broker:

        async def echo(share: float) -> Run:
            return (await stage.calls(stage.reference, seconds * share))[0]

        async def send(share: float) -> Run:
            return (await stage.calls(broker, seconds * share))[0]

        echoes, sends = await interleave(stage.scale.rounds, echo, send)
    return [Line("unary", "Send, 64 at a time, durable", "calls/s", sends, "echo", echoes, Goal(">=", 0.9))]
