"""Durable Sends, 64 at a time, with dispatch paused, against echoes of the same messages: one that keeps nothing, and one that stores them."""

from collections.abc import Sequence

from bench.measure import Goal, Line, Run, interleave
from bench.stage import Stage


async def measure(stage: Stage) -> Sequence[Line]:
    """Calls a second."""
    seconds = stage.scale.seconds
    async with stage.broker(stage.new_data_dir()) as broker:

        async def echo(share: float) -> Run:
            return (await stage.calls(stage.reference, seconds * share))[0]

        async def durable(share: float) -> Run:
            return (await stage.calls(stage.durable, seconds * share))[0]

        async def send(share: float) -> Run:
            return (await stage.calls(broker, seconds * share))[0]

        echoes, durables, sends = await interleave(stage.scale.rounds, echo, durable, send)
    what = "Send, 64 at a time, durable"
    return [
        Line("unary", what, "calls/s", sends, "echo", echoes, Goal(">=", 0.9)),
        Line("unary", what, "calls/s", sends, "durable echo", durables),
        Line("unary", "the durable echo", "calls/s", durables, "echo", echoes),
    ]
