"""Cases of discretion: no secret, no text and no full address where somebody may read along."""

import contextlib
import io
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
import structlog

from broker.spi import OutboundMessage
from broker.testing.lending import CALLBACK_URL, Lent
from broker.testing.provider_suite.asked import CARRIED_CHARACTERS, Asked
from broker.testing.provider_suite.case import case
from broker.testing.provider_suite.declaring import secrets_of
from broker.testing.running import RunningProvider
from broker.testing.upstream import Answer, Echo, Fault, NotHttp, ResetAfterBody, Say, Upstream

TEXT = "Quillon meets Ada at 7"
FAULTS: tuple[Fault, ...] = (
    *(Echo(status) for status in (200, 400, 403, 404, 429, 500)),
    Say(Answer(200, b"{}", {"content-type": "application/json"})),
    ResetAfterBody(),
    NotHttp(),
)


@dataclass
class Heard:
    """What was logged and printed, by whatever way."""

    texts: list[str] = field(default_factory=list)


class HidingCases(Asked):
    """After messages that went well, and ones whose upstream quotes them in its errors."""

    @case
    async def test_logs_hold_no_secrets(self) -> None:
        """At every level, and from the libraries that the provider uses."""
        secrets = self._secrets()
        heard = await self._busy_day()
        assert [] == [line for line in heard.texts if any(each in line for each in secrets)]

    @case
    async def test_logs_hold_no_texts(self) -> None:
        """What people write to each other is theirs."""
        heard = await self._busy_day()
        assert [] == [line for line in heard.texts if TEXT in line]

    @case
    async def test_logs_hold_no_full_addresses(self) -> None:
        """The last four digits are enough to find a message by."""
        tail = re.sub(r"[^0-9A-Za-z]", "", self._sent().recipient.partition("@")[0])[-CARRIED_CHARACTERS:]
        heard = await self._busy_day()
        assert [] == [line for line in heard.texts if tail in line]

    @case
    async def test_outcomes_hold_no_secrets_texts_or_addresses(self) -> None:
        """Codes and texts go to the sender and into events; an upstream that quotes the request must not show."""
        sent, secrets = self._sent(), self._secrets(optional=True)
        for fault in FAULTS:
            async with self.broken_upstream(fault) as (running, _):
                for outcome in await running.submit(sent):
                    told = f"{outcome.code} {outcome.text}"
                    assert sent.text not in told
                    assert sent.recipient.lstrip("+") not in told
                    assert [] == [each for each in secrets if each in told]

    @case
    async def test_repr_holds_no_secrets(self) -> None:
        """Of the provider and of its settings: a traceback shows them."""
        secrets = self._secrets()
        table = self.settings("http://127.0.0.1:9")
        settings = self.provider_type.settings.model_validate(table)
        async with self.whole_upstream() as (running, _):
            told = f"{running.provider!r} {running.provider} {settings!r} {settings}"
            assert [] == [each for each in secrets if each in told]

    def _secrets(self, *, optional: bool = False) -> set[str]:
        settings = self.provider_type.settings.model_validate(self.settings("http://127.0.0.1:9"))
        secrets = secrets_of(settings)
        if not secrets and not optional:
            pytest.skip("the settings hold no secrets")
        return secrets | {CALLBACK_URL.rpartition("/")[2]}

    def _sent(self) -> OutboundMessage:
        return self.message(text=TEXT)

    async def _busy_day(self) -> Heard:
        """All that is heard while an instance starts, works, fails in several ways, and stops."""
        sent = self._sent()
        async with heard_from() as heard:
            async with self.whole_upstream() as (running, upstream):
                await running.submit(sent)
                await self._fail(running, upstream, sent)
                if running.provider.capabilities.query:
                    await running.query(sent)
                if running.provider.capabilities.callback:
                    request = self.some_callback()
                    await running.callback(request)
                    await running.callback(self.signed(replace(request, body=b"{", query=())))
                if self.upstream() is not None:
                    async with self.running(
                        base_url=upstream.refused_url, lent=Lent(log=running.lent.log)
                    ) as down:
                        await down.submit(sent)
                await running.stop()
            heard.texts += running.lent.log.text.splitlines()
        return heard

    async def _fail(self, running: RunningProvider, upstream: Upstream, sent: OutboundMessage) -> None:
        if self.upstream() is None:
            return
        for fault in FAULTS:
            upstream.fail(fault, times=None)
            await running.submit(sent)
            if running.provider.capabilities.query:
                await running.query(sent)
            upstream.recover()


@contextlib.asynccontextmanager
async def heard_from() -> AsyncIterator[Heard]:
    """Everything that the standard library's logging, structlog and print bring in the block."""
    heard = Heard()
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    printed = io.StringIO()
    try:
        with (
            structlog.testing.capture_logs() as structured,
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
        ):
            yield heard
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        heard.texts += [str(each) for each in structured]
        heard.texts += lines.getvalue().splitlines() + printed.getvalue().splitlines()
