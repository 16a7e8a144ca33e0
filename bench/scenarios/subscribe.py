"""Subscribe: a backlog to one and to a hundred readers, and what a hundred of them cost the senders."""

from collections.abc import Sequence

from bench.measure import Arm, Goal, Line, Run, interleave
from bench.stage import Server, Stage
from bench.traffic import FRAME_REQUESTS

SUBSCRIBERS = 100


async def measure(stage: Stage) -> Sequence[Line]:
    """Events a second, and calls a second."""
    return [*await _backlogs(stage), *await _send_beside_subscribers(stage)]


async def _backlogs(stage: Stage) -> list[Line]:
    scale = stage.scale
    lines = []
    for subscribers, events in ((1, scale.backlog_to_one), (SUBSCRIBERS, scale.backlog_to_hundred)):
        # A bare stream is so fast to one reader that it needs more of them to be measured at all.
        bare_events = events * (10 if subscribers == 1 else 1)
        async with stage.broker(stage.new_data_dir()) as broker:
            await stage.frames(broker, seconds=60, frames=events // FRAME_REQUESTS)
            bare, ours = await interleave(
                scale.rounds,
                _reader(stage, stage.reference, subscribers, bare_events, start=str(bare_events)),
                _reader(stage, broker, subscribers, events, start="beginning"),
            )
        what = f"Subscribe, a backlog to {subscribers}"
        lines.append(Line("subscribe", what, "events/s", ours, "bare stream", bare))
    return lines


def _reader(stage: Stage, server: Server, subscribers: int, events: int, *, start: str) -> Arm:
    """Readers always read all of it: a share of a backlog has no meaning of its own."""

    async def read(_share: float) -> Run:
        watch = stage.watch(server)
        answer = await stage.follower.ask(
            "read", **server.place, subscribers=subscribers, events=events, start=start
        )
        return Run(answer["count"] / answer["seconds"], watch.usage(), answer["count"])

    return read


async def _send_beside_subscribers(stage: Stage) -> list[Line]:
    """Two runs a round give two figures: the calls that were made, and the events that came of them."""
    seconds = stage.scale.seconds
    async with stage.broker(stage.new_data_dir()) as broker:
        received: list[Run] = []

        async def nobody_follows(share: float) -> Run:
            return (await stage.calls(broker, seconds * share))[0]

        async def each_gets_one_percent(share: float) -> Run:
            sent, _ = await _send_followed(stage, broker, "one percent", seconds * share)
            return sent

        async def each_gets_all(share: float) -> Run:
            sent, events = await _send_followed(stage, broker, "all", seconds * share)
            received.append(events)
            return sent

        alone, sparse, full = await interleave(
            stage.scale.rounds, nobody_follows, each_gets_one_percent, each_gets_all
        )
    without = "without"
    beside = f"Send beside {SUBSCRIBERS} subscribers"
    return [
        Line("subscribe", f"{beside}, 1 % each", "calls/s", sparse, without, alone, Goal(">=", 0.7)),
        Line("subscribe", f"{beside}, all each", "calls/s", full, without, alone),
        Line("subscribe", "  the events that came of it", "events/s", received[1:]),
    ]


async def _send_followed(stage: Stage, broker: Server, share: str, seconds: float) -> tuple[Run, Run]:
    await stage.follower.ask("follow", **broker.place, subscribers=SUBSCRIBERS, share=share)
    sent, answers = await stage.calls(broker, seconds)
    seen = await stage.follower.ask("followed", ends=0)
    took = seen["last_at"] - min(answer["began"] for answer in answers)
    return sent, Run(seen["events"] / took, sent.usage, seen["events"])
