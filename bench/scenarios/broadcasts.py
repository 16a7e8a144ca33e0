"""Broadcasts to files: uploading, making messages of the lines, and all the way to the last end."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc.aio

from bench.child import Child, running
from bench.measure import Goal, Line, Run, interleave
from bench.people import TEXT, chunks_of
from bench.procfs import Usage, peak_mb
from bench.stage import PAUSED, Server, Stage
from waypost.v1 import broadcast_pb2, content_pb2
from waypost.v1 import broadcast_service_pb2 as pb
from waypost.v1.broadcast_service_pb2_grpc import BroadcastServiceStub
from waypost.v1.broker_service_pb2_grpc import BrokerServiceStub

NOT_HELD_UP = PAUSED | {"WAYPOST_BROADCASTS__AHEAD_MAX": "10000000"}
LOOK_EVERY_S = 0.02
COMPLETED = broadcast_pb2.BROADCAST_STATE_COMPLETED


async def measure(stage: Stage) -> Sequence[Line]:
    """Recipients a second, and what each costs where there are many."""
    return [*await _rates(stage), *await _whole_ways(stage)]


async def _rates(stage: Stage) -> Sequence[Line]:
    """Uploads and expansions, while nothing is handed over, beside the same rows through the store alone."""
    scale = stage.scale
    raw_dir = stage.new_data_dir()
    async with (
        running("raw-broadcast", "bench.raw_broadcast", [str(raw_dir)], stage.directory) as raw,
        stage.broker(stage.new_data_dir(), NOT_HELD_UP) as broker,
        _calling(stage, broker) as caller,
    ):
        await raw.answer()
        uploads = await interleave(
            scale.rounds,
            lambda share: _raw(raw, "upload", round(scale.recipients_uploaded * share)),
            lambda share: caller.upload(round(scale.recipients_uploaded * share)),
        )
        expansions = await interleave(
            scale.rounds,
            lambda share: _raw(raw, "expansion", round(scale.recipients_expanded * share)),
            lambda share: caller.expansion(round(scale.recipients_expanded * share)),
        )
    rows = "the rows through the store"
    return [
        Line("broadcasts", "upload of a CSV", "recipients/s", uploads[1], rows, uploads[0], Goal(">=", 0.5)),
        Line("broadcasts", "expansion", "recipients/s", expansions[1], rows, expansions[0], Goal(">=", 0.25)),
    ]


async def _whole_ways(stage: Stage) -> Sequence[Line]:
    """From a file to the last end through the sandbox: a few, and many."""
    scale = stage.scale
    few, many = scale.recipients_few, scale.recipients_many
    async with (
        stage.broker(stage.new_data_dir(), settings={}) as broker,
        _calling(stage, broker) as caller,
    ):
        await caller.whole_way(few // 4)
        small = await caller.whole_way(few)
        large = await caller.whole_way(many)
        peak = Run(peak_mb(broker.child.pid))
        echo = (await stage.calls(stage.reference, scale.seconds))[0]
    cost = f"CPU a recipient, {many:,}"
    return [
        Line("broadcasts", f"dispatch, {many:,} to the last end", "recipients/s", [large.dispatch], "echo", [echo]),
        Line("broadcasts", cost, "µs", [large.cost], f"{few:,}", [small.cost], Goal("<=", 1.2)),
        Line("broadcasts", f"peak memory, {many:,}", "MB", [peak], goal=Goal("<=", 400)),
    ]  # fmt: skip


async def _raw(raw: Child, job: str, rows: int) -> Run:
    done = await raw.ask(job, rows=rows)
    seconds, cpu_s = done["seconds"], done["cpu_s"]
    percent = 100 * cpu_s / seconds
    return Run(rows / seconds, Usage(percent, 0.0, 0.0, 0.0, 0.0, cpu_s, 0.0), rows)


@dataclass(frozen=True, slots=True)
class _Way:
    """A broadcast from its call to the last end, and what a recipient cost of CPU from the upload on, in µs."""

    dispatch: Run
    cost: Run


@asynccontextmanager
async def _calling(stage: Stage, server: Server) -> "AsyncIterator[_Caller]":
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield _Caller(stage, server, channel)


class _Caller:
    """One caller of a broker."""

    def __init__(self, stage: Stage, server: Server, channel: grpc.aio.Channel) -> None:
        self._stage = stage
        self._server = server
        self._metadata = (("authorization", f"Bearer {server.key}"),)
        self._broker, self._broadcasts = BrokerServiceStub(channel), BroadcastServiceStub(channel)

    async def upload(self, recipients: int) -> Run:
        """Recipients a second from the first chunk to the answer."""
        _, run = await self._upload(recipients)
        return run

    async def expansion(self, recipients: int) -> Run:
        """Recipients a second that become messages, from the call to the last of them."""
        upload_id, _ = await self._upload(recipients)
        watch, began = self._stage.watch(self._server), time.monotonic()
        await self._make(upload_id, until=lambda now: now.accepted == recipients)
        return Run(recipients / (time.monotonic() - began), watch.usage(), recipients)

    async def whole_way(self, recipients: int) -> _Way:
        """A file, a broadcast to it, and its last end."""
        watch = self._stage.watch(self._server)
        upload_id, _ = await self._upload(recipients)
        dispatching, began = self._stage.watch(self._server), time.monotonic()
        ended = await self._make(upload_id, until=lambda now: now.state == COMPLETED)
        rate = recipients / (time.monotonic() - began)
        if ended.delivered != recipients:
            raise RuntimeError(f"of {recipients:,} messages {ended.delivered:,} were delivered")
        cost = Run(watch.usage().server_cpu_s / recipients * 1e6)
        return _Way(Run(rate, dispatching.usage(), recipients), cost)

    async def _upload(self, recipients: int) -> tuple[str, Run]:
        parts = [
            pb.UploadAudienceRequest(file=pb.AudienceFile()),
            *[pb.UploadAudienceRequest(chunk=chunk) for chunk in chunks_of(recipients)],
        ]
        watch, began = self._stage.watch(self._server), time.monotonic()
        answer = await self._broadcasts.UploadAudience(_each(parts), metadata=self._metadata)
        if answer.rows != recipients:
            raise RuntimeError(f"of {recipients:,} lines {answer.rows:,} were kept")
        return answer.upload_id, Run(recipients / (time.monotonic() - began), watch.usage(), recipients)

    async def _make(
        self, upload_id: str, until: Callable[[broadcast_pb2.Broadcast], bool]
    ) -> broadcast_pb2.Broadcast:
        """A broadcast to an upload, as it is when something holds for it."""
        request = broadcast_pb2.BroadcastRequest(
            audience=broadcast_pb2.Audience(upload_id=upload_id),
            content=content_pb2.Content(sms=content_pb2.SmsContent(text=TEXT)),
        )
        now = (await self._broker.Broadcast(request, metadata=self._metadata)).broadcast
        look = pb.GetBroadcastRequest(broadcast_id=now.broadcast_id)
        while not until(now):
            await asyncio.sleep(LOOK_EVERY_S)
            now = (await self._broadcasts.GetBroadcast(look, metadata=self._metadata)).broadcast
        return now


async def _each(parts: Sequence[pb.UploadAudienceRequest]) -> AsyncIterator[pb.UploadAudienceRequest]:
    for part in parts:
        yield part
