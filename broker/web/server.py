"""uvicorn as a guest on the broker's event loop: it opens no port and catches no signal of its own."""

import contextlib
import math
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

INCOMPLETE_BYTES_MAX = 65_536
"""How much of the headers may come without their end."""

CONNECTIONS_MAX = 10_000


class WebServer(uvicorn.Server):
    """Serves one app on one bound socket until `should_exit` is set."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the broker."""
        yield


def bind(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 picks a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def build_web_server(app: ASGIApp, *, stop_s_max: float) -> WebServer:
    """A server that logs nothing by itself: addresses carry secrets. What is under way has `stop_s_max` to end."""
    config = uvicorn.Config(
        app,
        http="h11",
        h11_max_incomplete_event_size=INCOMPLETE_BYTES_MAX,
        ws="none",
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=math.ceil(stop_s_max),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
    )
    return WebServer(config)
