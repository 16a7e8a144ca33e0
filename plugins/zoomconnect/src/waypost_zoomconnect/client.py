"""One account at ZoomConnect over HTTP: makes calls, and says of a call without an answer whether it left."""

from collections.abc import Callable
from typing import Final

import aiohttp

from waypost_zoomconnect import exchange
from waypost_zoomconnect.exchange import Answer, Call
from waypost_zoomconnect.settings import ZoomConnectSettings

NO_CONNECTION: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""Failures before any byte of a request has left."""

NO_ANSWER: Final = (aiohttp.ClientError, TimeoutError)
"""Failures of which nobody can tell; NO_CONNECTION are among them, so catch those first."""


class Client:
    """Makes calls with one account's settings, in a session that somebody else opens and closes."""

    def __init__(self, settings: ZoomConnectSettings, http: Callable[[], aiohttp.ClientSession]) -> None:
        self._settings = settings
        self._http = http

    async def answer(self, call: Call) -> Answer:
        """The whole answer to a call. Raises one of NO_CONNECTION or NO_ANSWER; redirects are not followed."""
        async with self._http().request(
            call.method,
            exchange.url(self._settings, call),
            params=exchange.query(self._settings, call),
            json=call.document,
            headers=exchange.headers(self._settings, call),
            timeout=aiohttp.ClientTimeout(total=self._settings.timeout_s),
            allow_redirects=False,
        ) as response:
            return Answer(response.status, response.headers, await response.read())
