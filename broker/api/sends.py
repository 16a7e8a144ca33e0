"""Send's calls, answered in groups.

What comes while a group is being stored waits, and makes up the next one: it is converted, planned and stored
together, which costs each call far less than on its own, and shares a commit. A call that finds nobody ahead of it goes at
once, with those that came in the same turn of the event loop. There is one group at a time: with a second one beside it each
was half as large, and 16 callers were answered a quarter less often.

    call ──▶ waiting ──▶ group: convert, plan, one write ──▶ each call its answer
                ▲                                   │
                └────────── the next group ◀────────┘

A call that names contacts joins no group: how many people those who are planned together may reach is limited, and nobody
shall be refused for whom another caller reaches.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from broker.api.convert.requests import names_contacts
from broker.api.convert.results import send_response
from broker.api.outcomes import Asked, Outcomes
from broker.domain.access import Principal
from broker.domain.submission import Result
from broker.errors import BrokerError
from waypost.v1 import send_pb2

GROUP_CALLS_MAX = 128
"""Of up to 100 recipients each: planning them holds up the event loop for as long as a frame of SendStream does."""


@dataclass(slots=True)
class _Call:
    asked: Asked
    results: "asyncio.Future[Sequence[Result]]"


class Sends:
    """Groups the calls."""

    def __init__(self, outcomes: Outcomes) -> None:
        self._outcomes = outcomes
        self._waiting: deque[_Call] = deque()
        self._answering: asyncio.Task[None] | None = None

    async def answer(self, caller: Principal, request: send_pb2.SendRequest) -> send_pb2.SendResponse:
        """What came of a call. It goes on when its caller is cancelled. Raises BrokerError for what refuses it."""
        results: asyncio.Future[Sequence[Result]] = asyncio.get_running_loop().create_future()
        call = _Call((caller, request), results)
        if names_contacts(request):
            await self._answer([call])
        else:
            self._waiting.append(call)
            if self._answering is None:
                self._answering = asyncio.create_task(self._answer_all())
        # Made here and not by the group: what fails here is this call's own.
        return send_response(await results)

    async def _answer_all(self) -> None:
        """Group after group, until nobody waits."""
        waiting = self._waiting
        try:
            while waiting:
                await self._answer([waiting.popleft() for _ in range(min(GROUP_CALLS_MAX, len(waiting)))])
        finally:
            self._answering = None

    async def _answer(self, calls: list[_Call]) -> None:
        try:
            outcomes: Sequence[Sequence[Result] | BrokerError]
            outcomes = await self._outcomes.of([each.asked for each in calls])
        except Exception as defect:  # noqa: BLE001 - it belongs to the call that it came of
            if len(calls) > 1:  # nothing of them is stored: one bad call harms no other
                for call in calls:
                    await self._answer([call])
            elif not calls[0].results.done():
                calls[0].results.set_exception(defect)
            return
        for call, outcome in zip(calls, outcomes, strict=True):
            if call.results.done():  # its caller was cancelled; what was stored stands all the same
                continue
            if isinstance(outcome, BrokerError):
                call.results.set_exception(outcome)
            else:
                call.results.set_result(outcome)
