"""Cases of submit: one outcome for each message, in their order, and each its own."""

import asyncio
import copy
import math
import re
from collections import Counter
from collections.abc import Sequence

import pytest

from broker.domain.decision import CODE_CHARACTERS_MAX, TEXT_CHARACTERS_MAX
from broker.spi import (
    Accepted,
    Campaign,
    Idempotency,
    NotAccepted,
    OutboundMessage,
    Outcome,
    Particulars,
    Reason,
    Rejected,
    TemplateUsed,
    Unknown,
)
from broker.testing.provider_suite.asked import Asked, expected
from broker.testing.provider_suite.case import case
from broker.testing.upstream import Answer, Echo, Fault, Late, NotHttp, Request, Say

BATCH_MAX = 500
CONCURRENT = 8
ID_CHARACTERS_MAX = 255
WORDS = "The upstream explains at length what went wrong with it. " * 2_000


class SubmittingCases(Asked):
    """What the broker relies on with every batch."""

    @case
    async def test_a_message_is_accepted_under_its_id(self) -> None:
        """The way of nearly every message."""
        async with self.whole_upstream() as (running, _):
            message = self.message()
            assert [self.provider_message_ids(message)] == await self.accepted(running, message)

    @case
    async def test_a_full_batch_has_its_outcomes_in_order(self) -> None:
        """As many as `batch_max` allows, each with its own id at its own place."""
        async with self.whole_upstream() as (running, _):
            size = min(running.provider.capabilities.batch_max, BATCH_MAX)
            batch = [self.message(number) for number in range(size)]
            ids = await self.accepted(running, *batch)
            assert [self.provider_message_ids(each) for each in batch] == ids

    @case
    async def test_an_empty_batch_asks_nobody(self) -> None:
        """Nothing in, nothing out."""
        async with self.whole_upstream() as (running, upstream):
            assert [] == list(await running.submit())
            assert [] == upstream.requests

    @case
    async def test_a_failed_request_harms_no_other_message(self) -> None:
        """In a batch, the messages of the request that failed are Unknown; all the others are Accepted."""
        broken = self.message(1)
        async with self.broken_upstream(NotHttp(), when=lambda request: self.carries(request, broken)) as (
            running,
            upstream,
        ):
            batch = [
                self.message(number) for number in range(min(3, running.provider.capabilities.batch_max))
            ]
            if broken not in batch:
                pytest.skip("a batch holds one message")
            outcomes = await running.submit(*batch)
            failed = [each for each in upstream.requests if self.carries(each, broken)]
            assert len(batch) == len(outcomes)
            for message, outcome in zip(batch, outcomes, strict=True):
                self._fits(outcome, message, failed)

    def _fits(self, outcome: Outcome, message: OutboundMessage, failed: Sequence[Request]) -> None:
        if any(self.carries(each, message) for each in failed):
            expected(outcome, Unknown)
        else:
            ids = expected(outcome, Accepted).provider_message_ids
            assert self.provider_message_ids(message) == ids

    @case
    async def test_a_refused_message_harms_no_other(self) -> None:
        """It is Rejected at its own place; the one before and the one after are Accepted under their ids."""
        refused = self.refused_message()
        if refused is None:
            pytest.skip("refused_message() names no message that the upstream refuses")
        async with self.whole_upstream() as (running, _):
            if running.provider.capabilities.batch_max < 3:
                pytest.skip("a batch holds fewer than three messages")
            before, after = self.message(1), self.message(2)
            outcomes = await running.submit(before, refused, after)
            assert 3 == len(outcomes)
            expected(outcomes[1], Rejected)
            for message, outcome in ((before, outcomes[0]), (after, outcomes[2])):
                ids = expected(outcome, Accepted).provider_message_ids
                assert self.provider_message_ids(message) == ids

    @case
    async def test_concurrent_submits_get_their_own_answers(self) -> None:
        """Also where the upstream answers in another order than it was asked."""
        messages = [self.message(number) for number in range(CONCURRENT)]
        async with self.whole_upstream() as (running, upstream):
            for number, message in enumerate(messages):
                late = Late((CONCURRENT - number) * 0.01)
                upstream.fail(late, when=lambda request, message=message: self.carries(request, message))  # type: ignore[misc]
            ids = await asyncio.gather(*(self.accepted(running, each) for each in messages))
            assert [[self.provider_message_ids(each)] for each in messages] == ids

    @case
    async def test_messages_are_left_as_they_were(self) -> None:
        """The broker may hand the same objects to the next provider."""
        async with self.whole_upstream() as (running, _):
            message = self.message()
            before = copy.deepcopy(message)
            await running.submit(message)
            assert before == message

    @pytest.mark.parametrize(
        "fault",
        [
            Say(Answer.of_text(WORDS, 400)),
            Say(Answer.of_json({"error": WORDS, "code": WORDS, "message": WORDS, "title": [WORDS]}, 422)),
            Say(Answer.of_text(f"<error><code>{WORDS}</code></error>", 500, "application/xml")),
            Say(Answer.of_json({"code": 7, "error": {"a": None}, "message": 1.5, "id": -1}, 429)),
            Say(Answer(418, b"\xff\xfe\x00\xd8\x00", {"content-type": "text/plain; charset=utf-8"})),
            Say(Answer(499, b"x", {"content-type": "text/plain; charset=no-such-charset"})),
            Echo(400),
        ],
        ids=["text", "json", "xml", "types", "undecodable", "charset", "echo"],
    )
    @case
    async def test_what_an_upstream_says_of_a_failure_is_bounded(self, fault: Fault) -> None:
        """A code of at most 64 characters and a text of at most 1,000, both text, whatever it said."""
        async with self.broken_upstream(fault) as (running, _):
            for outcome in await running.submit(self.message()):
                _check_shape(outcome)

    @case
    async def test_a_repeated_message_keeps_its_key(self) -> None:
        """Where KEY is declared: the same for every attempt at a message, and another for each message."""
        if self.built().capabilities.idempotency is not Idempotency.KEY:
            pytest.skip("the provider does not declare KEY")
        async with self.broken_upstream() as (running, upstream):
            again, other = self.message(1, attempt=2), self.message(2)
            for message in (self.message(1), again, other):
                await running.submit(message)
            keys = Counter(
                self.key_in(each) or _literal_key(each, (again, other))
                for each in upstream.requests
                if self.carries(each, again) or self.carries(each, other)
            )
            assert [2, 1] == sorted(keys.values(), reverse=True), dict(keys)
            assert None not in keys, "a request carries no key"

    @case
    async def test_optional_fields_may_be_empty(self) -> None:
        """No sender, no reference, no tags: an upstream's default, or a refusal that says why."""
        async with self.whole_upstream() as (running, _):
            message = self.message(sender="", client_reference="", tags=())
            expected((await running.submit(message))[0], Accepted, Rejected)

    @case
    async def test_optional_fields_may_be_full(self) -> None:
        """As long as the broker lets them be."""
        async with self.whole_upstream() as (running, _):
            tags = tuple(f"tag-{number:02d}-{'x' * 40}" for number in range(10))
            particulars = Particulars(
                campaign=Campaign("c" * 64, "n" * 128),
                origin="o" * 64,
                reply_to_message_id="01KAB3XQ00000",
                reply_to_provider_message_id="in-1",
                ignore_quiet_hours=True,
                links_shortened=True,
                template=TemplateUsed("p" * 64, "t" * 64, 7, "en-GB"),
                template_values={"Name": "Ada"},
            )
            message = self.message(
                client_reference="r" * 255, tags=tags, attempt=12, units=10, particulars=particulars
            )
            expected((await running.submit(message))[0], Accepted)

    @case
    async def test_every_channel_is_served(self) -> None:
        """What capabilities declare, submit takes."""
        async with self.whole_upstream() as (running, _):
            for number, channel in enumerate(sorted(running.provider.capabilities.channels)):
                message = self.message(number, channel=channel)
                assert [self.provider_message_ids(message)] == await self.accepted(running, message)


