"""Short links over HTTP: a link domain serves `/<code>` and nothing else.

The Host header decides. Where a request has a link's host and code, it leads to the target that was stored with
the message, never to anything that the request says. All else is one and the same 404.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from broker.delivery.links import Links, Trouble
from broker.metrics import Metrics

RETRY_AFTER_S = 5

_PATH = re.compile(r"/([0-9A-Za-z]{11})")
_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}
_PURPOSES = ("purpose", "sec-purpose", "x-purpose", "x-moz")
_LOOKS_AHEAD = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)
# Those that say who they are. "CUBOT" is a make of telephones.
_ROBOTS = re.compile(
    r"(?<!cu)bot\b|crawler|spider|preview|facebookexternalhit|facebookcatalog|whatsapp/|slurp|embedly|"
    r"snapchat url|vkshare|mediapartners-google|google-safety|safelinks|barracuda|proofpoint|mimecast",
    re.IGNORECASE,
)


def is_click(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request is somebody's click: no HEAD, no look ahead of a browser, no robot that says it is one."""
    return (
        method == "GET"
        and not any(_LOOKS_AHEAD.search(headers.get(name, "")) for name in _PURPOSES)
        and _ROBOTS.search(headers.get("user-agent", "")) is None
    )


class LinkSite:
    """An ASGI application in front of the broker's own pages, which link domains do not have.

    At most `at_once_max` requests for links are answered at once.
    """

    def __init__(self, links: Links, pages: ASGIApp, metrics: Metrics, *, at_once_max: int) -> None:
        self._links = links
        self._pages = pages
        self._metrics = metrics
        self._at_once_max = at_once_max
        self._at_once = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Links outlive their domain's place in a policy, so a code is looked up anyway."""
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        request = Request(scope, receive)
        host, code = _host_of(request), _PATH.fullmatch(scope["path"])
        serves = await self._links.serves(host)
        if code is None and not serves:
            await self._pages(scope, receive, send)
            return
        if self._at_once >= self._at_once_max:
            response = _answer(HTTPStatus.SERVICE_UNAVAILABLE, {"retry-after": str(RETRY_AFTER_S)})
        else:
            self._at_once += 1
            try:
                response = await self._follow(request, host, "" if code is None else code[1])
            finally:
                self._at_once -= 1
        if response.status_code == HTTPStatus.NOT_FOUND and not serves:
            await self._pages(scope, receive, send)
            return
        self._metrics.link_requests.labels(str(response.status_code)).inc()
        await response(scope, receive, send)

    async def _follow(self, request: Request, host: str, code: str) -> Response:
        if request.method not in {"GET", "HEAD"}:
            return _answer(HTTPStatus.METHOD_NOT_ALLOWED, {"allow": "GET, HEAD", "connection": "close"})
        target = await self._links.follow(host, code, counted=is_click(request.method, request.headers))
        match target:
            case None:
                return _answer(HTTPStatus.NOT_FOUND)
            case Trouble():
                return _answer(HTTPStatus.SERVICE_UNAVAILABLE, {"retry-after": str(RETRY_AFTER_S)})
            case _:
                return Response(status_code=HTTPStatus.FOUND, headers={**_HEADERS, "location": target})


def _host_of(request: Request) -> str:
    """The host that the request is for, without its port."""
    return request.headers.get("host", "").lower().rsplit(":", 1)[0].rstrip(".")


def _answer(status: HTTPStatus, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(status.phrase, status, {**_HEADERS, **(headers or {})})
