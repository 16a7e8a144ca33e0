"""Providers that fail in every way: messages end as they should, and go to whoever takes them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from broker.domain.health import CircuitState, HealthPolicy
from broker.domain.lifecycle import ENDS, Fact, State
from broker.domain.vocabulary import Guarantee, Reason, Traffic
from broker.spi import Accepted, Idempotency, OutboundMessage
from broker.storage.store import Store
from broker.testing.builders import SECOND_US, phones
from broker.testing.faulty_provider import Fault, FaultyProvider
from broker.testing.running_delivery import RunningDelivery, running_delivery
from broker.testing.scripted_provider import ScriptedProvider

NAMES = ("acme", "west", "east")
UNCERTAIN = {Fault.RESET, Fault.HANG, Fault.GARBAGE, Fault.RAISE}
"""The broker cannot tell whether the message was taken."""


def three(**changes: Any) -> dict[str, FaultyProvider]:
    """Instances that can all carry everything."""
    return {name: FaultyProvider(**changes) for name in NAMES}


async def ended(running: RunningDelivery, message_ids: Sequence[int]) -> bool:
    """Whether every one of the messages has ended."""
    return set((await running.bench.states(list(message_ids))).values()) <= ENDS


def taken(providers: dict[str, FaultyProvider]) -> Counter[str]:
    """How often each message was taken, wherever."""
    return sum((each.taken for each in providers.values()), Counter())


async def fail_in_turn(
    store: Store, until: Callable[..., Any], fault: Fault, count: int, guarantee: Guarantee
) -> None:
    """One instance fails while `count` messages go out, and recovers.

    Every message ends SENT, or UNKNOWN where it may go out once only and nobody can tell; the circuit
    opens after at most 50 bad outcomes, and closes again.
    """
    providers = three()
    order = ("acme", "west", "east")
    async with running_delivery(store, providers) as running:
        providers["acme"].fault = fault
        sent: list[int] = []
        for start in range(0, count, 100):
            size = min(100, count - start)
            sent += await running.send(recipients=phones(size), candidates=order, guarantee=guarantee)
        await until(lambda: ended(running, sent))
        states = Counter((await running.bench.states(sent)).values())
        times = Counter(taken(providers).values())
        assert set(states) <= {State.SENT_FINAL, State.UNKNOWN}
        if fault not in UNCERTAIN:
            assert ({State.SENT_FINAL: count}, {1: count}) == (states, times)
        elif guarantee is Guarantee.AT_LEAST_ONCE:
            assert {State.SENT_FINAL: count} == states
            assert set(times) <= {1, 2, 3}
        else:
            assert set(times) <= {1}
            assert states[State.UNKNOWN] <= providers["acme"].refused
        if fault is not Fault.THROTTLED:  # it works, and is held as it wishes
            lane = running.lanes["acme"]
            transitions = running.metrics.circuit_transitions.labels("acme", "OPEN")._value.get()
            assert transitions >= 1
            providers["acme"].fault = None
            while lane.circuit.state is not CircuitState.CLOSED:
                again = await running.send(candidates=order)
                await until(lambda ids=again: ended(running, ids))
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("guarantee", Guarantee, ids=lambda each: each.name)
@pytest.mark.parametrize("fault", Fault, ids=lambda each: each.name)
async def test_a_provider_that_fails_hurts_no_message(store, until, fault, guarantee) -> None:
    """Its messages go on to the next candidate, or are asked about, or end as their guarantee says."""
    await fail_in_turn(store, until, fault, 300, guarantee)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("guarantee", Guarantee, ids=lambda each: each.name)
@pytest.mark.parametrize("fault", Fault, ids=lambda each: each.name)
async def test_a_provider_that_fails_hurts_none_of_ten_thousand(store, fault, guarantee) -> None:
    """The same with many."""

    async def until(condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(300):
            while not await condition():  # noqa: ASYNC110 - what is waited for is in the store
                await asyncio.sleep(0.1)

    await fail_in_turn(store, until, fault, 10_000, guarantee)


async def test_the_circuit_opens_after_at_most_fifty_bad_outcomes(store, until) -> None:
    """What is refused before that is all that the failing instance ever sees; the rest moves on."""
    providers = three(batch_max=1)
    providers["acme"].fault = Fault.REFUSED
    health = HealthPolicy(outcomes_min=1_000)  # by the row alone
    settings = {"acme": {"concurrency_max": 1}}
    async with running_delivery(store, providers, health=health, settings=settings) as running:
        sent = await running.send(recipients=phones(200), candidates=NAMES)
        await until(lambda: ended(running, sent))
        assert 50 == providers["acme"].refused
        facts = Counter([fact for each in sent for fact in await running.bench.facts(each)])
    assert (50, 150) == (facts[Fact.DEFERRED], facts[Fact.REROUTED])
    assert {State.SENT_FINAL} == set((await running.bench.states(sent)).values())


async def test_what_has_no_other_candidate_waits_for_its_own(store, until) -> None:
    """It is not attempted while the circuit is open, and goes out when it has closed."""
    providers = {"acme": FaultyProvider(batch_max=5)}
    providers["acme"].fault = Fault.REFUSED
    async with running_delivery(store, providers) as running:
        sent = await running.send(recipients=phones(100))
        await until(lambda: running.lanes["acme"].circuit.state is CircuitState.OPEN)
        providers["acme"].fault = None
        await until(lambda: ended(running, sent))
        assert {State.SENT_FINAL} == set((await running.bench.states(sent)).values())
        assert CircuitState.CLOSED is running.lanes["acme"].circuit.state


async def test_what_waits_for_a_provider_that_is_down_expires_in_time(store, until) -> None:
    """It was surely not sent."""
    providers = {"acme": FaultyProvider()}
    providers["acme"].fault = Fault.REFUSED
    async with running_delivery(store, providers, health=HealthPolicy(bad_in_row_max=5)) as running:
        sent = await running.send(recipients=phones(50), validity_us=SECOND_US)
        await until(lambda: ended(running, sent))
    assert {State.EXPIRED} == set((await running.bench.states(sent)).values())


async def test_a_doubtful_message_stays_with_whom_knows_its_key(store, until) -> None:
    """It is repeated there, and is not taken by another."""
    providers = {
        "acme": FaultyProvider(idempotency=Idempotency.KEY, batch_max=1),
        "west": FaultyProvider(),
    }
    providers["acme"].fault = Fault.GARBAGE
    async with running_delivery(store, providers) as running:
        (message_id,) = await running.send(candidates=("acme", "west"))
        await until(lambda: providers["acme"].calls >= 2)
        providers["acme"].fault = None
        await until(lambda: ended(running, [message_id]))
        assert "acme" == (await running.bench.message(message_id)).provider
    assert {} == providers["west"].taken


async def test_a_hanging_provider_takes_its_own_places_only(store, until) -> None:
    """Others have theirs, also where all that may be under way is under way."""
    providers = {"acme": ScriptedProvider(batch_max=10), "west": ScriptedProvider(batch_max=10)}
    providers["acme"].gate = asyncio.Event()
    settings = {"acme": {"in_flight_max": 40}}
    async with running_delivery(store, providers, in_flight_max=20, settings=settings) as running:
        stuck = await running.send(recipients=phones(60), candidates=("acme",))
        await until(lambda: sum(map(len, providers["acme"].submitted)) >= 20)
        free = await running.send(recipients=phones(60), candidates=("west",))
        await until(lambda: states_are(running, free, {State.SENT}))
        providers["acme"].gate.set()
        providers["acme"].gate = None
        await until(lambda: states_are(running, stuck, {State.SENT}))


async def states_are(running: RunningDelivery, message_ids: list[int], states: set[State]) -> bool:
    """Whether every message stands in one of these states."""
    return set((await running.bench.states(message_ids)).values()) <= states


async def test_calls_of_an_instance_are_no_more_than_it_allows(store, until) -> None:
    """And as many as it allows, where there is work for them."""
    slow = ScriptedProvider(batch_max=2)
    slow.gate = asyncio.Event()
    settings = {"acme": {"concurrency_max": 3}}
    async with running_delivery(store, {"acme": slow}, settings=settings) as running:
        sent = await running.send(recipients=phones(20))
        await until(lambda: len(slow.submitted) >= 3)
        await asyncio.sleep(0.05)
        assert [2, 2, 2] == [len(each) for each in slow.submitted]
        slow.gate.set()
        await until(lambda: states_are(running, sent, {State.SENT}))


async def test_a_rate_of_the_operator_is_kept(store, until) -> None:
    """The rest waits, and what may go meanwhile goes together."""
    provider = FaultyProvider()
    settings = {"acme": {"segments_per_second": 200}}
    loop = asyncio.get_running_loop()
    async with running_delivery(store, {"acme": provider}, settings=settings) as running:
        began = loop.time()
        sent = await running.send(recipients=phones(100))
        await until(lambda: ended(running, sent))
        passed_s = loop.time() - began
    assert 100 <= 200 * (passed_s + 0.1) + 1
    assert provider.calls < len(sent)


async def test_a_sender_beyond_its_rate_holds_up_no_other(store, until) -> None:
    """Its messages get later times; another sender's pass."""
    provider = FaultyProvider()
    settings = {"acme": {"sender_segments_per_second": 20}}
    async with running_delivery(store, {"acme": provider}, settings=settings) as running:
        busy = await running.send(recipients=phones(60), sender="Busy")
        quiet = await running.send(recipients=phones(2), sender="Quiet")
        await until(lambda: ended(running, quiet))
        assert not await ended(running, busy)
        (code,) = await running.send(sender="Busy", traffic=Traffic.PASSCODE)
        await until(lambda: ended(running, [code]))
        await until(lambda: ended(running, busy))


