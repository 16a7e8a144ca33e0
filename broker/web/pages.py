"""What is where over HTTP: liveness, readiness and metrics, and the callback addresses of providers."""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from broker.delivery.callbacks import PATH
from broker.metrics import CONTENT_TYPE, Metrics
from broker.web.callbacks import CallbackEndpoint
from broker.web.url_sending import PATH as SENDING_PATH
from broker.web.url_sending import UrlSending


def build_web_app(
    is_ready: Callable[[], bool],
    metrics: Metrics,
    callbacks: CallbackEndpoint,
    url_sending: UrlSending | None = None,
) -> Starlette:
    """`/healthz` is 200 while the process lives; `/readyz` is 503 once it refuses new calls; and the rest.

    Without `url_sending` there is no `/send-url/`.
    """

    async def alive(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "alive"})

    async def ready(_request: Request) -> JSONResponse:
        if is_ready():
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "draining"}, status_code=503)

    async def measured(_request: Request) -> Response:
        return Response(metrics.render(), media_type=CONTENT_TYPE)

    sending = [] if url_sending is None else [_sending_route(url_sending)]
    return Starlette(
        routes=[
            *sending,
            Route("/healthz", alive),
            Route("/readyz", ready),
            Route("/metrics", measured),
            Route(f"/{PATH}/{{instance}}/{{secret}}", callbacks),
            Route(f"/{PATH}/{{instance}}/{{secret}}/{{path:path}}", callbacks),
        ]
    )


def _sending_route(url_sending: UrlSending) -> Route:
    async def send(request: Request) -> Response:
        return await url_sending(request)

    return Route(f"/{SENDING_PATH}/{{token}}", send, methods=["GET", "POST"])
