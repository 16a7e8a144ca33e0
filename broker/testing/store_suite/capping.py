# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of frequency caps: what counts for a contact, and that no window ever holds more than the cap allows."""

import asyncio
import itertools
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.domain.account_policy import AccountPolicy
from broker.domain.broadcast import Place, Stage
from broker.domain.consent import Act
from broker.domain.directory import Card, Contact, ContactRef, Named
from broker.domain.frequency import FrequencyCap
from broker.domain.lifecycle import State
from broker.domain.outcome import Rejected
from broker.domain.plan import Plan
from broker.domain.reaching import Reached
from broker.domain.submission import Recipient, Submission
from broker.domain.vocabulary import Delegation, Reason, Traffic
from broker.storage.acceptance import Acceptance, Accepted, Repeated, Stored, Unaffordable, accept
from broker.storage.capping import ForgetPromotions, forget_promotions, read_capped, read_promotions
from broker.storage.expanding import Expanded, expand
from broker.storage.redriving import read_redrivable
from broker.storage.store import Store
from broker.testing.builders import NOW_US, REMEMBER_US, SECOND_US, IdCounter, planned, submission
from broker.testing.store_suite.bench import Bench, attempt_at, message_ids
from broker.testing.store_suite.broadcast_bench import Kept, running
from broker.testing.store_suite.consenting import record, said
from broker.testing.store_suite.crediting import PRICES, buy
from broker.testing.store_suite.opening import OpenedStore

HOUR_US = 3_600 * SECOND_US
TWO_AN_HOUR = FrequencyCap(2, HOUR_US)
ANN, BOB = 501, 502
_STRANGERS = itertools.count(1_000)
_IDS = IdCounter()


def phone_of(contact_id: int) -> str:
    """A contact's number."""
    return f"+4477009{contact_id:05d}"


@dataclass
class Marketing:
    """Promotional messages to contacts, in the words of a test; `cap` is that of the account's policy."""

    store: Store
    cap: FrequencyCap | None = TWO_AN_HOUR
    now_us: int = NOW_US
    ids: IdCounter = field(default_factory=IdCounter)

    def plan(self, *contact_ids: int, ids: Sequence[int] | None = None, **changes: Any) -> Plan:
        """A plan for a message to each contact; it asks to be held to the cap, unless told otherwise."""
        prices, paying = changes.pop("prices", None), changes.pop("paying", False)
        named = [Named(ContactRef(contact_id=each), Delegation.DIRECT) for each in contact_ids]
        fields: dict[str, Any] = {"traffic": Traffic.PROMOTIONAL, "cap_frequency": True}
        asked: Submission = submission(
            recipients=tuple([Recipient(contact=each) for each in named]),
            names_contacts=True,
            **(fields | changes),
        )
        people = [
            Reached(
                at,
                Recipient(phone_number=phone_of(each)),
                Contact(each, asked.account_id, 0, 0, 0, Card(first_name="Ann")),
            )
            for at, each in enumerate(contact_ids)
        ]
        more = {} if prices is None else {"prices": prices}
        policy = AccountPolicy(frequency_cap=self.cap, enforce_credit=paying)
        return planned(
            asked,
            ids or self.ids.take(1 + len(people)),
            now_us=self.now_us,
            policy=policy,
            people=people,
            **more,
        )

    async def send(self, *contact_ids: int, **changes: Any) -> Accepted:
        """Store it."""
        plan = self.plan(*contact_ids, **changes)
        accounts = [plan.submission.account_id]
        (answer,) = await self.store.write(accept, [Acceptance(plan, REMEMBER_US)], accounts)
        return answer

    async def went(self, *contact_ids: int, **changes: Any) -> list[bool]:
        """Whether each contact's message was not refused for the cap."""
        answer = await self.send(*contact_ids, **changes)
        assert isinstance(answer, Stored), answer
        assert {each.reason for each in answer.results} <= {None, Reason.FREQUENCY_CAP}
        return [each.reason is None for each in answer.results]

    async def dues(self, contact_id: int = ANN, account_id: int = 1) -> Sequence[int]:
        """What counts for a contact."""
        found = await self.store.read(read_promotions, account_id, [contact_id])
        return found.get(contact_id, ())