class TestFairness:
    """Who goes first (C36)."""

    async def test_a_backlog_puts_at_most_one_dispatch_batch_before_a_passcode(self, store, until) -> None:
        """Of 5,000 promotions of one account, and then a passcode of another."""
        handed: list[Sequence[OutboundMessage]] = []
        marks: list[int] = []

        def take(messages: Sequence[OutboundMessage]) -> list[Accepted]:
            handed.append(messages)
            return [Accepted((each.message_id,)) for each in messages]

        provider = ScriptedProvider(batch_max=50)
        provider.submits.extend([take] * 1_000)
        async with running_delivery(store, {"acme": provider}, batch_max=50) as running:
            backlog: list[int] = []
            for _ in range(5):
                backlog += await running.send(recipients=phones(1_000), traffic=Traffic.PROMOTIONAL)
            codes = []
            for _ in range(5):
                codes += await running.send(account_id=2, traffic=Traffic.PASSCODE)
                marks.append(len(handed))
                await until(partial(states_are, running, codes, {State.SENT}))
            await until(lambda: states_are(running, backlog, {State.SENT}))
        places = [
            at
            for at, batch in enumerate(handed)
            if any(message.traffic is Traffic.PASSCODE for message in batch)
        ]
        # What was being claimed as the passcode was stored may go first; nothing that was claimed after it.
        assert all(place - mark <= 1 for place, mark in zip(places, marks, strict=True))

    async def test_accounts_of_one_priority_share(self, store, until) -> None:
        """The small one is not behind the large one."""
        handed: list[str] = []

        def take(messages: Sequence[OutboundMessage]) -> list[Accepted]:
            handed.extend(each.client_reference for each in messages)
            return [Accepted((each.message_id,)) for each in messages]

        provider = ScriptedProvider(batch_max=10)
        provider.submits.extend([take] * 200)
        bench_store: Store = store
        async with running_delivery(bench_store, {"acme": provider}, batch_max=10) as running:
            await running.send(recipients=phones(1_000), client_reference="large")
            small = await running.send(account_id=2, recipients=phones(20), client_reference="small")
            await until(lambda: states_are(running, small, {State.SENT}))
            first, last = handed.index("small"), len(handed) - handed[::-1].index("small")
        assert handed[first:last].count("large") <= 30


async def test_a_provider_that_fails_once_in_a_thousand_disturbs_nobody(store, until) -> None:
    """It raises or hangs for one message: that one ends after bounded attempts, the rest at their first."""

    def unless_seven(messages: Sequence[OutboundMessage]) -> Any:
        if any(each.recipient.endswith("00007") for each in messages):
            raise KeyError("seven")
        return [Accepted((each.message_id,)) for each in messages]

    provider = ScriptedProvider(batch_max=1)
    provider.submits.extend([unless_seven] * 2_000)
    async with running_delivery(store, {"acme": provider}) as running:
        sent = await running.send(recipients=phones(1_000))
        await until(lambda: ended_or_sent(running, sent))
        messages = [await running.bench.message(each) for each in sent]
    attempts = Counter(each.attempts for each in messages)
    assert {1: 999, 12: 1} == attempts
    (bad,) = [each for each in messages if each.state is not State.SENT]
    assert (State.UNKNOWN, Reason.AMBIGUOUS) == (bad.state, bad.reason)


async def ended_or_sent(running: RunningDelivery, message_ids: list[int]) -> bool:
    """Whether every message has ended or is with its provider for good."""
    return await states_are(running, message_ids, {*ENDS, State.SENT})
