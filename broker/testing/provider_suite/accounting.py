"""Cases of what an upstream tells of the account that an instance has with it: its balance, and what it counted."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import pytest

from broker.spi import UpstreamBalance, UpstreamUsage
from broker.testing.provider_suite.asked import Asked, expected
from broker.testing.provider_suite.case import case, waits
from broker.testing.running import RunningProvider, TookTooLong
from broker.testing.upstream import Answer, CloseAfterBody, Fault, Hang, NotHttp, Say

FIRST, LAST = date(2026, 7, 1), date(2026, 7, 31)
"""The days that are asked about."""

COUNTS_MAX = 10_000
WORD_CHARACTERS_MAX = 256
AMOUNT_MAX = 2**63


class AccountingCases(Asked):
    """For a provider that declares `balance` or `usage`."""

    def _declares(self, what: str) -> None:
        if not getattr(self.built().capabilities, what):
            pytest.skip(f"the provider does not declare {what}")

    @case
    async def test_a_balance_is_an_amount_in_millionths(self) -> None:
        """With a currency, or "" for credits of the upstream's own; asked twice, it is told twice."""
        self._declares("balance")
        async with self.whole_upstream() as (running, _):
            for _ in range(2):
                found = expected(await running.balance(), UpstreamBalance)
                assert type(found.amount_micros) is int, "millionths are whole: round what the upstream says"
                assert -AMOUNT_MAX <= found.amount_micros < AMOUNT_MAX
                _check_word(found.currency)

    @pytest.mark.parametrize("days", [1, 31])
    @case
    async def test_usage_is_of_the_days_that_were_asked_about(self, days: int) -> None:
        """Both ends included. A count of no day is of the whole range."""
        self._declares("usage")
        last = FIRST + timedelta(days=days - 1)
        async with self.whole_upstream() as (running, _):
            counts = list(await running.usage(FIRST, last))
            assert len(counts) <= COUNTS_MAX
            for each in counts:
                found = expected(each, UpstreamUsage)
                assert type(found.count) is int
                assert -AMOUNT_MAX <= found.count < AMOUNT_MAX
                _check_word(found.name)
                assert found.day is None or FIRST <= found.day <= last

    @pytest.mark.parametrize(
        "fault",
        [
            Say(Answer(500)),
            Say(Answer(429, b"", {"retry-after": "1"})),
            Say(Answer.of_text("<html>log in</html>", 200, "text/html")),
            NotHttp(),
            CloseAfterBody(),
        ],
        ids=["500", "429", "page", "no http", "closed"],
    )
    @pytest.mark.parametrize("what", ["balance", "usage"])
    @case
    async def test_an_upstream_that_failed_tells_nothing(self, what: str, fault: Fault) -> None:
        """The call raises. A 0 would be a lie: nobody has read it in an account."""
        self._declares(what)
        async with self.broken_upstream(fault) as (running, _):
            await _raises(_call(running, what))

    @pytest.mark.parametrize("what", ["balance", "usage"])
    @case
    async def test_a_closed_port_tells_nothing(self, what: str) -> None:
        """Nor does it wait for ever."""
        self._declares(what)
        async with (
            self.broken_upstream() as (_, upstream),
            self.running(base_url=upstream.refused_url) as running,
        ):
            await _raises(_call(running, what))

    @waits
    @pytest.mark.parametrize("what", ["balance", "usage"])
    @case
    async def test_silence_tells_nothing(self, what: str) -> None:
        """Within the provider's own time limit."""
        self._declares(what)
        async with self.broken_upstream(Hang(), impatient=True) as (running, _):
            await _raises(_call(running, what))


def _call(running: RunningProvider, what: str) -> Callable[[], Awaitable[Any]]:
    return running.balance if what == "balance" else lambda: running.usage(FIRST, LAST)


async def _raises(call: Callable[[], Awaitable[Any]]) -> None:
    """That a call raises something, and in time."""
    try:
        told = await call()
    except TookTooLong:
        raise
    except Exception:  # noqa: BLE001 - whatever a provider raises, the broker says that the upstream is unavailable
        return
    pytest.fail(f"it answered {told!r}, and the upstream has said nothing")


def _check_word(text: object) -> None:
    assert type(text) is str
    assert len(text) <= WORD_CHARACTERS_MAX
    assert text.isprintable(), "it goes to terminals: one line without control characters"
