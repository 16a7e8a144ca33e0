"""Cases of judgement: what happened at the upstream, and which outcome says so."""

import math
from collections.abc import Mapping
from email.utils import formatdate

import pytest

from broker.spi import Accepted, NotAccepted, Outcome, Rejected, Unknown
from broker.testing.provider_suite.asked import Asked, expected
from broker.testing.provider_suite.case import case, waits
from broker.testing.upstream import (
    Answer,
    CloseAfterBody,
    Drip,
    Endless,
    Fault,
    Hang,
    NotHttp,
    ResetAfterBody,
    ResetMidBody,
    ResetOnAccept,
    Say,
    Truncated,
)

RETRY_AFTER_S_MAX = 86_400
"""A Retry-After beyond a day is a mistake of the upstream's, or somebody's joke."""

JSON = {"content-type": "application/json"}
SENSELESS: Mapping[str, Answer] = {
    "empty": Answer(200, b"", JSON),
    "bytes": Answer(200, bytes(range(256)), JSON),
    "page": Answer.of_text("<html><body>Please log in to this network</body></html>", 200, "text/html"),
    "null": Answer(200, b"null", JSON),
    "list": Answer(200, b"[]", JSON),
    "object": Answer(200, b"{}", JSON),
    "text": Answer(200, b'"ok"', JSON),
    "nested": Answer(200, b"[" * 100_000, JSON),
    "digits": Answer(200, b"9" * 5_000, JSON),
    "infinity": Answer(200, b"Infinity", JSON),
    "element": Answer.of_text("<status/>", 200, "application/xml"),
    "entities": Answer.of_text(
        '<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;&c;&c;</a>',
        200,
        "application/xml",
    ),
}
"""Answers with status 200 that say nothing of a message."""

ABSURD_PAUSES = ("", "soon", "-5", "nan", "inf", "1e400", "9" * 400, "٣", "Sat, 99 Foo 2026 25:61:61 GMT")
TAKEN_MAYBE = "the request had left, so it may have been taken"


