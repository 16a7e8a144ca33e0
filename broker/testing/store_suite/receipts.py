# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of receipts: matched by provider and id, in parts, early, twice, late, and about nothing at all."""

import pytest

from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import Accepted, Rejected
from broker.domain.vocabulary import Reason
from broker.storage.dispatching import settle
from broker.storage.keeping import Forget, forget_receipts
from broker.testing.builders import DAY_US, NOW_US, PROVIDER, SECOND_US, phones
from broker.testing.store_suite.bench import Bench, receipt
from broker.testing.store_suite.opening import OpenedStore

ODD_TEXT = """it's "quoted" {a,b} \\ ☃ 50 % $1 :name %s NULL"""
WHOLE = [Fact.ACCEPTED, Fact.ATTEMPTED, Fact.HANDED_OVER]


class MatchingCases(OpenedStore):
    """Which message a receipt is about, and what it does to it."""

    @pytest.mark.parametrize(
        ("status", "fact", "state", "reason"),
        [
            ("DELIVERED", Fact.DELIVERED, State.DELIVERED, None),
            ("DELIVERY_FAILED", Fact.UNDELIVERED, State.DELIVERY_FAILED, Reason.UNDELIVERABLE),
            ("SENT", Fact.PROGRESSED, State.SENT, None),
            ("READ", Fact.READ, State.DELIVERED, None),
            ("UNKNOWN", Fact.PROGRESSED, State.SENT, None),
        ],
    )
    async def test_a_receipt_says_what_became_of_a_message(
        self, bench: Bench, status: str, fact: Fact, state: State, reason: Reason | None
    ) -> None:
        """With the provider's own code and text."""
        message_id = await bench.sent("x")
        assert [True] == await bench.report(receipt("x", status, code="0", text="ok"))
        change = (await bench.timeline(message_id))[-1].change
        assert (fact, "0", "ok") == (change.fact, change.provider_code, change.provider_text)
        message = await bench.message(message_id)
        assert (state, reason) == (message.state, message.reason)

    @pytest.mark.parametrize("name", ["x", "also-x", "7"])
    async def test_a_receipt_may_name_a_message_by_an_alias(self, bench: Bench, name: str) -> None:
        """It is one message under several names: the first receipt ends it, another name's comes late."""
        attempt = await bench.open()
        outcome = Accepted(("x",), aliases=("also-x", "7", "x", ""), code="warned", text="long")
        assert await bench.settle(attempt, outcome)
        assert [True] == await bench.report(receipt(name))
        assert State.DELIVERED == await bench.state(attempt.message_id)
        assert [True] == await bench.report(receipt("also-x"))
        assert [*WHOLE, Fact.DELIVERED, Fact.LATE_RECEIPT] == await bench.facts(attempt.message_id)
        taken = (await bench.timeline(attempt.message_id))[2].change
        expected = (("x", "also-x", "7"), "warned", "long")
        assert expected == (taken.provider_message_ids, taken.provider_code, taken.provider_text)

    async def test_a_receipt_for_an_alias_may_come_first(self, bench: Bench) -> None:
        """It is parked under the name that it has, and applied when that name becomes known."""
        attempt = await bench.open()
        assert [False] == await bench.report(receipt("also-x"))
        assert await bench.settle(attempt, Accepted(("x",), aliases=("also-x",)))
        assert State.DELIVERED == await bench.state(attempt.message_id)

    async def test_ids_belong_to_their_provider(self, bench: Bench) -> None:
        """Another provider's receipt of the same id is not about our message."""
        message_id = await bench.sent("x")
        assert [False] == await bench.report(receipt("x"), provider="other")
        assert State.SENT == await bench.state(message_id)

    async def test_a_batch_of_receipts_is_applied_in_order(self, bench: Bench) -> None:
        """About several messages, one of them unknown."""
        one, two = await bench.sent("a"), await bench.sent("b")
        answers = await bench.report(receipt("a", "SENT"), receipt("?"), receipt("b"), receipt("a"))
        assert [True, False, True, True] == answers
        assert [*WHOLE, Fact.PROGRESSED, Fact.DELIVERED] == await bench.facts(one)
        assert [*WHOLE, Fact.DELIVERED] == await bench.facts(two)

    async def test_a_receipt_after_the_end_is_kept_and_moves_nothing(self, bench: Bench) -> None:
        """The first end stands, whatever comes later."""
        message_id = await bench.sent("x")
        await bench.report(receipt("x"))
        assert [True, True] == await bench.report(receipt("x"), receipt("x", "DELIVERY_FAILED"))
        assert [*WHOLE, Fact.DELIVERED, Fact.LATE_RECEIPT, Fact.LATE_RECEIPT] == await bench.facts(message_id)
        assert State.DELIVERED == await bench.state(message_id)

    async def test_a_repetition_within_one_batch_is_late_too(self, bench: Bench) -> None:
        """Order within the call counts."""
        message_id = await bench.sent("x")
        await bench.report(receipt("x"), receipt("x"))
        assert [*WHOLE, Fact.DELIVERED, Fact.LATE_RECEIPT] == await bench.facts(message_id)

    async def test_a_read_receipt_after_delivery_is_a_fact_of_its_own(self, bench: Bench) -> None:
        """It is no late receipt: it says more than the end did."""
        message_id = await bench.sent("x")
        await bench.report(receipt("x"), receipt("x", "READ"))
        assert [*WHOLE, Fact.DELIVERED, Fact.READ] == await bench.facts(message_id)

    async def test_a_receipt_after_the_validity_ended_is_late(self, bench: Bench) -> None:
        """UNKNOWN stays, and the evidence is appended."""
        message_id = await bench.sent("x", validity_us=60 * SECOND_US)
        bench.wait(60)
        await bench.overdue(can_ask=lambda _: False)
        assert [True] == await bench.report(receipt("x"))
        assert Fact.LATE_RECEIPT == (await bench.facts(message_id))[-1]
        assert State.UNKNOWN == await bench.state(message_id)

    async def test_a_provider_that_uses_an_id_again_means_its_newest_message(self, bench: Bench) -> None:
        """Counters of some systems wrap around."""
        old, new = await bench.sent("x"), await bench.sent("x")
        await bench.report(receipt("x"))
        assert [State.SENT, State.DELIVERED] == [await bench.state(old), await bench.state(new)]


