"""Callbacks whose answer is known only after what they said is committed: held open until it is there.

The upstream may hang up meanwhile, and the broker may drain; whoever was to answer is told whether it was written.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

import structlog
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from broker.delivery.callbacks import is_sound
from broker.spi import CallbackAnswer, LateAnswer

log = structlog.get_logger("waypost.callbacks")

LATE_S_MAX = 60.0
CANCEL_S_MAX = 1.0
LOOK_EVERY_S = 0.5
"""How often it is looked whether the broker drains."""

BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED}


def callback_response(answer: CallbackAnswer) -> Response:
    """What a plugin answers, as HTTP."""
    if answer.status in BODILESS:
        return Response(status_code=answer.status)
    return Response(answer.body, answer.status, {"content-type": answer.content_type})


class LateResponses:
    """Those that are held open; at most `held_max`, and none while the broker drains."""

    def __init__(
        self, is_ready: Callable[[], bool], *, held_max: int, late_s_max: float = LATE_S_MAX
    ) -> None:
        self._is_ready = is_ready
        self._held_max = held_max
        self._late_s_max = late_s_max
        self.held = 0

    def hold(self, instance: str, later: LateAnswer, otherwise: Response) -> Response:
        """The response that waits for what is answered later; where nothing is, `otherwise`."""
        return LateResponse(self, instance, later, otherwise)

    async def ask(
        self, instance: str, later: LateAnswer, gone: "asyncio.Task[None]"
    ) -> CallbackAnswer | None:
        """What is answered later; None where that brings nothing, or nobody is there any more to answer."""
        if self.held >= self._held_max:
            log.warning("callback.not_held", instance=instance, count=self.held)
            return None
        self.held += 1
        asked = asyncio.create_task(_asked(later))
        try:
            await self._wait(asked, gone)
        finally:
            self.held -= 1
            asked.cancel()
            await asyncio.wait({asked}, timeout=CANCEL_S_MAX)
        if gone.done() or not asked.done() or asked.cancelled():
            return None
        raised = asked.exception()
        if raised is not None:
            log.error("callback.raised", instance=instance, exception=type(raised).__qualname__)
            return None
        return _checked(instance, asked.result())

    async def _wait(self, asked: "asyncio.Task[CallbackAnswer]", gone: "asyncio.Task[None]") -> None:
        """Until it is answered, nobody is there any more, or time is up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._late_s_max
        while self._is_ready() and loop.time() < until:
            done, _ = await asyncio.wait(
                {asked, gone}, timeout=LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                return


class LateResponse(Response):
    """A response that is asked for when it is its turn to be written."""

    def __init__(
        self, responses: LateResponses, instance: str, later: LateAnswer, otherwise: Response
    ) -> None:
        super().__init__(status_code=otherwise.status_code)
        self._responses = responses
        self._instance = instance
        self._later = later
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, write, and tell whether it was written."""
        gone = asyncio.create_task(_hung_up(receive))
        whole = False
        try:
            answer = await self._responses.ask(self._instance, self._later, gone)
            if not gone.done():
                response = self._otherwise if answer is None else callback_response(answer)
                await response(scope, receive, send)
                whole = answer is not None
        finally:
            gone.cancel()
            self._tell(whole)

    def _tell(self, whole: bool) -> None:
        try:
            self._later.written(whole)
        except Exception as error:  # noqa: BLE001 - a plugin's defect; the upstream has its answer
            log.error("callback.raised", instance=self._instance, exception=type(error).__qualname__)


async def _asked(later: LateAnswer) -> CallbackAnswer:
    return await later.answer()


async def _hung_up(receive: Receive) -> None:
    """Return when the other side has closed the connection; the request was read before."""
    message: Message = {}
    while message.get("type") != "http.disconnect":
        message = await receive()


def _checked(instance: str, answer: object) -> CallbackAnswer | None:
    if isinstance(answer, CallbackAnswer) and is_sound(answer) and not answer.facts and answer.later is None:
        return answer
    log.error("callback.wrong_answer", instance=instance)
    return None
