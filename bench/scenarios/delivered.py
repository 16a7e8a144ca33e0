"""All the way to DELIVERED through the sandbox, until one subscriber has seen the last end."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bench.measure import Goal, Line, Run, interleave
from bench.stage import NO_LIMIT, Server, Stage
from bench.traffic import FRAME_REQUESTS

Load = Callable[[], Awaitable[tuple[Run, list[dict[str, Any]]]]]


async def measure(stage: Stage) -> Sequence[Line]:
    """Messages a second, from the first request to the last end."""
    scale = stage.scale
    async with stage.broker(stage.new_data_dir(), settings={}) as broker:

        async def echo(share: float) -> Run:
            return (await stage.calls(stage.reference, scale.seconds * share))[0]

        async def by_calls(share: float) -> Run:
            count = round(scale.calls_delivered * share)
            return await _to_the_last_end(stage, broker, lambda: stage.calls(broker, NO_LIMIT, count=count))

        async def by_frames(share: float) -> Run:
            frames = round(scale.frames_delivered * share)
            return await _to_the_last_end(
                stage, broker, lambda: stage.frames(broker, NO_LIMIT, frames=frames)
            )

        echoes, calls, frames = await interleave(scale.rounds, echo, by_calls, by_frames)
    many = f"{scale.frames_delivered * FRAME_REQUESTS:,} by SendStream"
    return [
        Line("delivered", "DELIVERED, by Send", "messages/s", calls, "echo", echoes, Goal(">=", 0.6)),
        Line("delivered", f"DELIVERED, {many}", "messages/s", frames, "echo", echoes, Goal(">=", 5)),
    ]


async def _to_the_last_end(stage: Stage, broker: Server, load: Load) -> Run:
    await stage.follower.ask("follow", **broker.place, subscribers=1, share="all")
    watch = stage.watch(broker)
    sent, answers = await load()
    seen = await stage.follower.ask("followed", ends=sent.operations)
    usage = watch.usage()
    seconds = seen["last_at"] - min(answer["began"] for answer in answers)
    return Run(sent.operations / seconds, usage, sent.operations)