def _literal_key(request: Request, messages: Sequence[OutboundMessage]) -> str | None:
    """The word of a request that holds one of the messages' keys, whole: the key with anything put to it."""
    for each in messages:
        if found := re.search(rf"[\w-]*{re.escape(each.idempotency_key)}[\w-]*", request.everything):
            return found[0]
    return None


def _check_shape(outcome: Outcome) -> None:
    """One of the four kinds, with fields that the broker can store as they are."""
    expected(outcome, Accepted, Rejected, NotAccepted, Unknown)
    if isinstance(outcome, Accepted):
        assert isinstance(outcome.provider_message_ids, tuple)
        assert isinstance(outcome.aliases, tuple)
        assert not outcome.aliases or len(outcome.provider_message_ids) <= 1, "aliases are beside a single id"
        for each in (*outcome.provider_message_ids, *outcome.aliases):
            assert isinstance(each, str)
            assert 0 < len(each) <= ID_CHARACTERS_MAX
            assert "\n" not in each
    assert isinstance(outcome.code, str)
    assert isinstance(outcome.text, str)
    assert len(outcome.code) <= CODE_CHARACTERS_MAX, f"a code of {len(outcome.code)} characters"
    assert len(outcome.text) <= TEXT_CHARACTERS_MAX, f"a text of {len(outcome.text)} characters"
    assert outcome.code.isprintable(), "a code is one line"
    (outcome.code + outcome.text).encode()
    if isinstance(outcome, Rejected):
        assert isinstance(outcome.reason, Reason)
    if isinstance(outcome, NotAccepted) and outcome.retry_after_s is not None:
        assert isinstance(outcome.retry_after_s, int | float)
        assert math.isfinite(outcome.retry_after_s)
