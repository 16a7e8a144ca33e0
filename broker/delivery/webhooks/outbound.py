"""The only place that opens a connection to a URL that a caller gave.

Every address is judged twice: what a resolver answers, and once more where the socket is made, right
before it connects. The second look is the one that counts: it sees the address that is really used, also
where the host is an address and no resolver is asked. Proxies of the environment, redirects and cookies
are not followed, so nobody else decides where a connection goes.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import aiohttp.abc
from yarl import URL

from broker.delivery.webhooks.request import OutboundRequest
from broker.domain.callback import CallOutcome, Failed, Gone, Succeeded
from broker.domain.network import AddressPolicy
from broker.domain.waiting_reply import ANSWER_BYTES_MAX as ANSWER_COUNTS_BYTES_MAX
from broker.domain.waiting_reply import WAIT_S, SpokenAnswer

ANSWER_BYTES_MAX = 65_536
"""What is read of an answer, so that its connection can be used again; one with more is closed."""

RESOLVERS_MAX = 32
"""Threads that ask for names: one that hangs must not hold up the others."""

USER_AGENT = "Waypost-Callbacks/1"


class ForbiddenAddress(OSError):
    """The host leads to an address that must not be called."""


class GuardedResolver(aiohttp.abc.AbstractResolver):
    """The system's resolver, without the addresses that must not be called."""

    def __init__(self, network: AddressPolicy) -> None:
        self._network = network
        self._threads = ThreadPoolExecutor(RESOLVERS_MAX, thread_name_prefix="waypost-resolve")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[aiohttp.abc.ResolveResult]:
        """The addresses of a name. Raises OSError when there is none, ForbiddenAddress when none is allowed."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self.look_up, host, port, family)
        allowed = [each for each in found if self._network.allows_text(each[4][0])]
        if not allowed:
            raise ForbiddenAddress("the name leads to no address that may be called")
        return [
            aiohttp.abc.ResolveResult(
                hostname=host, host=address[0], port=port, family=kind, proto=proto, flags=_NUMERIC
            )
            for kind, _, proto, _, address in allowed
        ]

    def look_up(self, host: str, port: int, family: int) -> list[Any]:
        """What the system's resolver says."""
        return socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)

    async def close(self) -> None:
        """Ask no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class Outbound:
    """Makes calls; open it within the event loop that uses it.

    `timeout_s` bounds a call from the look-up of the name to the end of the answer.
    """

    def __init__(
        self, network: AddressPolicy, *, timeout_s: float, resolver: GuardedResolver | None = None
    ) -> None:
        self._network = network
        self._timeout_s = timeout_s
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=resolver or GuardedResolver(network),
                use_dns_cache=False,
                limit=0,
                socket_factory=self.open_socket,
            ),
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"user-agent": USER_AGENT},
            auto_decompress=False,
            trust_env=False,
        )

    def open_socket(self, place: Any) -> socket.socket:
        """A socket for an address that is about to be connected to; the last guard."""
        family, kind, proto, _, address = place
        if not self._network.allows_text(address[0]):
            raise ForbiddenAddress("the address must not be called")
        return socket.socket(family, kind, proto)

    async def call(self, request: OutboundRequest) -> CallOutcome:
        """Make one call; whatever goes wrong is an outcome."""
        outcome, _ = await self._call(request, self._timeout_s, answer_bytes_max=0)
        return outcome

    async def converse(self, request: OutboundRequest) -> tuple[CallOutcome, SpokenAnswer | None]:
        """Make one call whose answer somebody waits for, for as long as that; None: there was none in time."""
        return await self._call(request, WAIT_S, answer_bytes_max=ANSWER_COUNTS_BYTES_MAX)

    async def _call(
        self, request: OutboundRequest, timeout_s: float, *, answer_bytes_max: int
    ) -> tuple[CallOutcome, SpokenAnswer | None]:
        try:
            async with self._session.request(
                request.method,
                URL(request.url, encoded=True),
                headers=request.headers,
                data=request.body or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout_s),
            ) as response:
                outcome = outcome_of(response.status, response.headers.get("retry-after"))
                spoken = await _spoken(response, answer_bytes_max) if answer_bytes_max else None
                await _read_rest(response)
                return outcome, spoken
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Failed(_word(error)), None

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()


async def _spoken(response: aiohttp.ClientResponse, bytes_max: int) -> SpokenAnswer:
    """What is said, as far as it may count. Raises where it breaks off, or does not end in time."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > bytes_max:
            break
    content_type = response.headers.get("content-type", "")
    return SpokenAnswer(response.status, content_type, bytes(body[:bytes_max]), len(body) <= bytes_max)


async def _read_rest(response: aiohttp.ClientResponse) -> None:
    """Read a short answer; what it says matters to nobody."""
    try:
        size = 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > ANSWER_BYTES_MAX:
                break
        else:
            return
    except (aiohttp.ClientError, OSError):
        pass  # the status came, and it is what counts
    response.close()


def outcome_of(status: int, retry_after: str | None) -> CallOutcome:
    """What an answer means. A redirect is a failure: where it leads was not checked."""
    if 200 <= status < 300:
        return Succeeded()
    if status == 410:
        return Gone()
    return Failed(f"{status // 100}xx", retry_after_s(retry_after, datetime.now(UTC)))


def retry_after_s(written: str | None, now: datetime) -> float | None:
    """When to come back, in seconds: a number or a date; None where it says neither."""
    if written is None or len(written) > 64:
        return None
    if written.isascii() and written.strip().isdigit():
        return float(written)
    try:
        return max(0.0, (parsedate_to_datetime(written) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):  # TypeError: a date without a zone
        return None


def _word(error: Exception) -> str:
    """Why there was no answer, in a word for metrics."""
    inner = getattr(error, "os_error", error)
    if isinstance(inner, ForbiddenAddress):
        return "forbidden"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "name"
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError):
        return "tls"
    return "connection"
