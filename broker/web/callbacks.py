"""The callback addresses over HTTP: bounded in size, in time and in number, and closed to whoever guesses.

Nothing is read of a request whose secret is wrong.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from broker.delivery.callbacks import Callbacks, Trouble
from broker.delivery.registry import Instance
from broker.metrics import Metrics
from broker.spi import CallbackRequest
from broker.web.late_answers import LateResponses, callback_response

HEADERS_BYTES_MAX = 65_536
BODY_BYTES_MAX = 1_048_576
BODY_S_MAX = 30.0
RETRY_AFTER_S = 5

CODES = {
    Trouble.RAISED: HTTPStatus.INTERNAL_SERVER_ERROR,
    Trouble.LATE: HTTPStatus.SERVICE_UNAVAILABLE,
    Trouble.NOT_STORED: HTTPStatus.SERVICE_UNAVAILABLE,
}


class CallbackEndpoint:
    """An ASGI application for `/callbacks/{instance}/{secret}` and what is below it, under any method.

    At most `at_once_max` requests are read and answered at once, and as many held for answers that come later.
    """

    def __init__(
        self, callbacks: Callbacks, is_ready: Callable[[], bool], metrics: Metrics, *, at_once_max: int
    ) -> None:
        self._callbacks = callbacks
        self._is_ready = is_ready
        self._metrics = metrics
        self._at_once_max = at_once_max
        self._at_once = 0
        self._late = LateResponses(is_ready, held_max=at_once_max)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        names = scope["path_params"]
        instance = self._callbacks.find(names["instance"], names["secret"])
        if instance is None:
            response: Response = _refusal(HTTPStatus.NOT_FOUND)
        elif not self._is_ready() or self._at_once >= self._at_once_max:
            response = _refusal(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self._at_once += 1
            try:
                response = await self._answer(instance, Request(scope, receive))
            except ClientDisconnect:
                return
            finally:
                self._at_once -= 1
        known = instance.name if instance is not None else ""
        self._metrics.callbacks.labels(known, str(response.status_code)).inc()
        await response(scope, receive, send)

    async def _answer(self, instance: Instance, request: Request) -> Response:
        if sum(len(name) + len(each) for name, each in request.scope["headers"]) > HEADERS_BYTES_MAX:
            return _refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        try:
            async with asyncio.timeout(BODY_S_MAX):
                body = await _read_body(request)
        except TimeoutError:
            return _refusal(HTTPStatus.REQUEST_TIMEOUT)
        if body is None:
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        answer = await self._callbacks.take(
            instance,
            CallbackRequest(
                method=request.method,
                path=request.path_params.get("path", ""),
                query=parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True),
                headers=_joined(request),
                body=body,
            ),
        )
        if isinstance(answer, Trouble):
            return _refusal(CODES[answer])
        response = callback_response(answer)
        return response if answer.later is None else self._late.hold(instance.name, answer.later, response)


async def _read_body(request: Request) -> bytes | None:
    """The whole body; None as soon as it is known to be too large."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:20]) > BODY_BYTES_MAX:
        return None
    pieces = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > BODY_BYTES_MAX:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _joined(request: Request) -> dict[str, str]:
    """Headers by lower-case name; those that came several times as one list, as HTTP reads them."""
    headers: dict[str, str] = {}
    for name, each in request.headers.items():
        headers[name] = f"{headers[name]}, {each}" if name in headers else each
    return headers


def _refusal(status: HTTPStatus) -> Response:
    """What the broker itself answers. A request that may not have been read to its end takes its connection with it."""
    headers = {}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = str(RETRY_AFTER_S)
    if status not in {HTTPStatus.NOT_FOUND, HTTPStatus.INTERNAL_SERVER_ERROR}:
        headers["connection"] = "close"
    return PlainTextResponse(status.phrase, status, headers)
