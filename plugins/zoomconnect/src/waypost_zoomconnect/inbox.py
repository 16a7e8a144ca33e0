"""Replies by polling: reads those that nobody has read, reports them, and then marks them upstream.

ZoomConnect may rate limit whoever polls too often, so each failure makes the pause longer.
"""

from collections.abc import Awaitable, Callable, Sequence

from broker import spi
from waypost_zoomconnect import questions
from waypost_zoomconnect.client import NO_ANSWER, Client
from waypost_zoomconnect.exchange import Answer
from waypost_zoomconnect.facts import inbound
from waypost_zoomconnect.settings import ZoomConnectSettings


class Inbox:
    """Polls for replies until it is cancelled. Nothing is marked upstream before it is committed here."""

    def __init__(
        self,
        settings: ZoomConnectSettings,
        client: Client,
        clock: spi.Clock,
        log: spi.Logger,
        report: Callable[[Sequence[spi.ReportedFact]], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock
        self._log = log
        self._report = report
        self._failures = 0

    async def run(self) -> None:
        """Poll for ever."""
        while True:
            await self._clock.sleep(await self.poll())

    async def poll(self) -> float:
        """Take one page; answers how many seconds to wait for the next."""
        try:
            answer = await self._client.answer(questions.unread_call(self._settings))
        except NO_ANSWER as error:
            return self._failed(type(error).__name__)
        records = questions.records(answer)
        if records is None:
            return self._failed(answer.code, self._retry_after_s(answer))
        try:
            taken = await self._take(records)
        except Exception as error:  # noqa: BLE001 - whatever the store says, replies stay unread upstream
            return self._failed(type(error).__name__)
        if taken < len(records):
            return self._failed("not_acknowledged")
        self._failures = 0
        return 0.0 if taken == self._settings.page_size else self._settings.poll_s

    async def _take(self, records: Sequence[object]) -> int:
        """Report what came in, then mark it; answers how many were marked. What is no reply is left as it is."""
        facts = [fact for each in records if (fact := inbound(each, self._settings))]
        if facts:
            await self._report(facts)
        if len(facts) < len(records):
            self._log.warning("zoomconnect.reply_unreadable", count=len(records) - len(facts))
        marked = 0
        for fact in facts:
            marked += await self._mark(fact.provider_message_id)
        return marked

    async def _mark(self, message_id: str) -> bool:
        try:
            answer = await self._client.answer(questions.acknowledge_call(message_id, self._settings.polled))
        except NO_ANSWER:
            return False
        return answer.ok

    def _failed(self, reason: str, pause_s: float | None = None) -> float:
        """The pause after a failure: twice as long each time, not less than was asked for, and bounded."""
        self._failures += 1
        self._log.warning("zoomconnect.poll_failed", reason=reason)
        doubled = self._settings.poll_s * 2.0 ** min(self._failures, 16)
        return min(max(doubled, pause_s or 0.0), self._settings.poll_pause_s_max)

    def _retry_after_s(self, answer: Answer) -> float | None:
        return spi.retry_after_s(answer.headers.get("Retry-After"), self._clock.now_us())
