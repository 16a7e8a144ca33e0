# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of `claim` and `settle`: what is taken, what is recorded, and who may still settle it."""

from dataclasses import replace

import pytest

from broker.domain.ids import format_id
from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import Accepted, NotAccepted, Outcome, Rejected, Unknown
from broker.domain.submission import Campaign, TemplateUsed
from broker.domain.vocabulary import Channel, Guarantee, Reason, Traffic
from broker.spi import OutboundMessage, Particulars
from broker.storage.agenda import Work
from broker.storage.claiming import next_due_at
from broker.storage.dispatching import give_up, settle
from broker.storage.questioning import release_leases
from broker.testing.builders import NOW_US, PROVIDER, SECOND_US, phones, sms
from broker.testing.store_suite.bench import LEASE_US, Bench, attempt_at, attempt_of_fence, room
from broker.testing.store_suite.opening import OpenedStore

ONCE = Guarantee.AT_MOST_ONCE
AGAIN = Guarantee.AT_LEAST_ONCE


def no_route(_channel: Channel, _pinned: str) -> str | None:
    """No provider serves anything."""
    return None


class ClaimingCases(OpenedStore):
    """What a claim takes."""

    async def test_a_claim_opens_an_attempt_before_any_provider_is_called(self, bench: Bench) -> None:
        """The event, the count and the lease are stored when the claim returns."""
        (message_id,) = await bench.send()
        bench.wait(1)
        await bench.claim()
        message = await bench.message(message_id)
        assert (State.PROCESSING, 1, PROVIDER) == (message.state, message.attempts, message.provider)
        assert [Fact.ACCEPTED, Fact.ATTEMPTED] == await bench.facts(message_id)
        row = await bench.due(message_id)
        assert row is not None
        assert (Work.SUBMITTED, 1, PROVIDER, bench.fence) == (row.work, row.attempt, row.provider, row.fence)
        assert (bench.now_us, bench.now_us + LEASE_US) == (row.submitted_at_us, row.at_us)

    async def test_a_claim_hands_out_the_message_as_its_provider_gets_it(self, bench: Bench) -> None:
        """Everything that the provider contract promises."""
        (message_id,) = await bench.send(
            sender="Shop", tags=("a",), client_reference="ref", content=sms("hello"), provider="acme"
        )
        (attempt,) = (await bench.claim()).attempts
        expected = OutboundMessage(
            message_id=format_id(message_id),
            idempotency_key=format_id(message_id),
            channel=Channel.SMS,
            recipient="+447700900000",
            sender="Shop",
            content={"text": "hello"},
            traffic=Traffic.TRANSACTIONAL,
            attempt=1,
            submitted_at_us=NOW_US,
            expire_at_us=NOW_US + 129_600 * SECOND_US,
            units=1,
            client_reference="ref",
            account_id=format_id(1),
            tags=("a",),
        )
        assert expected == attempt.message
        assert (PROVIDER, bench.fence, AGAIN, 1) == (
            attempt.provider,
            attempt.fence,
            attempt.guarantee,
            attempt.account_id,
        )

    async def test_a_claim_hands_out_what_the_caller_asked_for_besides(self, bench: Bench) -> None:
        """Campaign, origin, quiet hours, frequency cap, and the template with the values that this recipient has."""
        used = TemplateUsed("shop", "bill", 3, "en-GB")
        content = replace(sms("$Name$ owes $Sum$"), names=frozenset({"Name", "Sum"}))
        recipients = (replace(phones(1)[0], tokens={"Name": "Ada"}),)
        await bench.send(
            content=content,
            recipients=recipients,
            tokens={"Name": "?", "Sum": "5"},
            edition=used,
            campaign=Campaign("spring", "Spring"),
            origin="shop",
            ignore_quiet_hours=True,
            cap_frequency=True,
        )
        (attempt,) = (await bench.claim()).attempts
        expected = Particulars(
            campaign=Campaign("spring", "Spring"),
            origin="shop",
            ignore_quiet_hours=True,
            cap_frequency=True,
            template=used,
            template_values={"Name": "Ada", "Sum": "5"},
        )
        assert ("Ada owes 5", expected) == (attempt.message.text, attempt.message.particulars)

    async def test_a_message_is_claimed_once(self, bench: Bench) -> None:
        """What one claim took, the next does not see."""
        await bench.send(recipients=phones(3))
        first, second = await bench.claim(2), await bench.claim(2)
        third = await bench.claim(2)
        assert [2, 1, 0] == [len(each.attempts) for each in (first, second, third)]
        taken = {attempt.message_id for each in (first, second) for attempt in each.attempts}
        assert 3 == len(taken)

    async def test_passcodes_go_before_the_rest_and_marketing_goes_last(self, bench: Bench) -> None:
        """Whatever came first."""
        kinds = [Traffic.PROMOTIONAL, Traffic.TRANSACTIONAL, Traffic.PASSCODE, Traffic.CONVERSATIONAL]
        for kind in kinds:
            await bench.send(traffic=kind)
            bench.wait(1)
        claimed = [(await bench.claim(1)).attempts[0].message.traffic for _ in kinds]
        expected = [Traffic.PASSCODE, Traffic.TRANSACTIONAL, Traffic.CONVERSATIONAL, Traffic.PROMOTIONAL]
        assert expected == claimed

    async def test_the_longest_due_goes_first(self, bench: Bench) -> None:
        """Within a priority, by time and not by id."""
        (later,) = await bench.send(schedule_at_us=NOW_US + 20 * SECOND_US)
        (sooner,) = await bench.send(schedule_at_us=NOW_US + 10 * SECOND_US)
        bench.wait(30)
        claimed = await bench.claim(1)
        assert [sooner] == [attempt.message_id for attempt in claimed.attempts]
        assert [later] == [attempt.message_id for attempt in (await bench.claim()).attempts]

    @pytest.mark.parametrize("early_us", [1, 0], ids=["a moment before", "exactly"])
    async def test_a_scheduled_message_waits_for_its_time(self, bench: Bench, early_us: int) -> None:
        """To the microsecond."""
        at_us = NOW_US + 60 * SECOND_US
        await bench.send(schedule_at_us=at_us)
        bench.now_us = at_us - early_us
        assert (0 if early_us else 1) == len((await bench.claim()).attempts)

    async def test_a_claim_tells_when_the_next_message_is_due(self, bench: Bench) -> None:
        """The earliest of every priority; None where nothing waits for its time."""
        assert (await bench.claim()).next_at_us is None
        await bench.send(schedule_at_us=NOW_US + 90 * SECOND_US, traffic=Traffic.PASSCODE)
        await bench.send(schedule_at_us=NOW_US + 60 * SECOND_US, traffic=Traffic.PROMOTIONAL)
        assert NOW_US + 60 * SECOND_US == (await bench.claim()).next_at_us
        assert NOW_US + 60 * SECOND_US == await bench.store.read(next_due_at)
        bench.wait(60)
        assert NOW_US + 90 * SECOND_US == (await bench.claim()).next_at_us

    async def test_a_claim_tells_when_what_it_left_expires(self, bench: Bench) -> None:
        """There may be no room before."""
        await bench.send(validity_us=60 * SECOND_US)
        left = await bench.claim(rooms=(), known=frozenset({PROVIDER}))
        assert (NOW_US + 60 * SECOND_US, frozenset({PROVIDER})) == (left.next_at_us, left.left)

    @pytest.mark.parametrize(("room_for", "left"), [(1, {PROVIDER}), (2, {PROVIDER}), (3, set())])
    async def test_a_claim_tells_where_it_left_something(
        self, bench: Bench, room_for: int, left: set[str]
    ) -> None:
        """A full claim may have left more."""
        await bench.send(recipients=phones(2))
        assert left == (await bench.claim(room_for)).left

    @pytest.mark.parametrize("early_us", [1, 0], ids=["a moment before", "exactly"])
    async def test_an_expired_message_is_never_handed_over(self, bench: Bench, early_us: int) -> None:
        """At the end of its validity it ends EXPIRED; a microsecond earlier it still goes out."""
        (message_id,) = await bench.send(validity_us=60 * SECOND_US)
        bench.now_us = NOW_US + 60 * SECOND_US - early_us
        claimed = await bench.claim()
        message = await bench.message(message_id)
        expected = (1, State.PROCESSING, None) if early_us else (0, State.EXPIRED, Reason.VALIDITY_PASSED)
        assert expected == (len(claimed.attempts), message.state, message.reason)
        assert 1 == claimed.looked_at