class CappingCases(OpenedStore):
    """Frequency caps in the store."""

    async def test_a_contact_gets_as_many_as_the_cap_allows(self, store: Store) -> None:
        """The next is refused with its own reason, costs nothing and is not due; others get theirs."""
        ads = Marketing(store)
        assert [True, True] == await ads.went(ANN, BOB)
        assert [True] == await ads.went(ANN)
        answer = await ads.send(ANN, BOB)
        assert isinstance(answer, Stored)
        refused, sent = answer.results
        assert (State.REJECTED, Reason.FREQUENCY_CAP) == (refused.state, refused.reason)
        assert refused.detail == f"{Reason.FREQUENCY_CAP.value}: 2 of 2 in 1 h"
        assert State.ACCEPTED is sent.state
        bench = Bench(store)
        assert refused.message_id is not None
        assert await bench.due(refused.message_id) is None
        assert State.REJECTED is await bench.state(refused.message_id)
        assert [NOW_US, NOW_US] == await ads.dues()

    async def test_a_window_that_has_passed_makes_room(self, store: Store) -> None:
        """To the microsecond."""
        ads = Marketing(store)
        assert [True, True] == [*await ads.went(ANN), *await ads.went(ANN)]
        ads.now_us = NOW_US + HOUR_US - 1
        assert [False] == await ads.went(ANN)
        ads.now_us += 1
        assert [True] == await ads.went(ANN)
        assert [ads.now_us] == await ads.dues(), "what no window can hold any more is not kept"

    async def test_a_call_counts_what_it_sends_itself(self, store: Store) -> None:
        """Also to one contact several times, and several calls of one commit."""
        ads = Marketing(store)
        assert [True, True, False, True] == await ads.went(ANN, ANN, ANN, BOB)
        plans = [ads.plan(BOB), ads.plan(BOB)]
        answers = await store.write(accept, [Acceptance(each, REMEMBER_US) for each in plans], [1])
        reasons = [each.results[0].reason for each in answers if isinstance(each, Stored)]
        assert [None, Reason.FREQUENCY_CAP] == reasons

    async def test_every_promotional_message_counts_and_only_those_that_ask_are_held(
        self, store: Store
    ) -> None:
        """What is no promotion neither counts nor is held."""
        ads = Marketing(store)
        for _ in range(3):
            assert [True] == await ads.went(ANN, cap_frequency=False)
        assert [False] == await ads.went(ANN)
        assert [True] == await ads.went(BOB, cap_frequency=False, traffic=Traffic.TRANSACTIONAL)
        assert ([NOW_US] * 3, ()) == (await ads.dues(), await ads.dues(BOB))

    async def test_without_a_cap_nothing_is_counted(self, store: Store) -> None:
        """Though the request asks for one."""
        ads = Marketing(store, cap=None)
        for _ in range(3):
            assert [True] == await ads.went(ANN)
        assert () == await ads.dues()

    async def test_what_counts_is_when_it_is_due(self, store: Store) -> None:
        """So one now may be too many for those that are scheduled, and one that is scheduled for those before."""
        ads = Marketing(store, FrequencyCap(1, HOUR_US))
        at_us = NOW_US + 2 * HOUR_US
        assert [True] == await ads.went(ANN, schedule_at_us=at_us)
        assert [True] == await ads.went(ANN)
        assert [False] == await ads.went(ANN, schedule_at_us=at_us + HOUR_US - 1)
        assert [False] == await ads.went(ANN, schedule_at_us=at_us - HOUR_US + 1)
        assert [True] == await ads.went(ANN, schedule_at_us=at_us + HOUR_US)
        assert [True] == await ads.went(ANN, schedule_at_us=at_us - HOUR_US)
        assert [NOW_US, at_us - HOUR_US, at_us, at_us + HOUR_US] == await ads.dues()

    async def test_a_repeated_request_counts_once(self, store: Store) -> None:
        """And gets its first answer, though the cap would refuse it now."""
        ads = Marketing(store, FrequencyCap(1, HOUR_US))
        first = await ads.send(ANN, request_id="once")
        again = await ads.send(ANN, request_id="once")
        assert isinstance(first, Stored)
        assert Repeated(first.results) == again
        assert [NOW_US] == await ads.dues()

    async def test_what_is_sent_again_is_for_its_contact_and_asks_for_the_same(self, store: Store) -> None:
        """Where the first one went, whether it was to be held to the cap, and to be sent in quiet hours."""
        ads, bench = Marketing(store), Bench(store)
        for asks in (True, False):
            answer = await ads.send(ANN, cap_frequency=asks, ignore_quiet_hours=not asks)
            assert isinstance(answer, Stored)
            (message_id,) = message_ids(answer)
            await bench.settle(attempt_at(message_id, await bench.claim()), Rejected())
            found = await store.read(read_redrivable, 1, message_id)
            assert isinstance(found, Submission)
            expected = (Recipient(phone_number=phone_of(ANN), contact_id=ANN),)
            assert (expected, True) == (found.recipients, found.names_contacts)
            assert (asks, not asks) == (found.cap_frequency, found.ignore_quiet_hours)

    async def test_what_is_refused_for_something_else_does_not_count(self, store: Store) -> None:
        """For consent, or for want of credit."""
        ads = Marketing(store)
        bench = Bench(store)
        await record(bench, said(Act.OPT_OUT, sender="", recipient=phone_of(ANN)))
        answer = await ads.send(ANN)
        assert isinstance(answer, Stored)
        assert Reason.OPTED_OUT is answer.results[0].reason
        await buy(bench, "little", 15)
        terms: dict[str, Any] = {"prices": PRICES, "paying": True}
        assert isinstance(await ads.send(BOB, **terms), Unaffordable)
        assert ((), ()) == (await ads.dues(), await ads.dues(BOB))

    async def test_what_the_cap_refuses_is_not_paid_for(self, store: Store) -> None:
        """There is credit for one, and of two only one goes."""
        ads = Marketing(store, FrequencyCap(1, HOUR_US))
        await buy(Bench(store), "one", 30)
        answer = await ads.send(ANN, ANN, prices=PRICES, paying=True)
        assert isinstance(answer, Stored)
        assert [None, Reason.FREQUENCY_CAP] == [each.reason for each in answer.results]

    async def test_accounts_count_for_themselves(self, store: Store) -> None:
        """Whatever the ids of their contacts are."""
        ads = Marketing(store, FrequencyCap(1, HOUR_US))
        assert [True] == await ads.went(ANN)
        assert [True] == await ads.went(ANN, account_id=2)
        assert [False] == await ads.went(ANN, account_id=2)

    async def test_a_look_counts_nothing(self, store: Store) -> None:
        """It sees what a send would get."""
        ads = Marketing(store, FrequencyCap(1, HOUR_US))
        for expected in (None, None):
            seen = await store.read(read_capped, ads.plan(ANN))
            assert [expected] == [each.result.reason for each in seen.messages]
        await ads.send(ANN)
        seen = await store.read(read_capped, ads.plan(ANN))
        assert [Reason.FREQUENCY_CAP] == [each.result.reason for each in seen.messages]

    async def test_a_broadcast_is_held_to_the_cap(self, bench: Bench) -> None:
        """Its batches count what it sent before, and what others did."""
        ads = Marketing(bench.store, FrequencyCap(1, HOUR_US), ids=bench.ids)
        await ads.send(BOB)
        one = await running(bench)
        assert await one.gather()
        assert await one.sift(4)
        assert await _expanded(one, ads, ANN, BOB)
        assert await _expanded(one, ads, ANN, 503, at=2, then=Place(Stage.EXPANDED))
        progress = (await one.now()).progress
        assert (2, 2) == (progress.accepted, progress.refused)
        reasons = [each.reason for each in await one.messages()]
        assert [None, Reason.FREQUENCY_CAP, Reason.FREQUENCY_CAP, None] == reasons

    async def test_racing_sends_are_counted_one_after_the_other(self, store: Store) -> None:
        """Of sixty calls at once, in any transactions, exactly as many go as the cap allows."""
        ads = Marketing(store, FrequencyCap(7, HOUR_US))
        plans = [ads.plan(ANN, BOB) for _ in range(30)] + [ads.plan(BOB, ANN) for _ in range(30)]
        answers = await asyncio.gather(*[
            store.write(accept, [Acceptance(each, REMEMBER_US)], [1]) for each in plans
        ])
        results = [result for (answer,) in answers if isinstance(answer, Stored) for result in answer.results]
        assert 120 == len(results)
        for contact_id in (ANN, BOB):
            went = [each for each in results if each.contact_id == contact_id and each.reason is None]
            assert 7 == len(went)
        assert ([NOW_US] * 7, [NOW_US] * 7) == (await ads.dues(), await ads.dues(BOB))

    async def test_what_counts_no_more_is_forgotten(self, store: Store) -> None:
        """In batches, and nothing that still counts."""
        ads = Marketing(store)
        await ads.send(ANN, BOB)
        await ads.send(503, schedule_at_us=NOW_US + HOUR_US)
        item = ForgetPromotions(NOW_US + HOUR_US - 1, 10)
        assert [0] == await store.write(forget_promotions, [item])
        item = ForgetPromotions(NOW_US + HOUR_US, 1)
        assert [1, 1, 0] == [(await store.write(forget_promotions, [item]))[0] for _ in range(3)]
        assert [NOW_US + HOUR_US] == await ads.dues(503)

    @given(
        steps=st.lists(
            st.tuples(
                st.integers(0, 3_000),  # seconds that pass before it
                st.one_of(st.none(), st.integers(1, 9_000)),  # seconds that it is scheduled ahead
                st.booleans(),  # whether it asks for the cap
            ),
            min_size=3,
            max_size=25,
        ),
        count=st.integers(1, 3),
    )
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    async def test_a_message_goes_where_every_window_has_room_for_it(
        self, store: Store, steps: list[tuple[int, int | None, bool]], count: int
    ) -> None:
        """As a plain recount of all that went says."""
        somebody = next(_STRANGERS)
        ads = Marketing(store, FrequencyCap(count, HOUR_US), ids=_IDS)
        went: list[int] = []
        for passed, ahead, asks in steps:
            ads.now_us += passed * SECOND_US
            due_us = ads.now_us if ahead is None else ads.now_us + ahead * SECOND_US
            schedule_at_us = None if ahead is None else due_us
            (goes,) = await ads.went(somebody, schedule_at_us=schedule_at_us, cap_frequency=asks)
            assert goes == (not asks or has_room(went, due_us, count)), (passed, ahead, asks)
            if goes:
                went.append(due_us)


def has_room(dues: Sequence[int], due_us: int, count: int) -> bool:
    """Whether no hour that holds one more message at a time holds more than so many, counted one by one."""
    all_dues = sorted([*dues, due_us])
    return not any(
        start <= due_us < start + HOUR_US
        and bisect_left(all_dues, start + HOUR_US) - bisect_left(all_dues, start) > count
        for start in all_dues
    )


async def _expanded(
    one: Kept, ads: Marketing, *contact_ids: int, at: int = 0, then: Place | None = None
) -> bool:
    """Make messages of a batch of contacts."""
    plan = ads.plan(*contact_ids, ids=[one.broadcast_id, *ads.ids.take(len(contact_ids))])
    plan = replace(plan, submission=replace(plan.submission, broadcast_id=one.broadcast_id))
    item = Expanded(
        one.broadcast_id,
        Place(Stage.EXPANDING, 0, at),
        then or Place(Stage.EXPANDING, 0, at + len(contact_ids)),
        plan,
        None,
    )
    (done,) = await one.bench.store.write(expand, [item], [one.account_id])
    return done