class JudgingCases(Asked):
    """One fault at a time, and only the outcome that is true."""

    senseless: Mapping[str, Answer] = SENSELESS
    """Drop what does mean something to your upstream."""

    async def judged(self, fault: Fault, *, impatient: bool = False) -> Outcome:
        """The outcome of a message whose every request meets this fault."""
        async with self.broken_upstream(fault, impatient=impatient) as (running, _):
            (outcome,) = await running.submit(self.message())
            return outcome

    @case
    async def test_a_refused_connection_is_not_accepted(self) -> None:
        """No byte of the message left: the next attempt is safe."""
        async with (
            self.broken_upstream() as (_, upstream),
            self.running(base_url=upstream.refused_url) as running,
        ):
            expected((await running.submit(self.message()))[0], NotAccepted)

    @case
    async def test_a_reset_before_the_request_is_read_is_never_taken(self) -> None:
        """What a client sees differs by the moment: NotAccepted where it is sure, else Unknown."""
        expected(await self.judged(ResetOnAccept()), NotAccepted, Unknown)

    @case
    async def test_a_reset_within_the_request_is_unknown(self) -> None:
        """What had been sent may have been enough."""
        expected(await self.judged(ResetMidBody()), Unknown, why=TAKEN_MAYBE)

    @case
    async def test_a_reset_after_the_request_is_unknown(self) -> None:
        """It was read whole, and only the answer is lost."""
        expected(await self.judged(ResetAfterBody()), Unknown, why=TAKEN_MAYBE)

    @case
    async def test_a_connection_closed_without_an_answer_is_unknown(self) -> None:
        """As a server does that is restarted."""
        expected(await self.judged(CloseAfterBody()), Unknown, why=TAKEN_MAYBE)

    @waits
    @case
    async def test_no_answer_at_all_is_unknown(self) -> None:
        """Within the provider's own time limit: the request was read, nothing came back."""
        expected(await self.judged(Hang(), impatient=True), Unknown, why=TAKEN_MAYBE)

    @waits
    @case
    async def test_a_connection_that_is_accepted_and_never_read_is_unknown(self) -> None:
        """The request is in the peer's buffers: it may be read when nobody waits any longer."""
        expected(await self.judged(Hang(reading=False), impatient=True), Unknown, why=TAKEN_MAYBE)

    @waits
    @case
    async def test_an_answer_that_never_ends_its_dripping_is_unknown(self) -> None:
        """The time limit is for all of the answer: each byte came soon enough after the last."""
        expected(await self.judged(Drip(), impatient=True), Unknown, why=TAKEN_MAYBE)

    @case
    async def test_an_answer_that_is_no_http_is_unknown(self) -> None:
        """Some other service answers on that port, or something in between broke."""
        expected(await self.judged(NotHttp()), Unknown, why=TAKEN_MAYBE)

    @case
    async def test_an_answer_cut_short_is_unknown(self) -> None:
        """It was taken, most likely, and its id is lost."""
        expected(await self.judged(Truncated()), Unknown, why=TAKEN_MAYBE)

    @case
    async def test_an_answer_without_an_end_is_not_read_to_its_end(self) -> None:
        """A provider reads a bounded answer, hangs up, and cannot tell."""
        fault = Endless()
        async with self.broken_upstream(fault) as (running, upstream):
            expected((await running.submit(self.message()))[0], Unknown, why=TAKEN_MAYBE)
            assert upstream.bytes_written < fault.bytes_max, "the whole answer was read into memory"

    @pytest.mark.parametrize("name", SENSELESS)
    @case
    async def test_a_senseless_answer_is_unknown(self, name: str) -> None:
        """Status 200 alone says nothing: without an id nobody can follow the message."""
        if name not in self.senseless:
            pytest.skip("it makes sense to this upstream")
        expected(await self.judged(Say(self.senseless[name])), Unknown, why=TAKEN_MAYBE)

    @pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
    @case
    async def test_a_server_error_is_unknown(self, status: int) -> None:
        """It may have come after the message was queued, unless the upstream documents otherwise."""
        if status in self.not_processed:
            pytest.skip("not_processed says that it means NotAccepted")
        outcome = await self.judged(Say(Answer.of_text("Server Error", status)))
        expected(outcome, Unknown, why="not_processed does not list the status")

    @pytest.mark.parametrize("status", [429, 503])
    @case
    async def test_a_throttled_message_is_not_accepted(self, status: int) -> None:
        """The upstream says itself that it took nothing."""
        self._throttles_with(status)
        expected(await self.judged(Say(Answer.of_text("Slow down", status))), NotAccepted)

    @pytest.mark.parametrize("status", [429, 503])
    @case
    async def test_retry_after_in_seconds_is_passed_on(self, status: int) -> None:
        """The broker waits at least so long."""
        self._throttles_with(status)
        answer = Answer(status, b"Slow down", {"retry-after": "7"})
        outcome = expected(await self.judged(Say(answer)), NotAccepted)
        assert 7 == outcome.retry_after_s

    @pytest.mark.parametrize("status", [429, 503])
    @case
    async def test_retry_after_as_a_date_is_passed_on(self, status: int) -> None:
        """Counted from `context.clock`, which a test sets, or from the answer's own Date."""
        self._throttles_with(status)
        async with self.broken_upstream() as (running, upstream):
            now_s = running.lent.clock.now_us() / 1e6
            headers = {
                "retry-after": formatdate(now_s + 90, usegmt=True),
                "date": formatdate(now_s, usegmt=True),
            }
            upstream.fail(Say(Answer(status, b"Slow down", headers)))
            outcome = expected((await running.submit(self.message()))[0], NotAccepted)
            assert outcome.retry_after_s is not None
            assert abs(outcome.retry_after_s - 90) < 5

    @case
    async def test_retry_after_in_the_past_asks_for_no_pause(self) -> None:
        """Clocks differ."""
        self._throttles_with(429)
        past = formatdate(1_000_000_000, usegmt=True)
        outcome = expected(await self.judged(Say(Answer(429, b"", {"retry-after": past}))), NotAccepted)
        assert not outcome.retry_after_s

    @pytest.mark.parametrize("written", ABSURD_PAUSES)
    @case
    async def test_an_absurd_retry_after_is_bounded_or_ignored(self, written: str) -> None:
        """Still not accepted; a pause is a finite number of seconds from 0 to a day, or none."""
        self._throttles_with(429)
        absurd = Answer(429, b"", {"retry-after": written.encode().decode("latin-1")})
        pause_s = expected(await self.judged(Say(absurd)), NotAccepted).retry_after_s
        if pause_s is not None:
            assert math.isfinite(pause_s)
            assert 0 <= pause_s <= RETRY_AFTER_S_MAX

    @pytest.mark.parametrize("status", [401, 403])
    @case
    async def test_wrong_credentials_burn_no_messages(self, status: int) -> None:
        """Nothing is wrong with the message, and it was surely not taken: an operator mends it, and it goes out."""
        outcome = await self.judged(Say(Answer.of_text("Unauthorized", status)))
        expected(outcome, NotAccepted, why="a wrong password would end every message REJECTED")

    @case
    async def test_a_wrong_address_burns_no_messages(self) -> None:
        """404 without the upstream's own words: the base URL is wrong, or something in between is."""
        outcome = await self.judged(Say(Answer.of_text("<h1>Not Found</h1>", 404, "text/html")))
        expected(outcome, NotAccepted, Unknown, why="a wrong URL would end every message REJECTED")

    @case
    async def test_a_message_refused_for_good_is_rejected(self) -> None:
        """As the upstream words it: no other attempt could succeed."""
        message = self.refused_message()
        if message is None:
            pytest.skip("refused_message() names no message that the upstream refuses")
        async with self.whole_upstream() as (running, _):
            expected((await running.submit(message))[0], Rejected)

    @case
    async def test_a_message_is_sent_once_however_it_ends(self) -> None:
        """The broker alone decides on another attempt.

        Some HTTP libraries repeat a request whose reused connection broke: here the first message warms the
        connection that the second one loses.
        """
        async with self.broken_upstream() as (running, upstream):
            await self.accepted(running, self.message(1))
            for number, fault in enumerate((ResetAfterBody(), CloseAfterBody(), Say(Answer(500))), 2):
                message = self.message(number)
                upstream.fail(fault, times=None)
                await running.submit(message)
                upstream.recover()
                carried = [each for each in upstream.requests if self.carries(each, message)]
                assert 1 == len(carried), f"{len(carried)} requests after {fault}"

    @case
    async def test_the_next_message_goes_out_after_each_failure(self) -> None:
        """A broken connection is not used again, and nothing stays broken behind it."""
        faults = (ResetAfterBody(), CloseAfterBody(), NotHttp(), Truncated(), Say(self.senseless["page"]))
        async with self.broken_upstream() as (running, upstream):
            for number, fault in enumerate(faults):
                upstream.fail(fault, times=None)
                await running.submit(self.message(10 + number))
                upstream.recover()
                outcome = (await running.submit(self.message(20 + number)))[0]
                expected(outcome, Accepted, why=f"the failure before it was {fault}")

    def _throttles_with(self, status: int) -> None:
        if status not in self.not_processed:
            pytest.skip("not_processed does not list the status")