class SettlingCases(OpenedStore):
    """What an outcome leads to, and whose outcome counts."""

    @pytest.mark.parametrize(
        ("outcome", "receipts", "state", "reason"),
        [
            (Accepted(("x",)), True, State.SENT, None),
            (Accepted(), False, State.SENT_FINAL, None),
            (Rejected(Reason.OPTED_OUT, "21", "no"), True, State.REJECTED, Reason.OPTED_OUT),
            (NotAccepted(), True, State.PROCESSING, None),
            (Unknown(), True, State.PROCESSING, None),
        ],
        ids=["accepted", "accepted untracked", "rejected", "not accepted", "unknown"],
    )
    async def test_each_outcome_moves_the_message(
        self, bench: Bench, outcome: Outcome, receipts: bool, state: State, reason: Reason | None
    ) -> None:
        """As `domain.decision` says; the row and the event agree."""
        attempt = await bench.open()
        assert await bench.settle(attempt, outcome, receipts=receipts)
        message = await bench.message(attempt.message_id)
        assert (state, reason) == (message.state, message.reason)

    async def test_what_a_provider_said_is_kept_with_the_event(self, bench: Bench) -> None:
        """Its code, its text and its ids."""
        message_id = await bench.sent("x", "y")
        change = (await bench.timeline(message_id))[-1].change
        assert (Fact.HANDED_OVER, ("x", "y"), 1, PROVIDER) == (
            change.fact,
            change.provider_message_ids,
            change.attempt,
            change.provider,
        )
        attempt = await bench.open()
        await bench.settle(attempt, Rejected(code="21", text="no"))
        change = (await bench.timeline(attempt.message_id))[-1].change
        assert ("21", "no") == (change.provider_code, change.provider_text)

    async def test_what_was_not_accepted_is_tried_again(self, bench: Bench) -> None:
        """Not before the provider's own wish, and as the next attempt with the same key."""
        attempt = await bench.open()
        await bench.settle(attempt, NotAccepted(retry_after_s=5))
        assert (
            NOW_US + 5 * SECOND_US == (await bench.timeline(attempt.message_id))[-1].change.next_attempt_at_us
        )
        bench.wait(4.999)
        assert () == (await bench.claim()).attempts
        bench.wait(0.001)
        again = attempt_at(attempt.message_id, await bench.claim())
        assert (2, attempt.message.idempotency_key) == (again.message.attempt, again.message.idempotency_key)

    async def test_the_refusal_itself_makes_the_next_candidate_due(self, bench: Bench) -> None:
        """In one transaction: the event names it, and it is due at once."""
        attempt = await bench.open(candidates=("acme", "west"))
        await bench.settle(attempt, NotAccepted(retry_after_s=30.0))
        change = (await bench.timeline(attempt.message_id))[-1].change
        assert (Fact.DEFERRED, Reason.PROVIDER_UNAVAILABLE, "acme", "west", NOW_US) == (
            change.fact,
            change.reason,
            change.provider,
            change.next_provider,
            change.next_attempt_at_us,
        )
        row = await bench.due(attempt.message_id)
        assert row is not None
        assert ("west", Work.DISPATCH, NOW_US, 1) == (row.provider, row.work, row.at_us, row.hops)
        claimed = await bench.claim(rooms=(room("west"),), known=frozenset({"acme", "west"}))
        assert ["west"] == [each.provider for each in claimed.attempts]

    async def test_a_candidate_that_takes_nothing_is_passed_over(self, bench: Bench) -> None:
        """Its circuit is open, or it is drained, or it asked to be left alone."""
        attempt = await bench.open(candidates=("acme", "west", "east"))
        await bench.settle(attempt, NotAccepted(), shut=frozenset({"west"}))
        row = await bench.due(attempt.message_id)
        assert row is not None
        assert "east" == row.provider

    async def test_attempts_that_are_given_up_are_no_crash(self, bench: Bench) -> None:
        """A process that ends in peace says so of what it leaves behind."""
        attempt = await bench.open()
        assert [True] == await bench.store.write(give_up, [attempt])
        assert [False] == await bench.store.write(give_up, [attempt])
        await bench.store.write(release_leases, [(bench.now_us, LEASE_US)])
        row = await bench.due(attempt.message_id)
        assert row is not None
        assert (Work.SUBMITTED, 0) == (row.work, row.crashes)
        assert 1 == len((await bench.overdue()).questions)

    async def test_a_message_fails_when_its_attempts_are_used(self, bench: Bench) -> None:
        """Three are allowed here."""
        (message_id,) = await bench.send()
        for _ in range(3):
            await bench.settle(attempt_at(message_id, await bench.claim()), NotAccepted())
        message = await bench.message(message_id)
        assert (State.SENDING_FAILED, Reason.ATTEMPTS_EXHAUSTED, 3) == (
            message.state,
            message.reason,
            message.attempts,
        )

    async def test_a_doubtful_message_never_expires(self, bench: Bench) -> None:
        """EXPIRED would claim that no provider took it: it ends UNKNOWN."""
        attempt = await bench.open(validity_us=60 * SECOND_US)
        await bench.settle(attempt, Unknown())
        bench.wait(60)
        await bench.claim()
        message = await bench.message(attempt.message_id)
        assert (State.UNKNOWN, Reason.AMBIGUOUS) == (message.state, message.reason)

    async def test_a_doubt_outlives_a_later_clear_refusal(self, bench: Bench) -> None:
        """The second attempt was surely not taken; the first still may have been."""
        attempt = await bench.open(validity_us=60 * SECOND_US)
        await bench.settle(attempt, Unknown())
        await bench.settle(attempt_at(attempt.message_id, await bench.claim()), NotAccepted())
        bench.wait(60)
        await bench.claim()
        assert State.UNKNOWN == await bench.state(attempt.message_id)

    async def test_a_doubtful_message_without_attempts_left_is_unknown(self, bench: Bench) -> None:
        """SENDING_FAILED would claim that no provider took it."""
        attempt = await bench.open()
        await bench.settle(attempt, Unknown())
        for _ in range(2):
            await bench.settle(attempt_at(attempt.message_id, await bench.claim()), NotAccepted())
        message = await bench.message(attempt.message_id)
        assert (State.UNKNOWN, Reason.AMBIGUOUS) == (message.state, message.reason)

    async def test_a_doubtful_message_without_a_route_is_unknown(self, bench: Bench) -> None:
        """Its provider was removed from the settings, after it may have taken the message."""
        attempt = await bench.open()
        await bench.settle(attempt, Unknown())
        await bench.claim(rooms=(), route=no_route)
        message = await bench.message(attempt.message_id)
        assert (State.UNKNOWN, Reason.AMBIGUOUS) == (message.state, message.reason)

    async def test_an_at_most_once_message_stops_at_a_doubt(self, bench: Bench) -> None:
        """It ends UNKNOWN and is not sent again."""
        attempt = await bench.open(guarantee=ONCE)
        await bench.settle(attempt, Unknown("timeout"))
        assert State.UNKNOWN == await bench.state(attempt.message_id)
        assert () == (await bench.claim()).attempts

    async def test_an_attempt_is_settled_once(self, bench: Bench) -> None:
        """The second outcome changes nothing, in one call and across calls."""
        attempt = await bench.open()
        pair = [bench.settlement(attempt, Accepted(("x",))), bench.settlement(attempt, Rejected())]
        assert [True, False] == await bench.store.write(settle, pair, [1])
        assert not await bench.settle(attempt, Rejected())
        assert State.SENT == await bench.state(attempt.message_id)
        assert 3 == len(await bench.events())

    async def test_another_process_cannot_settle_an_attempt(self, bench: Bench) -> None:
        """An old fence or a foreign one changes nothing."""
        attempt = await bench.open()
        for fence in (bench.fence - 1, bench.fence + 1):
            assert not await bench.settle(attempt_of_fence(attempt, fence), Rejected())
        assert 2 == len(await bench.events())
        assert await bench.settle(attempt, Accepted(("x",)))

    async def test_an_earlier_attempt_cannot_settle_a_later_one(self, bench: Bench) -> None:
        """An outcome that comes after the next attempt began changes nothing."""
        first = await bench.open()
        await bench.settle(first, NotAccepted())
        second = attempt_at(first.message_id, await bench.claim())
        assert not await bench.settle(first, Rejected())
        assert State.PROCESSING == await bench.state(first.message_id)
        assert await bench.settle(second, Accepted(("x",)))

    async def test_an_outcome_for_a_message_of_no_store_is_not_ours(self, bench: Bench) -> None:
        """As after a store was restored from a backup."""
        attempt = replace(await bench.open(), message_id=5)
        assert not await bench.settle(attempt, Accepted())

    async def test_a_batch_settles_each_message_by_its_own_outcome(self, bench: Bench) -> None:
        """One that is not ours does not keep the others from being settled."""
        await bench.send(recipients=phones(3))
        one, two, three = (await bench.claim()).attempts
        items = [
            bench.settlement(one, Accepted(("x",))),
            bench.settlement(attempt_of_fence(two, 99), Rejected()),
            bench.settlement(three, Rejected()),
        ]
        assert [True, False, True] == await bench.store.write(settle, items, [1])
        states = [await bench.state(each.message_id) for each in (one, two, three)]
        assert [State.SENT, State.PROCESSING, State.REJECTED] == states

    async def test_a_late_outcome_counts_while_its_attempt_is_in_doubt(self, bench: Bench) -> None:
        """The lease ran out, nobody moved on yet, and then the provider's answer came after all."""
        attempt = await bench.open()
        bench.wait(90)
        await bench.overdue()
        assert await bench.settle(attempt, Accepted(("x",)))
        assert State.SENT == await bench.state(attempt.message_id)


class DispatchingCases(ClaimingCases, SettlingCases):
    """Claims and settlements."""
