# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of questions: what is overdue, what is asked, what an answer means, and what a restart releases."""

from typing import Any

import pytest

from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import Accepted, NotAccepted, Outcome, Receipt, Rejected, Unknown
from broker.domain.vocabulary import Guarantee, Reason
from broker.storage.agenda import Work
from broker.storage.dispatching import OpenAttempt
from broker.storage.questioning import Question, read_next_question_at, release_leases, settle_answers
from broker.testing.builders import NOW_US, PROVIDER, SECOND_US, phones
from broker.testing.store_suite.bench import LEASE_US, Bench, attempt_at, receipt, room
from broker.testing.store_suite.opening import OpenedStore

ONCE = Guarantee.AT_MOST_ONCE
OUTCOMES: list[Outcome] = [Accepted(), Rejected(), NotAccepted(), Unknown()]


async def doubted(bench: Bench, **changes: object) -> tuple[OpenAttempt, Question]:
    """A message whose outcome is unknown, and the first question about it."""
    attempt = await bench.open(**changes)
    await bench.settle(attempt, Unknown(), questions=True)
    bench.wait(1)
    (question,) = (await bench.overdue()).questions
    return attempt, question


async def unreported(bench: Bench, **changes: Any) -> Question:
    """A message whose receipt is overdue, and the first question about it."""
    await bench.sent("x", questions=True, **changes)
    bench.wait(30)
    (question,) = (await bench.overdue()).questions
    return question


class OverdueCases(OpenedStore):
    """What is claimed to be asked about."""

    async def test_nothing_is_overdue_in_an_empty_store(self, bench: Bench) -> None:
        """And nothing will be."""
        found = await bench.overdue()
        assert ((), 0, None) == (found.questions, found.looked_at, found.next_at_us)
        assert await bench.store.read(read_next_question_at) is None

    @pytest.mark.parametrize("early_us", [1, 0], ids=["a moment before", "exactly"])
    async def test_an_open_attempt_is_doubted_when_its_lease_runs_out(
        self, bench: Bench, early_us: int
    ) -> None:
        """Nobody recorded an outcome: it is unknown, not failed."""
        attempt = await bench.open()
        bench.now_us = NOW_US + LEASE_US - early_us
        assert NOW_US + LEASE_US == await bench.store.read(read_next_question_at)
        found = await bench.overdue()
        assert (0 if early_us else 1) == len(found.questions)
        assert ([] if early_us else [Fact.DOUBTED]) == (await bench.facts(attempt.message_id))[2:]

    async def test_a_question_is_leased_like_an_attempt(self, bench: Bench) -> None:
        """It is asked once until its lease runs out, and then again."""
        attempt, question = await doubted(bench)
        assert () == (await bench.overdue()).questions
        bench.wait(90)
        (again,) = (await bench.overdue()).questions
        assert (attempt.message_id, 1, 2) == (again.message_id, question.asked, again.asked)

    async def test_a_question_about_a_receipt_carries_the_providers_ids(self, bench: Bench) -> None:
        """In the order of their parts."""
        await bench.sent("b", "a", questions=True)
        bench.wait(30)
        (question,) = (await bench.overdue()).questions
        assert (("b", "a"), Work.RECEIPT) == (question.message.provider_message_ids, question.work)

    async def test_a_question_about_a_doubt_carries_no_ids(self, bench: Bench) -> None:
        """The provider answered none; those of another message are not shown."""
        await bench.sent("x")
        _, question = await doubted(bench)
        assert ((), Work.DOUBT) == (question.message.provider_message_ids, question.work)

    async def test_no_more_is_claimed_than_was_wished_for(self, bench: Bench) -> None:
        """The rest is told by its time."""
        await bench.send(recipients=phones(3))
        await bench.claim()
        bench.wait(90)
        found = await bench.overdue(messages_max=2)
        assert (2, NOW_US + LEASE_US) == (found.looked_at, found.next_at_us)

    async def test_what_cannot_be_asked_is_sent_again_or_lost_by_its_guarantee(self, bench: Bench) -> None:
        """At least once: again. At most once: UNKNOWN."""
        (again,) = await bench.send()
        (once,) = await bench.send(guarantee=ONCE)
        await bench.claim()
        bench.wait(90)
        found = await bench.overdue(can_ask=lambda _: False)
        assert ((), 2) == (found.questions, found.looked_at)
        row = await bench.due(again)
        assert row is not None
        assert (Work.DISPATCH, True) == (row.work, row.doubtful)
        assert (State.UNKNOWN, Reason.AMBIGUOUS) == (
            await bench.state(once),
            (await bench.message(once)).reason,
        )

    async def test_a_receipt_that_cannot_be_asked_for_is_lost_at_the_end_of_validity(
        self, bench: Bench
    ) -> None:
        """UNKNOWN for want of a receipt, not before."""
        message_id = await bench.sent("x", validity_us=60 * SECOND_US)
        bench.wait(59)
        await bench.overdue(can_ask=lambda _: False)
        assert State.SENT == await bench.state(message_id)
        bench.wait(1)
        await bench.overdue(can_ask=lambda _: False)
        assert (State.UNKNOWN, Reason.NO_RECEIPT) == (
            await bench.state(message_id),
            (await bench.message(message_id)).reason,
        )


