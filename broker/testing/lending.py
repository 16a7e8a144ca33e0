"""What the broker lends a provider, as a test holds it: a log, reports, keepsakes, a session, a clock."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from broker.delivery.lending import KEY_CHARACTERS_MAX, VALUE_BYTES_MAX
from broker.spi import Clock, Context, ReportedFact
from broker.storage.keepsakes import ENTRIES_MAX
from broker.testing.clock import FlowingClock

if TYPE_CHECKING:
    import aiohttp

CALLBACK_URL = "https://waypost.example/callbacks/the-secret-of-this-instance"


@dataclass
class RecordedLog:
    """A logger that keeps what it was told: level, event and values."""

    lines: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    bound: dict[str, Any] = field(default_factory=dict)

    def debug(self, event: str, **values: object) -> None:
        """Keep it."""
        self._keep("debug", event, values)

    def info(self, event: str, **values: object) -> None:
        """Keep it."""
        self._keep("info", event, values)

    def warning(self, event: str, **values: object) -> None:
        """Keep it."""
        self._keep("warning", event, values)

    def error(self, event: str, **values: object) -> None:
        """Keep it."""
        self._keep("error", event, values)

    def exception(self, event: str, **values: object) -> None:
        """Keep it, with the traceback."""
        self._keep("error", event, {**values, "exc_info": True})

    def bind(self, **values: object) -> "RecordedLog":
        """A logger that writes to the same lines, with these values on each."""
        return RecordedLog(self.lines, {**self.bound, **values})

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(f"{level} {event} {values}" for level, event, values in self.lines)

    def _keep(self, level: str, event: str, values: dict[str, object]) -> None:
        if values.get("exc_info"):
            values["exc_info"] = traceback.format_exc()
        self.lines.append((level, event, {**self.bound, **values}))


@dataclass
class Reports:
    """What a provider reported: `facts` in order. It raises as often as `failures_left` says."""

    facts: list[ReportedFact] = field(default_factory=list)
    failures_left: int = 0
    refused: int = 0

    async def __call__(self, facts: Sequence[ReportedFact]) -> None:
        """Keep the facts, or raise as a broker whose store is down."""
        if self.failures_left:
            self.failures_left -= 1
            self.refused += 1
            raise OSError("the store takes nothing now")
        self.facts += facts


class MemoryKeepsakes:
    """`spi.Keepsakes` with the broker's limits, in memory. Hand the same to the next instance: a restart."""

    def __init__(self) -> None:
        self.entries: dict[str, bytes] = {}

    async def get(self, key: str) -> bytes | None:
        """What is kept under `key`, None for nothing."""
        return self.entries.get(_checked(key))

    async def put(self, key: str, value: bytes) -> None:
        """Keep `value`; raises ValueError past a limit."""
        if len(value) > VALUE_BYTES_MAX:
            raise ValueError(f"a keepsake is at most {VALUE_BYTES_MAX} bytes")
        if _checked(key) not in self.entries and len(self.entries) >= ENTRIES_MAX:
            raise ValueError(f"an instance has at most {ENTRIES_MAX} keepsakes")
        self.entries[key] = value

    async def delete(self, key: str) -> None:
        """Forget what is kept under `key`."""
        self.entries.pop(_checked(key), None)


def _checked(key: object) -> str:
    if isinstance(key, str) and 0 < len(key) <= KEY_CHARACTERS_MAX:
        return key
    raise ValueError(f"a keepsake's key is 1 to {KEY_CHARACTERS_MAX} characters of text")


@dataclass
class Lent:
    """All that a provider is started with. `close` takes the session back, as the broker does."""

    clock: Clock = field(default_factory=FlowingClock)
    reports: Reports = field(default_factory=Reports)
    log: RecordedLog = field(default_factory=RecordedLog)
    keepsakes: MemoryKeepsakes = field(default_factory=MemoryKeepsakes)
    _session: "aiohttp.ClientSession | None" = None

    def context(self, instance: str, *, callback_url: str = "") -> Context:
        """The context of an instance."""
        return Context(
            instance=instance,
            log=self.log,
            clock=self.clock,
            report=self.reports,
            keepsakes=self.keepsakes,
            http=self._http,
            callback_url=callback_url,
        )

    async def close(self) -> None:
        """Close the session, if anybody asked for it."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _http(self) -> "aiohttp.ClientSession":
        if self._session is None or self._session.closed:
            from broker.delivery.upstream_http import open_session  # the session that the broker lends

            self._session = open_session()
        return self._session
