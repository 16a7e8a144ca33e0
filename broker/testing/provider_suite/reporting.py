"""Cases of receipts: what an upstream reports by itself, mapped to facts, and never guessed."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from broker.spi import (
    CallbackAnswer,
    CallbackRequest,
    IdSpelling,
    Inbound,
    OutboundMessage,
    Receipt,
    ReceiptMode,
    ReceiptStatus,
    Traffic,
)
from broker.testing.clock import FlowingClock
from broker.testing.provider_suite.asked import Asked
from broker.testing.provider_suite.case import case
from broker.testing.provider_suite.leftovers import until
from broker.testing.running import RunningProvider

BODY_BYTES_MAX = 65_536
MALFORMED: Mapping[str, bytes] = {
    "empty": b"",
    "bytes": bytes(range(256)),
    "list": b"[]",
    "object": b"{}",
    "null": b"null",
    "nested": b"[" * 100_000,
    "form": b"a=1&b=%zz&=",
    "element": b"<a/>",
}


class CallbackCases(Asked):
    """For a provider that declares `callback`."""

    def _called_back(self) -> None:
        if not self.built().capabilities.callback:
            pytest.skip("the provider does not declare callback")

    def _reports(self) -> None:
        self._called_back()
        if self.built().capabilities.receipts is not ReceiptMode.PUSH:
            pytest.skip("the provider's callbacks bring no receipts")

    @pytest.mark.parametrize("status", [each for each in ReceiptStatus if each is not ReceiptStatus.UNKNOWN])
    @case
    async def test_a_receipt_says_its_status(self, status: ReceiptStatus) -> None:
        """With the id that `Accepted` named, as far as `receipt_ids` lets its spelling differ."""
        self._reports()
        if status not in self.receipt_statuses:
            pytest.skip("receipt_statuses does not list it")
        async with self.whole_upstream() as (running, _):
            message = self.message()
            (ids,) = await self.accepted(running, message)
            assert [status] == [
                each.status for each in await self._receipts(running, ids[0], status, message)
            ]

    @case
    async def test_every_part_has_its_receipt(self) -> None:
        """Each id of an accepted message can be reported on."""
        self._reports()
        async with self.whole_upstream() as (running, _):
            message = self.message(units=3)
            (ids,) = await self.accepted(running, message)
            assert ids, "a provider that gives receipts needs ids to match them by"
            for each in ids:
                assert 1 == len(await self._receipts(running, each, ReceiptStatus.DELIVERED, message))

    @case
    async def test_a_receipt_may_come_before_the_submit_answer(self) -> None:
        """The broker keeps it; a provider that waits for its own answer would lose it."""
        self._reports()
        async with self.whole_upstream() as (running, _):
            message = self.message()
            (early,) = self.provider_message_ids(message)[:1]
            assert 1 == len(await self._receipts(running, early, ReceiptStatus.DELIVERED, message))
            assert [self.provider_message_ids(message)] == await self.accepted(running, message)

    @case
    async def test_a_receipt_may_come_twice_and_in_any_order(self) -> None:
        """Each says what it says, whatever came before: order is the broker's business."""
        self._reports()
        async with self.whole_upstream() as (running, _):
            message = self.message()
            (ids,) = await self.accepted(running, message)
            statuses = sorted(self.receipt_statuses, key=lambda each: each.name)
            told = [
                await self._receipts(running, ids[0], each, message) for each in (*statuses, *statuses[::-1])
            ]
            assert [*statuses, *statuses[::-1]] == [receipt.status for (receipt,) in told]
            assert told == told[::-1]

    @case
    async def test_a_receipt_of_another_instance_is_reported_all_the_same(self) -> None:
        """After a restart nothing is remembered: the broker knows which message it is about."""
        self._reports()
        async with self.whole_upstream() as (running, upstream):
            message = self.message()
            (ids,) = await self.accepted(running, message)
            await running.stop()
            async with self.running(upstream) as again:
                assert 1 == len(await self._receipts(again, ids[0], ReceiptStatus.DELIVERED, message))

    @case
    async def test_a_status_that_nobody_documented_is_unknown(self) -> None:
        """Not a guess; the code is passed on, so that somebody can look it up."""
        self._reports()
        async with self.whole_upstream() as (running, _):
            message = self.message()
            (ids,) = await self.accepted(running, message)
            request = self.receipt_request(ids[0], None, message)
            (receipt,) = await self._facts(running, request)
            assert isinstance(receipt, Receipt)
            assert ReceiptStatus.UNKNOWN is receipt.status
            assert receipt.code, "the upstream's own word is lost"

    @pytest.mark.parametrize("name", MALFORMED)
    @case
    async def test_a_malformed_callback_is_refused(self, name: str) -> None:
        """With a 4xx and no facts: it must neither raise nor be acknowledged."""
        self._called_back()
        async with self.whole_upstream() as (running, _):
            request = self.some_callback()
            body = MALFORMED[name]
            wrong = self.signed(replace(request, body=body, query=()))
            if body == request.body and not request.query:
                pytest.skip("the upstream's requests look like that")
            _check_refused(await running.callback(wrong))

    @case
    async def test_a_callback_cut_short_is_refused(self) -> None:
        """Half of a right one."""
        self._called_back()
        async with self.whole_upstream() as (running, _):
            request = self.some_callback()
            half = replace(
                request,
                body=request.body[: len(request.body) // 2],
                query=tuple(request.query)[: len(request.query) // 2],
            )
            _check_refused(await running.callback(self.signed(half)))

    @case
    async def test_a_forged_callback_is_refused(self) -> None:
        """Where the upstream signs: with a 4xx and no facts."""
        self._called_back()
        forged = self.forged_request(self.some_callback())
        if forged is None:
            pytest.skip("the upstream signs nothing, so its secret is the callback's address")
        async with self.whole_upstream() as (running, _):
            assert (await running.callback(self.some_callback())).facts, "the right one is taken"
            _check_refused(await running.callback(forged))

    @case
    async def test_nothing_is_acknowledged_before_it_is_kept(self) -> None:
        """Facts are answered, for the broker to commit.

        A provider that reports them itself waits, and does not acknowledge what the broker could not take.
        """
        self._reports()
        async with self.whole_upstream() as (running, _):
            message = self.message()
            (ids,) = await self.accepted(running, message)
            running.lent.reports.failures_left = 1_000
            request = self.receipt_request(ids[0], ReceiptStatus.DELIVERED, message)
            try:
                answer = await running.callback(request)
            except Exception:  # noqa: BLE001 - whatever it is, the broker answers it with a 5xx
                return
            assert answer.facts or answer.status >= 500, "acknowledged, and nobody has it"

    @case
    async def test_a_message_that_somebody_wrote_is_told(self) -> None:
        """From whom, to whom, and the text as it was written."""
        self._called_back()
        request = self.inbound_request("+447700900001", "+447700900002", "Yes & <no> é 👍")
        if request is None:
            pytest.skip("inbound_request() builds none")
        async with self.whole_upstream() as (running, _):
            (fact,) = await self._facts(running, request)
            assert isinstance(fact, Inbound)
            assert "Yes & <no> é 👍" == fact.text
            assert ("7700900001", "7700900002") == (fact.sender[-10:], fact.recipient[-10:])

    @case
    async def test_an_answer_outlives_the_callback_that_waited_for_it(self) -> None:
        """Where a callback is answered later and its upstream hangs up: what was to be said goes out another way."""
        self._called_back()
        async with self.whole_upstream() as (running, upstream):
            answer = await running.callback(self.some_callback())
            if answer.later is None:
                pytest.skip("its callbacks are answered at once")
            (fact,) = answer.facts
            assert isinstance(fact, Inbound)
            waiting = asyncio.create_task(answer.later.answer())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait({waiting}, timeout=self.time_limit_s)
            assert waiting.cancelled(), "a late answer resists being cancelled"
            answer.later.written(False)
            said = self.message(recipient=fact.sender, traffic=Traffic.CONVERSATIONAL)
            await self.accepted(running, said)
            if self.upstream() is not None:
                assert [] != [each for each in upstream.requests if self.carries(each, said)]

    @case
    async def test_an_answer_names_the_message_that_it_answers(self) -> None:
        """By the id that `Accepted` named, so that nobody has to guess."""
        self._called_back()
        async with self.whole_upstream() as (running, _):
            message = self.message()
            (ids,) = await self.accepted(running, message)
            if not ids:
                pytest.skip("its messages have no ids")
            request = self.answer_request("+447700900001", "+447700900002", "Yes", ids[0])
            if request is None:
                pytest.skip("answer_request() builds none")
            (fact,) = await self._facts(running, request)
            assert isinstance(fact, Inbound)
            assert ("Yes", ids[0]) == (fact.text, fact.answers)

    async def _receipts(
        self, running: RunningProvider, message_id: str, status: ReceiptStatus, message: OutboundMessage
    ) -> list[Receipt]:
        """The receipts in the answer to the upstream's report; they are all about this id."""
        found = await self._facts(running, self.receipt_request(message_id, status, message))
        receipts = [each for each in found if isinstance(each, Receipt)]
        assert receipts == found
        for each in receipts:
            assert self._spelt(message_id) == self._spelt(each.provider_message_id)
        return receipts

    async def _facts(self, running: RunningProvider, request: CallbackRequest) -> list[object]:
        """The facts of a right callback, and nothing wrong with the answer to it."""
        answer = await running.callback(request)
        assert 200 <= answer.status < 300, answer
        assert isinstance(answer.body, bytes)
        assert len(answer.body) <= BODY_BYTES_MAX
        return [*answer.facts, *_taken(running)]

    def _spelt(self, message_id: str) -> str:
        spelling = self.built().capabilities.receipt_ids
        if spelling is IdSpelling.EXACT:
            return message_id
        return message_id.lower().lstrip("0") if spelling is IdSpelling.CASELESS else "a number"


class PushingCases(Asked):
    """For a provider that reports by itself, without a callback: `deliver` makes the upstream end a message."""

    def _pushes(self) -> None:
        declared = self.built().capabilities
        if declared.callback or declared.receipts is not ReceiptMode.PUSH:
            pytest.skip("the provider does not report by itself")

    @case
    async def test_the_end_of_a_message_is_reported(self) -> None:
        """Under an id that `Accepted` named."""
        self._pushes()
        async with self.whole_upstream() as (running, _):
            message = self.message()
            (ids,) = await self.accepted(running, message)
            await self.deliver(running, message)
            assert await self._told(running), "no receipt was reported"
            receipt = running.lent.reports.facts[0]
            assert isinstance(receipt, Receipt)
            assert receipt.provider_message_id in ids

    @case
    async def test_a_report_that_was_not_taken_is_repeated(self) -> None:
        """The store was down: nothing was acknowledged, and the receipt comes again."""
        self._pushes()
        async with self.whole_upstream() as (running, _):
            message = self.message()
            await self.accepted(running, message)
            running.lent.reports.failures_left = 2
            await self.deliver(running, message)
            assert await self._told(running), "the receipt is lost"
            assert 2 == running.lent.reports.refused

    async def _told(self, running: RunningProvider) -> bool:
        """Whether something is reported, before long by the provider's clock."""
        clock = running.lent.clock

        def some() -> bool:
            if isinstance(clock, FlowingClock):
                clock.advance(1)
            return bool(running.lent.reports.facts)

        return await until(some)


def _taken(running: RunningProvider) -> list[object]:
    """What the provider reported by itself since the last look."""
    facts, running.lent.reports.facts = running.lent.reports.facts, []
    return list(facts)


def _check_refused(answer: CallbackAnswer) -> None:
    assert 400 <= answer.status < 500, f"answered with {answer.status}"
    assert [] == list(answer.facts), "facts were made of it"
