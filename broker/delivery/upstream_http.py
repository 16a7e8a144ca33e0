"""The HTTP session of a provider instance, with limits that a plugin need not think of."""

import aiohttp

CONNECTIONS_MAX = 100
CONNECT_S_MAX = 10.0
"""Waiting for a free connection counts."""

REQUEST_S_MAX = 60.0
ANSWER_BYTES_MAX = 16 * 1_048_576


class BoundedResponse(aiohttp.ClientResponse):
    """An answer whose body is not read without end: past ANSWER_BYTES_MAX it counts as broken."""

    async def read(self) -> bytes:
        """The whole body; raises ClientPayloadError when it is too large. What is streamed is not bounded."""
        if self._body is None:
            try:
                self._body = await self._read_bounded()
            except BaseException:
                self.close()
                raise
        return await super().read()

    async def _read_bounded(self) -> bytes:
        pieces = []
        size = 0
        async for piece in self.content.iter_any():
            size += len(piece)
            if size > ANSWER_BYTES_MAX:
                raise aiohttp.ClientPayloadError(f"the answer is larger than {ANSWER_BYTES_MAX} bytes")
            pieces.append(piece)
        return b"".join(pieces)


class AnswerLostError(aiohttp.ClientConnectionError):
    """The connection broke after the request was on its way: whether it was read, nobody can tell."""


async def send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Let no request be repeated behind the provider's back.

    aiohttp repeats a GET, PUT or DELETE whose connection broke, since those should be idempotent. At many
    upstreams a GET sends a message. It does not repeat after an error that it does not know.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # there was no connection, and aiohttp does not repeat it
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise AnswerLostError(type(error).__name__) from error


def open_session() -> aiohttp.ClientSession:
    """A session without cookies or repetitions, and without what the environment says of proxies."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
        timeout=aiohttp.ClientTimeout(total=REQUEST_S_MAX, connect=CONNECT_S_MAX),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "Waypost"},
        response_class=BoundedResponse,
        middlewares=(send_once,),
        trust_env=False,
    )