class AnswerCases(OpenedStore):
    """What a provider's answer leads to."""

    @pytest.mark.parametrize(
        ("answer", "facts", "state"),
        [
            (Accepted(("y",)), [Fact.HANDED_OVER], State.SENT),
            (Rejected(), [Fact.REFUSED_UPSTREAM], State.REJECTED),
            (NotAccepted(), [Fact.DEFERRED], State.PROCESSING),
            (Unknown(), [], State.PROCESSING),
            (receipt("y", "SENT"), [Fact.HANDED_OVER], State.SENT),
            (receipt("y"), [Fact.HANDED_OVER, Fact.DELIVERED], State.DELIVERED),
            (receipt("y", "READ"), [Fact.HANDED_OVER, Fact.DELIVERED, Fact.READ], State.DELIVERED),
            (receipt("y", "DELIVERY_FAILED"), [Fact.HANDED_OVER, Fact.UNDELIVERED], State.DELIVERY_FAILED),
        ],
        ids=lambda value: type(value).__name__,
    )
    @pytest.mark.parametrize("guarantee", Guarantee, ids=lambda value: value.name)
    async def test_an_answer_settles_a_doubt(
        self, bench: Bench, guarantee: Guarantee, answer: Outcome | Receipt, facts: list[Fact], state: State
    ) -> None:
        """Whatever the guarantee: the provider knows."""
        attempt, question = await doubted(bench, guarantee=guarantee)
        assert await bench.answer(question, answer)
        assert facts == (await bench.facts(attempt.message_id))[3:]
        assert state == await bench.state(attempt.message_id)

    async def test_an_answer_of_a_provider_without_receipts_ends_the_message(self, bench: Bench) -> None:
        """SENT is the end there; what it says of delivery is kept as a late receipt."""
        attempt, question = await doubted(bench)
        assert await bench.answer(question, receipt("y"), receipts=False)
        assert [Fact.HANDED_OVER_UNTRACKED, Fact.LATE_RECEIPT] == (await bench.facts(attempt.message_id))[3:]

    async def test_the_ids_of_an_answer_match_later_receipts(self, bench: Bench) -> None:
        """And those that came before the answer."""
        attempt, question = await doubted(bench)
        await bench.report(receipt("y", "SENT"))
        await bench.answer(question, Accepted(("y",)))
        assert [True] == await bench.report(receipt("y"))
        expected = [Fact.HANDED_OVER, Fact.PROGRESSED, Fact.DELIVERED]
        assert expected == (await bench.facts(attempt.message_id))[3:]

    @pytest.mark.parametrize(
        ("answer", "facts", "state"),
        [
            (receipt("x"), [Fact.DELIVERED], State.DELIVERED),
            (receipt("x", "READ"), [Fact.DELIVERED, Fact.READ], State.DELIVERED),
            (receipt("x", "DELIVERY_FAILED"), [Fact.UNDELIVERED], State.DELIVERY_FAILED),
            (receipt("x", "SENT"), [], State.SENT),
            (Accepted(), [], State.SENT),
            (NotAccepted(), [], State.SENT),
            (Unknown(), [], State.SENT),
            (Rejected(), [Fact.UNDELIVERED], State.DELIVERY_FAILED),
        ],
        ids=lambda value: type(value).__name__,
    )
    async def test_an_answer_about_a_receipt_is_one_or_waits_on(
        self, bench: Bench, answer: Outcome | Receipt, facts: list[Fact], state: State
    ) -> None:
        """A message that was taken is never sent again, whatever the provider says now."""
        question = await unreported(bench)
        assert await bench.answer(question, answer)
        assert facts == (await bench.facts(question.message_id))[3:]
        assert state == await bench.state(question.message_id)

    async def test_each_question_about_a_receipt_waits_twice_as_long(self, bench: Bench) -> None:
        """30 s, then 60 s more, then 120 s."""
        question = await unreported(bench)
        waits = []
        for _ in range(3):
            await bench.answer(question, Unknown())
            next_at_us = await bench.store.read(read_next_question_at)
            assert next_at_us is not None
            waits.append((next_at_us - bench.now_us) // SECOND_US)
            bench.now_us = next_at_us
            (question,) = (await bench.overdue()).questions
        assert [60, 120, 240] == waits

    async def test_a_doubt_that_stays_is_lost_at_the_end_of_validity(self, bench: Bench) -> None:
        """Also for at least once: nothing is sent after its validity."""
        attempt, question = await doubted(bench, validity_us=10 * SECOND_US)
        bench.wait(9)
        await bench.answer(question, Unknown())
        assert State.UNKNOWN == await bench.state(attempt.message_id)

    async def test_a_second_answer_to_a_question_changes_nothing(self, bench: Bench) -> None:
        """The first one moved the message on."""
        _, question = await doubted(bench)
        assert await bench.answer(question, Accepted(("y",)))
        assert not await bench.answer(question, Rejected())
        assert State.SENT == await bench.state(question.message_id)

    async def test_an_answer_to_an_earlier_question_changes_nothing(self, bench: Bench) -> None:
        """It was asked again since."""
        _, question = await doubted(bench)
        bench.wait(90)
        (again,) = (await bench.overdue()).questions
        assert not await bench.answer(question, Rejected())
        assert await bench.answer(again, Accepted(("y",)))

    @pytest.mark.parametrize("answer", OUTCOMES, ids=lambda value: type(value).__name__)
    async def test_an_answer_about_an_earlier_attempt_changes_nothing(
        self, bench: Bench, answer: Outcome
    ) -> None:
        """The provider was asked about attempt 1; attempt 2 is the one in doubt now."""
        first, old = await doubted(bench)
        await bench.settle(first, NotAccepted())
        second = attempt_at(first.message_id, await bench.claim())
        await bench.settle(second, Unknown(), questions=True)
        bench.wait(1)
        (new,) = (await bench.overdue()).questions
        assert (old.work, old.asked) == (new.work, new.asked)
        assert not await bench.answer(old, answer)
        assert Fact.DOUBTED == (await bench.facts(first.message_id))[-1]

    async def test_a_receipt_beats_the_answer_to_a_question(self, bench: Bench) -> None:
        """The message ended while its provider was asked."""
        question = await unreported(bench)
        await bench.report(receipt("x"))
        assert not await bench.answer(question, Unknown())
        assert State.DELIVERED == await bench.state(question.message_id)

    async def test_a_batch_of_answers_settles_each_by_its_own(self, bench: Bench) -> None:
        """In one call."""
        await bench.send(recipients=phones(2))
        await bench.claim()
        bench.wait(90)
        one, two = (await bench.overdue()).questions
        items = [bench.report_of(one, Accepted(("a",))), bench.report_of(two, Rejected())]
        assert [True, True] == await bench.store.write(settle_answers, items, [1])
        assert [State.SENT, State.REJECTED] == [await bench.state(each.message_id) for each in (one, two)]


class RestartCases(OpenedStore):
    """What a restart finds."""

    async def test_a_restart_releases_open_attempts(self, bench: Bench) -> None:
        """They are overdue at once: whoever had them is gone."""
        old = await bench.open()
        await bench.store.write(release_leases, [(bench.now_us, LEASE_US)])
        found = await bench.overdue()
        assert [old.message_id] == [question.message_id for question in found.questions]

    async def test_a_restart_releases_open_questions(self, bench: Bench) -> None:
        """An answer that the broker did not live to hear is asked for again, not waited for."""
        attempt = await bench.open()
        await bench.settle(attempt, Unknown(), questions=True)
        bench.wait(1)
        assert 1 == len((await bench.overdue()).questions)
        assert 0 == len((await bench.overdue()).questions)
        await bench.store.write(release_leases, [(bench.now_us, LEASE_US)])
        (question,) = (await bench.overdue()).questions
        assert (attempt.message_id, 2) == (question.message_id, question.asked)

    async def test_a_restart_asks_about_receipts_that_were_to_be_overdue_soon(self, bench: Bench) -> None:
        """While the broker was away, the provider may have called in vain."""
        message_id = await bench.sent("x", questions=True)
        await bench.store.write(release_leases, [(bench.now_us, LEASE_US)])
        (question,) = (await bench.overdue()).questions
        assert message_id == question.message_id

    async def test_a_restart_leaves_what_waits_for_dispatch_to_its_time(self, bench: Bench) -> None:
        """A schedule is no lease."""
        (waiting,) = await bench.send(schedule_at_us=NOW_US + 60 * SECOND_US)
        before = await bench.due(waiting)
        await bench.store.write(release_leases, [(bench.now_us, LEASE_US)])
        assert before == await bench.due(waiting)

    async def restart(self, bench: Bench) -> None:
        """The process is gone, and the next one starts."""
        bench.fence += 1
        await bench.store.write(release_leases, [(bench.now_us, LEASE_US)])

    async def test_a_restart_counts_each_open_attempt_as_a_crash_once(self, bench: Bench) -> None:
        """Also where the next process dies before it looks at it; what waits is not counted."""
        attempt = await bench.open()
        (waiting,) = await bench.send()
        for _ in range(2):
            await self.restart(bench)
        rows = [await bench.due(each) for each in (attempt.message_id, waiting)]
        assert [1, 0] == [row.crashes for row in rows if row is not None]

    async def test_the_process_that_died_cannot_settle_any_more(self, bench: Bench) -> None:
        """Its attempt belongs to nobody."""
        attempt = await bench.open()
        await self.restart(bench)
        assert not await bench.settle(attempt, Accepted(("x",)))

    async def test_a_message_is_given_up_after_its_third_crash(self, bench: Bench) -> None:
        """With a reason of its own, and three attempts on record; it goes alone from the first crash on."""
        (message_id,) = await bench.send()
        crashes = []
        for _ in range(3):
            crashes.append(attempt_at(message_id, await bench.claim()).crashes)
            await self.restart(bench)
            await bench.overdue(can_ask=lambda _: False)
            bench.wait(1)
        message = await bench.message(message_id)
        assert [0, 1, 2] == crashes
        assert (State.SENDING_FAILED, Reason.ATTEMPTS_CRASHED, 3) == (
            message.state,
            message.reason,
            message.attempts,
        )

    async def test_an_at_most_once_message_is_lost_at_its_first_crash(self, bench: Bench) -> None:
        """It is never sent twice where nobody can tell."""
        attempt = await bench.open(guarantee=ONCE)
        await self.restart(bench)
        await bench.overdue(can_ask=lambda _: False)
        message = await bench.message(attempt.message_id)
        assert (State.UNKNOWN, Reason.AMBIGUOUS) == (message.state, message.reason)

    async def test_a_provider_that_can_tell_ends_a_message_of_three_crashes(self, bench: Bench) -> None:
        """It took it after all."""
        (message_id,) = await bench.send()
        for answer in (NotAccepted(), NotAccepted(), Accepted(("x",))):
            await bench.claim()
            await self.restart(bench)
            (question,) = (await bench.overdue()).questions
            await bench.answer(question, answer)
            bench.wait(1)
        assert State.SENT == await bench.state(message_id)

    async def test_of_messages_with_several_crashes_one_goes_at_a_time(self, bench: Bench) -> None:
        """So that no other is counted with the one that kills; the others wait a moment."""
        await bench.send(recipients=phones(3))
        for _ in range(2):
            await bench.claim()
            await self.restart(bench)
            await bench.overdue(can_ask=lambda _: False)
        opened = [len((await bench.claim()).attempts), len((await bench.claim(grave_open=True)).attempts)]
        bench.wait(1)
        opened.append(len((await bench.claim(grave_open=True)).attempts))
        bench.wait(1)
        opened.append(len((await bench.claim()).attempts))
        assert [1, 0, 0, 1] == opened

    async def test_a_claim_takes_no_more_suspects_than_it_has_calls_for(self, bench: Bench) -> None:
        """Each needs one of its own; what was in no crash goes with the others."""
        await bench.send(recipients=phones(3))
        await bench.claim()
        await self.restart(bench)
        await bench.overdue(can_ask=lambda _: False)
        (fresh,) = await bench.send()
        claimed = await bench.claim(rooms=(room(suspects_max=2),))
        assert ([1, 1, 0], fresh) == (
            [each.crashes for each in claimed.attempts],
            claimed.attempts[-1].message_id,
        )
        assert frozenset({PROVIDER}) == claimed.left

    async def test_a_released_attempt_is_settled_by_what_its_provider_knows(self, bench: Bench) -> None:
        """No acknowledged message is lost, and none is sent twice where the provider can tell."""
        attempt = await bench.open()
        bench.fence = 2
        await bench.store.write(release_leases, [(bench.now_us, LEASE_US)])
        (question,) = (await bench.overdue()).questions
        assert await bench.answer(question, receipt("x"))
        expected = [Fact.ACCEPTED, Fact.ATTEMPTED, Fact.DOUBTED, Fact.HANDED_OVER, Fact.DELIVERED]
        assert expected == await bench.facts(attempt.message_id)


class AskingCases(OverdueCases, AnswerCases, RestartCases):
    """Questions, answers and restarts."""
