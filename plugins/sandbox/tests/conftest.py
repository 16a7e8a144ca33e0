"""A message to send, and a broker that a test holds in its hands: a clock to set, a list of reports."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from broker.spi import Channel, Context, OutboundMessage, ReportedFact, Traffic
from waypost_sandbox.provider import Sandbox
from waypost_sandbox.settings import SandboxSettings

SUBMITTED_AT_US = 1_700_000_000_000_000


def _message(recipient: str, **changes) -> OutboundMessage:
    values = {
        "message_id": "01KAB3XQ8G000",
        "channel": Channel.EMAIL if "@" in recipient else Channel.SMS,
        "sender": "Acme",
        "attempt": 1,
        "submitted_at_us": SUBMITTED_AT_US,
    } | changes
    return OutboundMessage(
        idempotency_key=values["message_id"],
        recipient=recipient,
        content={"text": "the body"},
        traffic=Traffic.TRANSACTIONAL,
        expire_at_us=values["submitted_at_us"] + 3_600_000_000,
        units=1,
        **values,
    )


@pytest.fixture(scope="session")
def message():
    """Build a message to a recipient, first attempt, with the named fields changed."""
    return _message


@dataclass
class ManualClock:
    """Time passes when the test says so."""

    time_us: int = SUBMITTED_AT_US
    sleeps_s: list[float] = field(default_factory=list)
    _sleepers: list[tuple[int, asyncio.Future[None]]] = field(default_factory=list)

    def now_us(self) -> int:
        """What the test set."""
        return self.time_us

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has let that much pass."""
        self.sleeps_s.append(seconds)
        sleeper = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.time_us + round(seconds * 1_000_000), sleeper))
        await sleeper

    async def advance(self, seconds: float) -> None:
        """Let time pass, and everyone who waited for it run."""
        await _settle()
        self.time_us += round(seconds * 1_000_000)
        woken = [sleeper for until_us, sleeper in self._sleepers if until_us <= self.time_us]
        self._sleepers = [entry for entry in self._sleepers if entry[0] > self.time_us]
        for sleeper in woken:
            if not sleeper.done():
                sleeper.set_result(None)
        await _settle()


async def _settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@dataclass
class RecordingBroker:
    """The broker's side of a Context: it keeps what is reported and logged, and fails on demand."""

    clock: ManualClock = field(default_factory=ManualClock)
    reports: list[list[ReportedFact]] = field(default_factory=list)
    warnings: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    failures_left: int = 0
    committing: asyncio.Event | None = None

    @property
    def facts(self) -> list[ReportedFact]:
        """All that was reported, in order."""
        return [fact for report in self.reports for fact in report]

    def context(self) -> Context:
        """What a provider is started with."""
        return Context(
            instance="sandbox",
            log=self,
            clock=self.clock,
            report=self.report,
            keepsakes=None,  # the sandbox keeps nothing and calls nobody
            http=None,
        )

    async def report(self, facts: Sequence[ReportedFact]) -> None:
        """Keep the facts, or raise as a store that is down; wait where the test holds commits up."""
        if self.failures_left:
            self.failures_left -= 1
            raise OSError(f"the store is down, so these are not kept: {facts}")
        if self.committing is not None:
            await self.committing.wait()
        self.reports.append(list(facts))

    def warning(self, event: str, **values: object) -> None:
        """Keep the warning."""
        self.warnings.append((event, values))


@pytest.fixture
def broker() -> RecordingBroker:
    """A broker whose clock stands still."""
    return RecordingBroker()


@pytest.fixture
async def start(broker) -> AsyncIterator:
    """Start a sandbox with settings; it is stopped after the test."""
    started = []

    async def _start(**settings) -> Sandbox:
        sandbox = Sandbox(SandboxSettings(**settings))
        await sandbox.start(broker.context())
        started.append(sandbox)
        return sandbox

    yield _start
    for sandbox in started:
        await sandbox.stop()
