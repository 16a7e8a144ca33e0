"""The few connections to Group Texting: requests go out over them one after another, and none is repeated.

Group Texting blocks whoever opens more than two connections a second. So connections are kept open and used
again, there are few at once, and new ones are opened slowly.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace

import aiohttp

from broker.spi import Clock
from waypost_grouptexting.settings import AccountSettings

ANSWER_BYTES_MAX = 4_096
FREE_S_MAX = 10.0
"""For a connection to be free; longer than that is a queue, and queues are the broker's."""

SECOND_US = 1_000_000
NO_CONNECTION = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that was read whole. `body` may be anything."""

    status: int
    body: str
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte of the request left."""

    code: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The request may have been read; what was answered, nobody knows."""

    code: str


Exchange = Answered | NotSent | Lost


class Line:
    """Makes requests. Whoever finds no connection free within the time limit has sent nothing."""

    def __init__(self, settings: AccountSettings, clock: Clock) -> None:
        self._settings = settings
        self._free = asyncio.Semaphore(settings.connections_max)
        self._pace = Pace(settings.connections_per_s_max, clock)
        tracing = aiohttp.TraceConfig()
        tracing.on_connection_create_start.append(self._before_connecting)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=settings.connections_max),
            timeout=aiohttp.ClientTimeout(total=settings.timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "Waypost"},
            middlewares=(_send_once,),
            trace_configs=[tracing],
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections; what waits for an answer never gets it."""
        await self._session.close()

    async def ask(self, operation: str, fields: Mapping[str, str], *, post: bool = False) -> Exchange:
        """One request to an operation, as "credits/check", with the account's credentials added.

        `post`: in the body of a POST, whatever the settings say.
        """
        try:
            async with asyncio.timeout(min(FREE_S_MAX, self._settings.timeout_s)):
                await self._free.acquire()
        except TimeoutError:
            return NotSent("busy")
        try:
            return await self._exchange(operation, fields, "POST" if post else self._settings.method)
        except NO_CONNECTION as error:
            return NotSent(type(error).__name__)
        except (aiohttp.ClientError, TimeoutError) as error:
            return Lost(type(error).__name__)
        finally:
            self._free.release()

    async def _exchange(self, operation: str, fields: Mapping[str, str], method: str) -> Answered:
        credentials = {
            "user": self._settings.username,
            "pass": self._settings.password.get_secret_value(),
        }
        told = {**credentials, **fields}
        async with self._session.request(
            method,
            f"{self._settings.url.rstrip('/')}/{operation}/",
            params=told if method == "GET" else None,
            data=told if method == "POST" else None,
            allow_redirects=False,
        ) as response:
            body = await _body_of(response)
            return Answered(response.status, body, response.headers.get("Retry-After"))

    async def _before_connecting(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, _told: object
    ) -> None:
        await self._pace.wait()


class Pace:
    """At most `count_max` in any second."""

    def __init__(self, count_max: int, clock: Clock) -> None:
        self._clock = clock
        self._begun_us: deque[int] = deque(maxlen=count_max)
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        """Return when one more may begin."""
        async with self._turn:
            now_us = self._clock.now_us()
            if len(self._begun_us) == self._begun_us.maxlen:
                pause_us = self._begun_us[0] + SECOND_US - now_us
                if 0 < pause_us <= SECOND_US:  # a clock that was set back must not stop everything
                    await self._clock.sleep(pause_us / SECOND_US)
            self._begun_us.append(self._clock.now_us())


async def _body_of(response: aiohttp.ClientResponse) -> str:
    """As much of the body as may count; an endless one is hung up on."""
    body = b""
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > ANSWER_BYTES_MAX:
            response.close()
            break
    return body[:ANSWER_BYTES_MAX].decode("ascii", errors="replace")


class AnswerLostError(aiohttp.ClientConnectionError):
    """The connection broke when the request was on its way."""


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Raise what aiohttp does not know: it repeats a GET whose connection broke, and here a GET sends a message."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise AnswerLostError(type(error).__name__) from error
