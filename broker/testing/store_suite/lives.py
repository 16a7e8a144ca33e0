"""Random schedules of everything that can happen to messages, compared with a model of their lives."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.domain.lifecycle import State
from broker.domain.outcome import Accepted, NotAccepted, Outcome, Receipt, Rejected, Unknown
from broker.domain.vocabulary import Guarantee
from broker.storage.agenda import Work
from broker.storage.claiming import SUSPECT_WAIT_US
from broker.storage.dispatching import OpenAttempt
from broker.storage.history import Cancelled
from broker.storage.questioning import Question, release_leases
from broker.storage.rerouting import BEGINNING, Reroute, read_stretch, reroute
from broker.testing.builders import SECOND_US, phones
from broker.testing.store_suite.bench import LEASE_US, Bench, receipt, room
from broker.testing.store_suite.model import DOUBT, GRAVE, INSTANCES, OPEN, POLICY, TAKEN, WAITING, Life
from broker.testing.store_suite.opening import OpenedStore

Step = tuple[object, ...]

INDEX = st.integers(0, 7)
SOME = st.frozensets(st.sampled_from(INSTANCES))
STATUSES = st.sampled_from(["SENT", "DELIVERED", "DELIVERY_FAILED", "READ", "UNKNOWN"])
OUTCOMES = st.sampled_from([
    *("accepted", "accepted in two parts", "accepted without an id"),
    *("rejected", "not accepted", "not accepted for 5 s", "unknown"),
])
STEPS = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([1, 5, 30, 100])),
    st.tuples(
        st.just("send"),
        st.sampled_from([1, 2]),
        st.sampled_from(Guarantee),
        st.sampled_from([0, 20]),
        st.sampled_from([15, 200]),
        st.sampled_from([INSTANCES, INSTANCES[:2], INSTANCES[:1]]),
    ),
    st.tuples(st.just("claim"), SOME),
    st.tuples(st.just("claim"), st.just(frozenset(INSTANCES))),
    st.tuples(st.just("settle"), INDEX, OUTCOMES, st.booleans(), SOME),
    st.tuples(st.just("settle"), INDEX, OUTCOMES, st.booleans(), st.just(frozenset())),
    st.tuples(st.just("reroute"), SOME),
    st.tuples(st.just("receive"), INDEX, st.sampled_from([1, 2]), STATUSES),
    st.tuples(st.just("cancel"), INDEX),
    st.tuples(st.just("ask"), st.booleans()),
    st.tuples(st.just("answer"), INDEX, OUTCOMES | STATUSES),
    st.tuples(st.just("restart")),
)
OPENING: list[Step] = [
    ("send", 1, Guarantee.AT_LEAST_ONCE, 0, 200, INSTANCES),
    ("claim", frozenset(INSTANCES)),
]


def outcome_of(name: str, message_id: int) -> Outcome:
    """The outcome of that name; every message has provider ids of its own."""
    outcomes: dict[str, Outcome] = {
        "accepted": Accepted((f"{message_id}-1",)),
        "accepted in two parts": Accepted((f"{message_id}-1", f"{message_id}-2")),
        "accepted without an id": Accepted(),
        "rejected": Rejected(),
        "not accepted": NotAccepted(),
        "not accepted for 5 s": NotAccepted(5.0),
        "unknown": Unknown(),
    }
    return outcomes[name]


class Play:
    """One schedule on one store, step by step, with the model beside it."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.lives: dict[int, Life] = {}
        self.attempts: list[OpenAttempt] = []
        self.questions: list[Question] = []
        self.known_ids: dict[tuple[str, str], Life] = {}
        self.parked: list[tuple[str, Receipt]] = []

    async def run(self, steps: Sequence[Step]) -> None:
        """Every step, and after each of them the state of every message."""
        for name, *arguments in steps:
            await getattr(self, str(name))(*arguments)
            expected = {life.message_id: life.state for life in self.lives.values()}
            assert expected == await self.bench.states(list(self.lives))

    def due(self, *places: str) -> set[int]:
        """The messages for whom something is due in these places."""
        now_us = self.bench.now_us
        return {
            each.message_id
            for each in self.lives.values()
            if each.place in places and each.until_us <= now_us
        }

    async def send(
        self,
        account_id: int,
        guarantee: Guarantee,
        delay_s: int,
        validity_s: int,
        candidates: tuple[str, ...],
    ) -> None:
        """Two recipients, now or later."""
        at_us = self.bench.now_us + delay_s * SECOND_US
        sent = await self.bench.send(
            account_id=account_id,
            guarantee=guarantee,
            recipients=phones(2),
            schedule_at_us=at_us if delay_s else None,
            validity_us=validity_s * SECOND_US,
            candidates=candidates,
        )
        state = State.SCHEDULED if delay_s else State.ACCEPTED
        for each in sent:
            expire_us = at_us + validity_s * SECOND_US
            self.lives[each] = Life(
                each,
                account_id,
                guarantee,
                state,
                at_us,
                expire_us,
                candidates,
                candidates[0],
                ready=not delay_s,
            )

    async def claim(self, instances: frozenset[str]) -> None:
        """Everything that is due for some instances; of the grave ones, one."""
        now_us = self.bench.now_us
        due = [self.lives[each] for each in sorted(self.due(WAITING))]
        lapsed = [life for life in due if life.expire_us <= now_us]
        wanted = [life for life in due if life.expire_us > now_us and life.provider in instances]
        claimed = await self.bench.claim(
            rooms=tuple(room(each, 1_000) for each in sorted(instances)), known=frozenset(INSTANCES)
        )
        opened = {(each.message_id, each.provider) for each in claimed.attempts}
        grave = {(life.message_id, life.provider) for life in wanted if life.crashes >= GRAVE}
        plain = {(life.message_id, life.provider) for life in wanted} - grave
        assert (len(lapsed) + len(wanted), plain, min(1, len(grave))) == (
            claimed.looked_at,
            opened - grave,
            len(opened & grave),
        )
        for life in due:
            if life in lapsed:
                life.lapse()
            elif (life.message_id, life.provider) in opened:
                life.open(now_us, self.bench.fence)
            elif life in wanted:  # grave, and not the one
                life.plan(now_us + SUSPECT_WAIT_US, now_us)
            else:
                life.ready = True
        self.attempts += claimed.attempts

    async def reroute(self, shut: frozenset[str]) -> None:
        """All that can go elsewhere from the lanes of some instances."""
        for name in sorted(shut):
            stretch = await self.bench.store.read(
                read_stretch, name, shut, POLICY.retry.hops_max, BEGINNING, 1_000
            )
            waiting = [
                each
                for each in self.lives.values()
                if each.place == WAITING and each.ready and each.provider == name
            ]
            moved = {each.message_id for each in waiting if each.reroute(shut)}
            assert moved == {message_id for _, message_id in stretch.movable}
            items = [
                Reroute(account_id, message_id, name, shut, POLICY.retry.hops_max, self.bench.now_us)
                for account_id, message_id in stretch.movable
            ]
            answers = await self.bench.store.write(reroute, items, {item.account_id for item in items})
            assert all(answers)

    async def settle(self, index: int, name: str, asks: bool, shut: frozenset[str]) -> None:
        """An attempt of any age, of this boot or an earlier one."""
        if not self.attempts:
            return
        attempt = self.attempts[index % len(self.attempts)]
        life = self.lives[attempt.message_id]
        fits = (life.attempt, life.fence) == (attempt.message.attempt, attempt.fence)
        mine = life.place in {OPEN, DOUBT} and fits
        outcome = outcome_of(name, life.message_id)
        assert mine == await self.bench.settle(attempt, outcome, questions=asks, shut=shut)
        if mine:
            life.outcome(outcome, self.bench.now_us, asks=asks, shut=shut)
            self.know(life, outcome)

    def know(self, life: Life, answer: Outcome | Receipt) -> None:
        """The ids in an answer are its message's now, and so are the receipts that waited for them."""
        ids: tuple[str, ...] = ()
        if isinstance(answer, Accepted):
            ids = answer.provider_message_ids
        elif isinstance(answer, Receipt):
            ids = (answer.provider_message_id,)
        keys = [(life.provider, identity) for identity in ids]
        self.known_ids |= dict.fromkeys(keys, life)
        for each in [each for each in self.parked if (each[0], each[1].provider_message_id) in keys]:
            self.parked.remove(each)
            life.receive(each[1])

    async def receive(self, index: int, part: int, status: str) -> None:
        """A receipt about any message, known or not."""
        if not self.lives:
            return
        message_id = list(self.lives)[index % len(self.lives)]
        provider = self.lives[message_id].provider
        report = receipt(f"{message_id}-{part}", status)
        life = self.known_ids.get((provider, report.provider_message_id))
        assert [life is not None] == await self.bench.report(report, provider=provider)
        if life is None:
            self.parked.append((provider, report))
        else:
            life.receive(report)

    async def cancel(self, index: int) -> None:
        """Any message."""
        if not self.lives:
            return
        life = list(self.lives.values())[index % len(self.lives)]
        possible = life.place == WAITING and not life.doubtful
        assert possible == isinstance(await self.bench.cancel(life.message_id, life.account_id), Cancelled)
        if possible:
            life.end(State.CANCELLED)

    async def ask(self, can_ask: bool) -> None:
        """About everything that is overdue."""
        due = self.due(OPEN, DOUBT, TAKEN)
        found = await self.bench.overdue(can_ask=lambda _: can_ask, messages_max=1_000)
        asked = due if can_ask else set()
        assert (len(due), asked) == (found.looked_at, {each.message_id for each in found.questions})
        self.questions += found.questions
        for each in due:
            if can_ask:
                self.lives[each].ask(self.bench.now_us)
            else:
                self.lives[each].unanswerable(self.bench.now_us)

    async def answer(self, index: int, name: str) -> None:
        """A question of any age."""
        if not self.questions:
            return
        question = self.questions[index % len(self.questions)]
        life = self.lives[question.message_id]
        place = TAKEN if question.work is Work.RECEIPT else DOUBT
        fits = (place, question.asked, question.message.attempt) == (life.place, life.asked, life.attempt)
        identity = f"{life.message_id}-1"
        answer = receipt(identity, name) if name.isupper() else outcome_of(name, life.message_id)
        assert fits == await self.bench.answer(question, answer)
        if fits and place == TAKEN:
            life.receipt_answer(answer, self.bench.now_us)
        elif fits:
            life.answer(answer, self.bench.now_us)
            self.know(life, answer)

    async def wait(self, seconds: int) -> None:
        """Time passes."""
        self.bench.wait(seconds)

    async def restart(self) -> None:
        """A new boot, which releases what the one before had open."""
        self.bench.fence += 1
        now_us = self.bench.now_us
        await self.bench.store.write(release_leases, [(now_us, LEASE_US)])
        for life in self.lives.values():
            life.die()
            if life.place in {OPEN, DOUBT, TAKEN} and now_us < life.until_us <= now_us + LEASE_US:
                life.until_us = now_us


class LivesCases(OpenedStore):
    """Whatever happens, in whatever order."""

    async def play(self, steps: Sequence[Step]) -> None:
        """One schedule on a store of its own."""
        with tempfile.TemporaryDirectory() as place:
            async with self.open_store(Path(place)) as store:
                await self.add_accounts(store)
                await Play(Bench(store, policy=POLICY)).run([*OPENING, *steps])
                await self.check_invariants(store)

    @pytest.mark.timeout(600)  # a failure is made small before it is shown
    @given(steps=st.lists(STEPS, min_size=20, max_size=60))
    @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
    async def test_any_schedule_keeps_the_store_whole(self, steps: list[Step]) -> None:
        """Every message stands where the model says, and the store fits together at the end."""
        await self.play(steps)

    @pytest.mark.soak
    @pytest.mark.timeout(1_800)
    @given(steps=st.lists(STEPS, min_size=20, max_size=120))
    @settings(max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck))
    async def test_any_long_schedule_keeps_the_store_whole(self, steps: list[Step]) -> None:
        """The same, longer and more often."""
        await self.play(steps)
