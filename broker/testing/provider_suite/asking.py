"""Cases of query: what became of messages, asked without sending any."""

import pytest

from broker.spi import Accepted, NotAccepted, OutboundMessage, Receipt, Rejected, Unknown
from broker.testing.provider_suite.asked import Asked, expected
from broker.testing.provider_suite.case import case, waits
from broker.testing.running import RunningProvider
from broker.testing.upstream import Answer, CloseAfterBody, Fault, Hang, NotHttp, Say


class AskingCases(Asked):
    """For a provider that declares `query`."""

    def _asks(self) -> None:
        if not self.built().capabilities.query:
            pytest.skip("the provider does not declare query")

    @case
    async def test_a_query_answers_each_message_in_order(self) -> None:
        """Those that were taken under their ids, and the one in between that nobody ever sent."""
        self._asks()
        async with self.whole_upstream() as (running, _):
            known = [self.message(1), self.message(2)]
            await self.accepted(running, *known)
            answers = await running.query(known[0], self.unsent_message(), known[1])
            assert 3 == len(answers)
            self._tells(answers[0], known[0])
            self._tells(answers[2], known[1])
            expected(answers[1], NotAccepted, Unknown, why="the upstream never got it")

    @case
    async def test_a_query_of_nothing_answers_nothing(self) -> None:
        """And asks nobody."""
        self._asks()
        async with self.whole_upstream() as (running, upstream):
            assert [] == list(await running.query())
            assert [] == upstream.requests

    @case
    async def test_a_query_knows_the_ids_or_finds_them(self) -> None:
        """A missing receipt is asked for with the ids, an unknown outcome without: both get their answer."""
        self._asks()
        async with self.whole_upstream() as (running, _):
            message = self.message()
            (ids,) = await self.accepted(running, message)
            with_ids = self.message(provider_message_ids=ids)
            for asked in (message, with_ids):
                self._tells((await running.query(asked))[0], message)

    @case
    async def test_a_query_never_sends(self) -> None:
        """Neither what is known nor what is not; asked twice, what was never sent is still not there."""
        self._asks()
        async with self.whole_upstream() as (running, upstream):
            known, unknown = self.message(1), self.unsent_message()
            await self.accepted(running, known)
            sends = list(upstream.requests)
            for _ in range(2):
                answers = await running.query(known, unknown)
                expected(answers[1], NotAccepted, Unknown, why="the query sent it")
            asked = upstream.requests[len(sends) :]
            assert [] == [each for each in asked if self.is_send(each, sends)]

    @case
    async def test_a_restarted_provider_answers_the_same(self) -> None:
        """Nothing is remembered: the upstream is asked."""
        self._asks()
        async with self.whole_upstream() as (running, upstream):
            message = self.message()
            await self.accepted(running, message)
            await running.stop()
            async with self.running(upstream) as again:
                self._tells((await again.query(message))[0], message)

    @pytest.mark.parametrize(
        "fault",
        [
            Say(Answer(500)),
            Say(Answer(429, b"", {"retry-after": "1"})),
            Say(Answer(401)),
            Say(Answer(200, b"{}", {"content-type": "application/json"})),
            Say(Answer.of_text("<html>log in</html>", 200, "text/html")),
            NotHttp(),
            CloseAfterBody(),
        ],
        ids=["500", "429", "401", "object", "page", "no http", "closed"],
    )
    @case
    async def test_a_question_that_failed_tells_nothing(self, fault: Fault) -> None:
        """NotAccepted would say that the upstream never got the message, and it would be sent twice."""
        self._asks()
        async with self.broken_upstream() as (running, upstream):
            await self.accepted(running, self.message())
            upstream.fail(fault, times=None)
            await self._knows_nothing(running)

    @case
    async def test_a_question_to_a_closed_port_tells_nothing(self) -> None:
        """Refused is the question, not the message."""
        self._asks()
        async with (
            self.broken_upstream() as (_, upstream),
            self.running(base_url=upstream.refused_url) as running,
        ):
            await self._knows_nothing(running)

    @waits
    @case
    async def test_a_question_without_an_answer_tells_nothing(self) -> None:
        """Within the provider's own time limit."""
        self._asks()
        async with self.broken_upstream(Hang(), impatient=True) as (running, _):
            await self._knows_nothing(running)

    async def _knows_nothing(self, running: RunningProvider) -> None:
        batch = [self.message(0), self.message(1)]
        for answer in await running.query(*batch):
            expected(answer, Unknown, why="the upstream said nothing of the message")

    def _tells(self, answer: object, message: OutboundMessage) -> None:
        """The answer is about this message: taken, under its ids."""
        expected(answer, Accepted, Receipt, Rejected, Unknown)
        ids = self.provider_message_ids(message)
        if isinstance(answer, Receipt):
            assert answer.provider_message_id in ids
        else:
            assert ids == expected(answer, Accepted).provider_message_ids
