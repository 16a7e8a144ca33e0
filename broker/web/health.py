"""Liveness and readiness over HTTP, for load balancers that speak no gRPC."""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def build_web_app(is_ready: Callable[[], bool]) -> Starlette:
    """`/healthz` is 200 while the process lives; `/readyz` is 503 once it refuses new calls."""

    async def alive(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "alive"})

    async def ready(_request: Request) -> JSONResponse:
        if is_ready():
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "draining"}, status_code=503)

    return Starlette(routes=[Route("/healthz", alive), Route("/readyz", ready)])