class PartCases(OpenedStore):
    """Messages of several parts, each with an id of its own."""

    async def test_an_id_given_twice_in_one_batch_means_the_last_message(self, bench: Bench) -> None:
        """As if the two had come one after the other."""
        await bench.send(recipients=phones(2))
        one, two = (await bench.claim()).attempts
        items = [bench.settlement(each, Accepted(("same",))) for each in (one, two)]
        assert [True, True] == await bench.store.write(settle, items, [1])
        assert [True] == await bench.report(receipt("same"))
        expected = {one.message_id: State.SENT, two.message_id: State.DELIVERED}
        assert expected == await bench.states([one.message_id, two.message_id])

    async def test_an_id_may_hold_any_characters(self, bench: Bench) -> None:
        """Whatever they mean to a database."""
        message_id = await bench.sent(ODD_TEXT)
        assert [True, False] == await bench.report(
            receipt(ODD_TEXT, text=ODD_TEXT), receipt(ODD_TEXT.lower(), text=ODD_TEXT)
        )
        (*_, last) = await bench.timeline(message_id)
        assert (Fact.DELIVERED, ODD_TEXT) == (last.change.fact, last.change.provider_text)

    async def test_receipts_of_several_accounts_come_in_one_batch(self, bench: Bench) -> None:
        """Nobody says whose they are: each is numbered in its account's own log."""
        sent = {number: await bench.sent(f"x{number}", account_id=number) for number in (3, 1, 2)}
        assert [True] * 3 == await bench.report(*[receipt(f"x{number}") for number in sent])
        ends = [(await bench.events(number))[-1] for number in sent]
        assert [(4, each) for each in sent.values()] == [(event.sequence, event.message_id) for event in ends]

    async def test_a_message_is_delivered_with_its_last_part(self, bench: Bench) -> None:
        """In whatever order they come."""
        message_id = await bench.sent("a", "b", "c")
        for identity in ("c", "a"):
            await bench.report(receipt(identity))
            assert State.SENT == await bench.state(message_id)
        await bench.report(receipt("b"))
        timeline = [(each.change.fact, each.change.part) for each in await bench.timeline(message_id)][3:]
        assert [(Fact.PART_DELIVERED, 3), (Fact.PART_DELIVERED, 1), (Fact.DELIVERED, 2)] == timeline

    async def test_all_parts_may_come_in_one_batch(self, bench: Bench) -> None:
        """A repetition among them does not count twice."""
        message_id = await bench.sent("a", "b")
        await bench.report(receipt("a"), receipt("a"))
        assert State.SENT == await bench.state(message_id)
        await bench.report(receipt("b"))
        expected = [*WHOLE, Fact.PART_DELIVERED, Fact.LATE_RECEIPT, Fact.DELIVERED]
        assert expected == await bench.facts(message_id)

    async def test_a_part_reported_twice_does_not_stand_for_another(self, bench: Bench) -> None:
        """Across calls."""
        message_id = await bench.sent("a", "b")
        for _ in range(3):
            await bench.report(receipt("a"))
        assert State.SENT == await bench.state(message_id)

    async def test_one_failed_part_fails_the_message(self, bench: Bench) -> None:
        """What the other parts say then is late."""
        message_id = await bench.sent("a", "b")
        await bench.report(receipt("a"), receipt("b", "DELIVERY_FAILED"))
        assert State.DELIVERY_FAILED == await bench.state(message_id)
        await bench.report(receipt("b"))
        assert Fact.LATE_RECEIPT == (await bench.facts(message_id))[-1]

    async def test_parts_that_share_an_id_share_their_receipt(self, bench: Bench) -> None:
        """Some systems answer the same id for each part, and report on it once."""
        message_id = await bench.sent("a", "a")
        await bench.report(receipt("a"))
        assert State.DELIVERED == await bench.state(message_id)

    async def test_parts_that_came_before_the_outcome_count(self, bench: Bench) -> None:
        """One was parked, the other comes later."""
        attempt = await bench.open()
        assert [False] == await bench.report(receipt("b"))
        await bench.settle(attempt, Accepted(("a", "b")))
        assert State.SENT == await bench.state(attempt.message_id)
        await bench.report(receipt("a"))
        assert State.DELIVERED == await bench.state(attempt.message_id)


