"""Handing requests to the broker: one by Send, several by SendStream; answers come in the order of the rows."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass

import grpc
import grpc.aio

from broker.cli.connection import CALL_TIMEOUT_S, Connection, fail
from broker.cli.exit_codes import ExitCode
from broker.cli.failures import CommandFailed
from broker.cli.requests import PlannedRequest, frames_of
from waypost.v1 import send_pb2, status_pb2


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one row: a result, or the error of the request that it was part of."""

    row: int
    result: send_pb2.SendResult | None = None
    error: send_pb2.SendError | None = None

    @property
    def refused(self) -> bool:
        """Whether nothing will be sent to this recipient."""
        return self.result is None or self.result.status == status_pb2.MESSAGE_STATUS_REJECTED


async def send_all(connection: Connection, plans: Sequence[PlannedRequest]) -> AsyncGenerator[Answer, None]:
    """An answer for each row, in order. Raises CommandFailed when the call fails."""
    answers = _send(connection, plans[0]) if len(plans) == 1 else _stream(connection, plans)
    answered = 0
    try:
        async for answer in answers:
            answered += 1
            yield answer
    except grpc.aio.AioRpcError as error:
        try:
            fail(error, connection.address)
        except CommandFailed as failure:
            if len(plans) == 1:
                raise
            # What was answered is on disk; of the rest some may be, and only a request_id tells.
            raise CommandFailed(f"{failure}\n{_progress(plans, answered)}", failure.exit_code) from error


async def _send(connection: Connection, plan: PlannedRequest) -> AsyncIterator[Answer]:
    response = await connection.broker.Send(
        plan.request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S
    )
    for answer in _answers(plan, response):
        yield answer


async def _stream(connection: Connection, plans: Sequence[PlannedRequest]) -> AsyncIterator[Answer]:
    async def requests() -> AsyncIterator[send_pb2.SendStreamRequest]:
        for frame in frames_of(plans):
            yield send_pb2.SendStreamRequest(requests=[plan.request for plan in frame])

    waiting = iter(plans)
    async for frame in connection.broker.SendStream(requests(), metadata=connection.metadata):
        for outcome in frame.responses:
            plan = next(waiting)
            if outcome.HasField("response"):
                for answer in _answers(plan, outcome.response):
                    yield answer
            else:
                for row in range(plan.first_row, plan.first_row + plan.row_count):
                    yield Answer(row, error=outcome.error)
    if next(waiting, None) is not None:
        raise CommandFailed("the broker ended the stream before its last answer", ExitCode.UNREACHABLE)


def _answers(plan: PlannedRequest, response: send_pb2.SendResponse) -> list[Answer]:
    return [Answer(plan.first_row + result.recipient_index, result) for result in response.results]


def _progress(plans: Sequence[PlannedRequest], answered: int) -> str:
    rows = sum(plan.row_count for plan in plans)
    repeatable = bool(plans[0].request.request_id)
    advice = "repeat the command as it is" if repeatable else "with --request-id it could be repeated safely"
    return f"{answered:,} of {rows:,} recipients were answered; {advice}"
