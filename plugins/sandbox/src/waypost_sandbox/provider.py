"""The sandbox as a provider: it asks the table what to answer, waits, and reports what follows."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime

from broker.spi import (
    Accepted,
    CallbackAnswer,
    CallbackRequest,
    Capabilities,
    Context,
    Idempotency,
    NotAccepted,
    OptInAnswer,
    OptInChange,
    OptInFound,
    OptInQuery,
    OutboundMessage,
    Outcome,
    Provider,
    Receipt,
    ReportedFact,
    UpstreamBalance,
    UpstreamUsage,
)
from waypost_sandbox.outcomes import (
    Script,
    answer_to_opt_in,
    answer_to_query,
    inbound_of,
    latency_s_of,
    opt_in_found,
    outcome_of,
    receipts_of,
    script_of,
)
from waypost_sandbox.phone import said
from waypost_sandbox.schedule import ReportSchedule
from waypost_sandbox.settings import SandboxSettings

TimedFact = tuple[int, ReportedFact]
"""A fact and when to report it, in microseconds since 1970 UTC."""

BALANCE_MICROS = 1_000_000_000
NO_CURRENCY = "XTS"
"""ISO 4217's code for tests."""

FULL = NotAccepted(retry_after_s=1.0, code="reports_waiting", text="the sandbox has too much left to report")


class Sandbox(Provider):
    """One configured sandbox. What it takes goes nowhere."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._profile = settings.profile()
        self._reports_waiting_max = settings.reports_waiting_max
        self._capabilities = Capabilities(
            channels=settings.channels,
            receipts=settings.receipt_mode,
            batch_max=settings.batch_max,
            idempotency=Idempotency.QUERY,
            query=True,
            callback=settings.phone,
            sandbox=True,
            opt_in=True,
            balance=True,
            usage=True,
        )
        self._taken: Counter[date] = Counter()
        self._context: Context | None = None
        self._schedule: ReportSchedule | None = None
        self._reporting: asyncio.Task[None] | None = None

    @property
    def capabilities(self) -> Capabilities:
        """What the settings allow."""
        return self._capabilities

    async def start(self, context: Context) -> None:
        """Begin to report. A second start drops what the first had left, like a stop in between."""
        await self.stop()
        self._context = context
        self._schedule = ReportSchedule(context)
        self._reporting = asyncio.create_task(self._schedule.run(), name=f"{context.instance}.reports")

    async def stop(self) -> None:
        """End the reporting. What was not reported is dropped; `query` tells it later."""
        reporting, self._reporting = self._reporting, None
        if reporting is not None:
            reporting.cancel()
            await asyncio.gather(reporting, return_exceptions=True)

    async def submit(self, messages: Sequence[OutboundMessage]) -> Sequence[Outcome]:
        """Answer by the table, once the slowest message of the batch is done.

        A message whose reports would not fit among those waiting is not accepted: a queue without a
        limit would only fail later, and worse.
        """
        context, schedule = self._started()
        handed_over_us = context.clock.now_us()
        latency_s = max((latency_s_of(message, self._profile) for message in messages), default=0.0)
        if latency_s:
            await context.clock.sleep(latency_s)
        # From here to the schedule nothing waits, so no other submit can take the room that was counted.
        outcomes: list[Outcome] = []
        early: list[TimedFact] = []
        later: list[TimedFact] = []
        room = self._reports_waiting_max - schedule.waiting
        for message in messages:
            script = script_of(message.channel, message.recipient)
            outcome = outcome_of(script, message, self._profile)
            facts = self._facts_of(script, message, handed_over_us)
            if facts and len(facts) > room:
                outcomes.append(FULL)
                continue
            room -= len(facts)
            (early if script.early else later).extend(facts)
            outcomes.append(outcome)
            self._taken[_day(handed_over_us)] += isinstance(outcome, Accepted)
        schedule.add(later)
        await schedule.report_now(early)
        return outcomes

    async def query(self, messages: Sequence[OutboundMessage]) -> Sequence[Outcome | Receipt]:
        """Answer from the messages alone, so that a restarted broker and sandbox still agree."""
        context, _ = self._started()
        now_us = context.clock.now_us()
        return [answer_to_query(message, self._profile, now_us) for message in messages]

    async def callback(self, request: CallbackRequest) -> CallbackAnswer:
        """Take what a phone says."""
        return said(request)

    async def set_opt_in(self, changes: Sequence[OptInChange]) -> Sequence[OptInAnswer | NotAccepted]:
        """Take every change, but for the recipients that the table says otherwise about."""
        return [answer_to_opt_in(each) for each in changes]

    async def get_opt_in(self, queries: Sequence[OptInQuery]) -> Sequence[OptInFound]:
        """Nothing is remembered: only the recipient who opted out by the table is known."""
        return [opt_in_found(each) for each in queries]

    async def balance(self) -> UpstreamBalance:
        """Always the same: nothing costs anything here."""
        return UpstreamBalance(BALANCE_MICROS, NO_CURRENCY)

    async def usage(self, first: date, last: date) -> Sequence[UpstreamUsage]:
        """What it took on each day, UTC, since it was made."""
        return [
            UpstreamUsage("taken", count, day)
            for day, count in self._taken.items()
            if first <= day <= last and count
        ]

    def _facts_of(self, script: Script, message: OutboundMessage, handed_over_us: int) -> list[TimedFact]:
        """What is to be reported about the message, and when; nothing where it is not taken."""
        facts: list[tuple[float, ReportedFact]] = [*receipts_of(script, message, self._profile)]
        if script.reply:
            facts += inbound_of(script, message, self._profile)
        return [(handed_over_us + round(after_s * 1_000_000), fact) for after_s, fact in facts]

    def _started(self) -> tuple[Context, ReportSchedule]:
        """What `start` was given and made."""
        if self._context is None or self._schedule is None:
            raise RuntimeError("the sandbox was not started")
        return self._context, self._schedule


def _day(time_us: int) -> date:
    return datetime.fromtimestamp(time_us / 1_000_000, UTC).date()