class ParkingCases(OpenedStore):
    """Receipts that match nothing yet."""

    async def test_a_receipt_before_the_outcome_is_applied_with_it(self, bench: Bench) -> None:
        """The end does not wait for another report."""
        attempt = await bench.open()
        assert [False, False] == await bench.report(receipt("x", "SENT"), receipt("x"))
        await bench.settle(attempt, Accepted(("x",)))
        assert [*WHOLE, Fact.PROGRESSED, Fact.DELIVERED] == await bench.facts(attempt.message_id)

    async def test_a_parked_receipt_is_applied_once(self, bench: Bench) -> None:
        """It leaves the parking place with the transaction that used it."""
        attempt = await bench.open()
        await bench.report(receipt("x", "SENT"))
        await bench.settle(attempt, Accepted(("x",)))
        second = await bench.open()
        await bench.settle(second, Accepted(("x",)))
        assert WHOLE == await bench.facts(second.message_id)

    async def test_a_parked_receipt_keeps_all_it_said(self, bench: Bench) -> None:
        """Part, code and text."""
        attempt = await bench.open()
        await bench.report(receipt("x", "DELIVERY_FAILED", part=2, code="21", text="no \u2603"))
        await bench.settle(attempt, Accepted(("x",)))
        change = (await bench.timeline(attempt.message_id))[-1].change
        assert (2, "21", "no \u2603") == (change.part, change.provider_code, change.provider_text)

    async def test_parked_receipts_of_another_provider_wait_on(self, bench: Bench) -> None:
        """Their message may still come."""
        attempt = await bench.open()
        await bench.report(receipt("x"), provider="other")
        await bench.settle(attempt, Accepted(("x",)))
        assert WHOLE == await bench.facts(attempt.message_id)

    async def test_a_refused_message_takes_no_parked_receipt(self, bench: Bench) -> None:
        """It has no ids to match by."""
        attempt = await bench.open()
        await bench.report(receipt("x"))
        await bench.settle(attempt, Rejected())
        assert [Fact.ACCEPTED, Fact.ATTEMPTED, Fact.REFUSED_UPSTREAM] == await bench.facts(attempt.message_id)

    async def test_a_batch_of_outcomes_finds_each_ones_parked_receipts(self, bench: Bench) -> None:
        """In the order in which they came."""
        await bench.send(recipients=phones(2))
        one, two = (await bench.claim()).attempts
        await bench.report(receipt("b"), receipt("a", "SENT"), receipt("a"))
        items = [bench.settlement(one, Accepted(("a",))), bench.settlement(two, Accepted(("b",)))]
        await bench.store.write(settle, items, [1])
        assert [*WHOLE, Fact.PROGRESSED, Fact.DELIVERED] == await bench.facts(one.message_id)
        assert [*WHOLE, Fact.DELIVERED] == await bench.facts(two.message_id)

    async def test_an_untracked_message_keeps_a_parked_receipt_as_late(self, bench: Bench) -> None:
        """Its end was SENT, and stays so."""
        attempt = await bench.open()
        await bench.report(receipt("x"))
        await bench.settle(attempt, Accepted(("x",)), receipts=False)
        expected = [Fact.ACCEPTED, Fact.ATTEMPTED, Fact.HANDED_OVER_UNTRACKED, Fact.LATE_RECEIPT]
        assert expected == await bench.facts(attempt.message_id)


