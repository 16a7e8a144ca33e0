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


def open_session() -> aiohttp.ClientSession:
    """A session without cookies, and without anything that the environment says of proxies."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
        timeout=aiohttp.ClientTimeout(total=REQUEST_S_MAX, connect=CONNECT_S_MAX),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "Waypost"},
        response_class=BoundedResponse,
        trust_env=False,
    )
