"""Cases of opt-ins: what an upstream that keeps them itself is told, and asked."""

import pytest

from broker.spi import NotAccepted, OptInAnswer, OptInChange, OptInFound, OptInQuery, Unknown
from broker.testing.clock import NOW_US
from broker.testing.provider_suite.asked import Asked, expected
from broker.testing.provider_suite.case import case, waits
from broker.testing.running import RunningProvider
from broker.testing.upstream import Answer, CloseAfterBody, Fault, Hang, NotHttp, Say


class ConsentingCases(Asked):
    """For a provider that declares `opt_in`."""

    def _keeps_opt_ins(self) -> None:
        if not self.built().capabilities.opt_in:
            pytest.skip("the provider does not declare opt_in")

    def opt_in_change(self, number: int = 0, *, opted_in: bool = False) -> OptInChange:
        """A wish of recipient `number` that the upstream takes."""
        return OptInChange(
            sender=self.sender(self.channel),
            recipient=self.recipient(number, self.channel),
            opted_in=opted_in,
            every_account=False,
            keyword="START" if opted_in else "STOP",
            organisation_name="Acme",
            recipient_name="Ada",
            time_us=NOW_US,
        )

    @pytest.mark.parametrize("opted_in", [False, True], ids=["out", "in"])
    @case
    async def test_a_wish_is_told(self, opted_in: bool) -> None:
        """Whether the recipient opts out or in, for each in order; told twice, it is taken twice."""
        self._keeps_opt_ins()
        async with self.whole_upstream() as (running, _):
            changes = [self.opt_in_change(number, opted_in=opted_in) for number in (1, 2, 1)]
            answers = await running.set_opt_in(*changes)
            assert [True] * 3 == [expected(each, OptInAnswer).accepted for each in answers]

    @case
    async def test_no_wishes_are_told_to_nobody(self) -> None:
        """Nor is anything asked about none."""
        self._keeps_opt_ins()
        async with self.whole_upstream() as (running, upstream):
            assert [] == list(await running.set_opt_in())
            assert [] == list(await running.get_opt_in())
            assert [] == upstream.requests

    @case
    async def test_what_is_kept_is_answered_for_each(self) -> None:
        """In order; an upstream that knows nothing of somebody says so."""
        self._keeps_opt_ins()
        async with self.whole_upstream() as (running, _):
            queries = [
                OptInQuery(self.sender(self.channel), self.recipient(each, self.channel)) for each in (1, 2)
            ]
            answers = await running.get_opt_in(*queries)
            assert 2 == len(answers)
            for each in answers:
                assert expected(each, OptInFound).opted_in in {None, True, False}

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
    @case
    async def test_an_upstream_that_failed_has_not_answered(self, fault: Fault) -> None:
        """So that it is told again; an OptInAnswer would end that."""
        self._keeps_opt_ins()
        async with self.broken_upstream(fault) as (running, _):
            await self._did_not_answer(running)

    @case
    async def test_a_closed_port_has_not_answered(self) -> None:
        """Nor was anything told."""
        self._keeps_opt_ins()
        async with (
            self.broken_upstream() as (_, upstream),
            self.running(base_url=upstream.refused_url) as running,
        ):
            await self._did_not_answer(running)

    @waits
    @case
    async def test_silence_is_no_answer(self) -> None:
        """Within the provider's own time limit."""
        self._keeps_opt_ins()
        async with self.broken_upstream(Hang(), impatient=True) as (running, _):
            await self._did_not_answer(running)

    async def _did_not_answer(self, running: RunningProvider) -> None:
        change = self.opt_in_change()
        for answer in await running.set_opt_in(change, self.opt_in_change(1)):
            expected(answer, NotAccepted, Unknown, why="the upstream said nothing of the change")
        for found in await running.get_opt_in(OptInQuery(change.sender, change.recipient)):
            expected(found, Unknown, why="the upstream said nothing of the recipient")