class ForgettingCases(OpenedStore):
    """How long receipts can still be matched."""

    async def forget(self, bench: Bench, age_us: int) -> int:
        """Forget what is older; answers how many rows went."""
        (gone,) = await bench.store.write(forget_receipts, [Forget(bench.now_us - age_us)])
        return gone

    @pytest.mark.parametrize("late_us", [0, 1], ids=["exactly", "a moment after"])
    async def test_a_parked_receipt_is_kept_for_its_time(self, bench: Bench, late_us: int) -> None:
        """72 hours by default."""
        await bench.report(receipt("x"))
        bench.now_us += 3 * DAY_US + late_us
        assert late_us == await self.forget(bench, 3 * DAY_US)

    @pytest.mark.parametrize("late_us", [0, 1], ids=["exactly", "a moment after"])
    async def test_a_match_is_kept_for_its_time_past_the_end(self, bench: Bench, late_us: int) -> None:
        """Counted from the end, not from acceptance."""
        await bench.sent("a", "b")
        bench.wait(3_600)
        await bench.report(receipt("a", "DELIVERY_FAILED"))
        bench.now_us += 3 * DAY_US + late_us
        assert 2 * late_us == await self.forget(bench, 3 * DAY_US)
        bench.now_us = NOW_US + 3_600 * SECOND_US
        assert [not late_us] == await bench.report(receipt("b"))

    async def test_a_message_that_has_not_ended_keeps_its_match(self, bench: Bench) -> None:
        """However old it is."""
        message_id = await bench.sent("x")
        bench.now_us += 30 * DAY_US
        assert 0 == await self.forget(bench, 3 * DAY_US)
        assert [True] == await bench.report(receipt("x"))
        assert State.DELIVERED == await bench.state(message_id)

    async def test_what_is_forgotten_goes_once(self, bench: Bench) -> None:
        """The second round finds nothing."""
        await bench.report(receipt("x"), receipt("y"), provider=PROVIDER)
        bench.now_us += 4 * DAY_US
        assert [2, 0] == [await self.forget(bench, 3 * DAY_US) for _ in range(2)]


class ReceiptCases(MatchingCases, PartCases, ParkingCases, ForgettingCases):
    """Receipts."""
