"""The dispatcher over a real store: claims, hand-overs, outcomes, limits, draining and restarts."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from broker.delivery.dispatcher import Dispatcher, DispatchLimits
from broker.delivery.lanes import Lanes
from broker.delivery.registry import Registry
from broker.domain.account_policy import AccountPolicy
from broker.domain.health import HealthPolicy
from broker.domain.ids import format_id
from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import Accepted, NotAccepted, Rejected, Unknown
from broker.domain.price import Price
from broker.domain.prices import PriceList, PriceRule, Prices, PriceTable
from broker.domain.vocabulary import Guarantee, Reason
from broker.errors import BrokerError, ErrorReason
from broker.metrics import Metrics
from broker.spi import OutboundMessage, ReceiptMode
from broker.storage.agenda import UNSENT, Work
from broker.storage.dispatching import settle
from broker.storage.policies import NewPolicy, set_policies
from broker.storage.questioning import release_leases
from broker.storage.store import Store
from broker.testing.builders import POLICY, SECOND_US, ManualClock, phones
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry
from broker.testing.store_suite import Bench
from broker.testing.store_suite.bench import LEASE_US

LIMITS = DispatchLimits(batch_max=50, submit_timeout_s=5.0, lease_s=90.0)
SENT = [Fact.ACCEPTED, Fact.ATTEMPTED, Fact.HANDED_OVER]

Build = Callable[..., Dispatcher]


@pytest.fixture
def build(store: Store, clock: ManualClock, provider: ScriptedProvider) -> Build:
    """A dispatcher that hears of every commit; without jitter, so a retry is due at once."""

    def dispatcher(
        registry: Registry | None = None,
        limits: DispatchLimits = LIMITS,
        *,
        fence: int = 1,
        in_flight_max: int = 100,
        health: HealthPolicy | None = None,
        **more: Any,
    ) -> Dispatcher:
        registry = registry or scripted_registry(acme=provider)
        made = Dispatcher(
            store,
            registry,
            Lanes(registry, clock, Metrics(), in_flight_max=in_flight_max, policy=health),
            clock,
            fence=fence,
            policy=POLICY,
            limits=limits,
            chance=lambda: 0.0,
            metrics=Metrics(),
            **more,
        )
        store.on_commit(lambda commit: made.hint() if commit.work_is_due else None)
        return made

    return dispatcher


async def test_what_is_routed_anew_costs_what_its_new_provider_does(bench, build, running, until) -> None:
    """By the prices in force, where everything that could carry it is gone from the settings."""
    bench.prices = Prices(PriceTable(1, (PriceRule(50, "gone"),), "EUR"))
    (message_id,) = await bench.send(candidates=("gone",))
    now = PriceList(PriceTable(2, (PriceRule(20, "acme"),), "EUR"))
    async with running(build(prices_now=lambda: now).run()):
        await until(lambda: settled(bench, message_id, State.SENT))
    assert Price(20, "EUR") == (await bench.message(message_id)).price


async def test_no_provider_that_reaches_people_gets_what_a_sandboxed_account_sent(
    bench, build, running, until, store, provider
) -> None:
    """Also where its sandbox is gone from the settings; what others sent goes on."""
    await store.write(set_policies, [NewPolicy(2, AccountPolicy(sandbox_only=True))], [2])
    toy = ScriptedProvider(sandbox=True)
    gone = {"candidates": ("gone",)}
    (scheduled,) = await bench.send(account_id=2, **gone)
    (other,) = await bench.send(**gone)
    async with running(build(scripted_registry(acme=provider, toy=toy)).run()):
        await until(lambda: provider.submitted and toy.submitted)
    assert [[format_id(other)], [format_id(scheduled)]] == [
        [each.message_id for batch in of.submitted for each in batch] for of in (provider, toy)
    ]


def limited(**changes: Any) -> DispatchLimits:
    """The limits with some of them changed."""
    fields = {name: getattr(LIMITS, name) for name in LIMITS.__dataclass_fields__}
    return DispatchLimits(**(fields | changes))


async def test_what_was_stored_before_the_start_is_dispatched(bench, build, running, until, provider) -> None:
    """As after a restart: the store is the queue."""
    (message_id,) = await bench.send()
    async with running(build().run()):
        await until(lambda: provider.submitted)
        await until(lambda: settled(bench, message_id, State.SENT))
    assert SENT == await bench.facts(message_id)


async def settled(bench: Bench, message_id: int, state: State) -> bool:
    """Whether the message stands there."""
    return await bench.state(message_id) is state


async def test_a_commit_wakes_the_dispatcher(bench, build, running, until, provider) -> None:
    """A message that is accepted while it idles goes out at once."""
    async with running(build().run()):
        await asyncio.sleep(0.01)
        (message_id,) = await bench.send()
        await until(lambda: settled(bench, message_id, State.SENT))


async def test_the_attempt_is_stored_before_the_provider_is_called(
    bench, build, running, until, provider
) -> None:
    """(I3): whoever dies now leaves an open attempt behind, not a message that looks unsent."""
    provider.gate = asyncio.Event()
    (message_id,) = await bench.send()
    async with running(build().run()):
        await until(lambda: provider.submitted)
        assert [Fact.ACCEPTED, Fact.ATTEMPTED] == await bench.facts(message_id)
        provider.gate.set()
        await until(lambda: settled(bench, message_id, State.SENT))


async def test_a_message_that_was_not_accepted_is_tried_again(bench, build, running, until, provider) -> None:
    """And then accepted, with the next attempt's number and the same key."""
    provider.submits.append(NotAccepted())
    (message_id,) = await bench.send()
    async with running(build().run()):
        await until(lambda: settled(bench, message_id, State.SENT))
    first, second = (each[0] for each in provider.submitted)
    assert (1, 2) == (first.attempt, second.attempt)
    assert first.idempotency_key == second.idempotency_key
    assert [*SENT[:2], Fact.DEFERRED, *SENT[1:]] == await bench.facts(message_id)


async def test_a_providers_wish_to_wait_is_kept(bench, build, running, until, clock, provider) -> None:
    """By the broker's clock."""
    provider.submits.append(NotAccepted(retry_after_s=5.0))
    (message_id,) = await bench.send()
    dispatcher = build()
    async with running(dispatcher.run()):
        await until(lambda: waiting(bench, message_id))
        clock.advance(4.9)
        dispatcher.hint()
        await asyncio.sleep(0.02)
        assert 1 == len(provider.submitted)
        clock.advance(0.1)
        dispatcher.hint()
        await until(lambda: settled(bench, message_id, State.SENT))


async def waiting(bench: Bench, message_id: int) -> bool:
    """Whether the message waits for its next attempt."""
    row = await bench.due(message_id)
    return row is not None and row.work in UNSENT and row.attempt > 0


async def test_the_last_attempt_is_the_last(bench, build, running, until, provider) -> None:
    """Three are allowed here."""
    provider.submits.extend([NotAccepted()] * 5)
    (message_id,) = await bench.send()
    async with running(build().run()):
        await until(lambda: settled(bench, message_id, State.SENDING_FAILED))
    assert 3 == len(provider.submitted)


@pytest.mark.parametrize(
    "answers",
    [OSError("refused"), lambda _: [], Unknown("timeout")],
    ids=["raise", "wrong length", "unknown"],
)
async def test_an_outcome_that_nobody_knows_is_asked_about(
    bench, build, running, until, provider, answers
) -> None:
    """Where the provider can be asked, a message is not sent again on a guess."""
    provider.submits.append(answers)
    (message_id,) = await bench.send()
    async with running(build().run()):
        await until(lambda: doubted(bench, message_id))
    assert [*SENT[:2], Fact.DOUBTED] == await bench.facts(message_id)
    assert Reason.AMBIGUOUS is (await bench.timeline(message_id))[-1].change.reason


async def doubted(bench: Bench, message_id: int) -> bool:
    """Whether the message's outcome is to be asked for."""
    row = await bench.due(message_id)
    return row is not None and row.work is Work.DOUBT


async def test_a_hanging_provider_is_given_up(bench, build, running, until, provider) -> None:
    """Its messages are in doubt, and others go out meanwhile."""
    provider.gate = asyncio.Event()
    (message_id,) = await bench.send()
    async with running(build(limits=limited(submit_timeout_s=0.02)).run()):
        await until(lambda: doubted(bench, message_id))
        provider.gate.set()
        (other,) = await bench.send()
        await until(lambda: settled(bench, other, State.SENT))


async def test_doubt_follows_the_guarantee_where_nobody_can_be_asked(bench, build, running, until) -> None:
    """At least once is sent again, at most once ends UNKNOWN."""
    mute = ScriptedProvider(query=False, batch_max=1)
    mute.submits.extend([OSError("lost"), OSError("lost")])
    (again,) = await bench.send()
    (once,) = await bench.send(guarantee=Guarantee.AT_MOST_ONCE)
    async with running(build(scripted_registry(mute=mute)).run()):
        await until(lambda: settled(bench, again, State.SENT))
        await until(lambda: settled(bench, once, State.UNKNOWN))


async def test_a_provider_without_receipts_ends_its_messages(bench, build, running, until) -> None:
    """SENT is all that can be known."""
    (message_id,) = await bench.send()
    async with running(build(scripted_registry(plain=ScriptedProvider(receipts=ReceiptMode.NONE))).run()):
        await until(lambda: settled(bench, message_id, State.SENT_FINAL))


async def test_batches_are_no_larger_than_the_provider_takes(bench, build, running, until) -> None:
    """And each message is handed over once."""
    small = ScriptedProvider(batch_max=3)
    sent = await bench.send(recipients=phones(8))
    async with running(build(scripted_registry(small=small)).run()):
        await until(lambda: settled(bench, sent[-1], State.SENT))
    assert [2, 3, 3] == sorted(map(len, small.submitted))
    assert 8 == len({message.message_id for batch in small.submitted for message in batch})


async def test_each_outcome_belongs_to_its_message(bench, build, running, until, provider) -> None:
    """In the order of the batch."""

    def by_recipient(messages: list[OutboundMessage]) -> list[Any]:
        return [
            Rejected() if each.recipient.endswith("1") else Accepted((each.message_id,)) for each in messages
        ]

    provider.submits.append(by_recipient)
    sent = await bench.send(recipients=phones(3))
    async with running(build().run()):
        await until(lambda: settled(bench, sent[1], State.REJECTED))
    assert [State.SENT, State.REJECTED, State.SENT] == [await bench.state(each) for each in sent]


async def test_a_message_goes_to_the_first_provider_that_serves_its_channel(
    bench, build, running, until
) -> None:
    """Or to the one that it names."""
    first, second = ScriptedProvider(), ScriptedProvider()
    await bench.send()
    (pinned,) = await bench.send(provider="second")
    async with running(build(scripted_registry(first=first, second=second)).run()):
        await until(lambda: settled(bench, pinned, State.SENT))
        await until(lambda: first.submitted)
    assert (1, 1) == (len(first.submitted), len(second.submitted))


async def test_no_more_messages_are_with_providers_than_allowed(
    bench, build, running, until, provider
) -> None:
    """The rest waits in the store, where it costs no memory, and goes out as soon as there is room."""
    provider.gate = asyncio.Event()
    sent = await bench.send(recipients=phones(30))
    async with running(build(limits=limited(batch_max=5), in_flight_max=7).run()):
        await until(lambda: sum(map(len, provider.submitted)) >= 7)
        await asyncio.sleep(0.02)
        assert 7 == sum(map(len, provider.submitted))
        provider.gate.set()
        provider.gate = None
        await until(lambda: all_sent(bench, sent))


async def all_sent(bench: Bench, message_ids: list[int]) -> bool:
    """Whether every one of the messages was taken."""
    return set((await bench.states(message_ids)).values()) == {State.SENT}


async def test_the_operator_sees_what_is_in_flight(bench, build, running, until, provider) -> None:
    """By instance, and nothing once it is settled."""
    registry = scripted_registry(acme=provider)
    provider.gate = asyncio.Event()
    sent = await bench.send(recipients=phones(4))
    async with running(build(registry).run()):
        await until(lambda: provider.submitted)
        assert [4] == [view.in_flight for view in registry.instances]
        provider.gate.set()
        await until(lambda: all_sent(bench, sent))
        await until(lambda: registry.instances[0].in_flight == 0)


async def test_outcomes_are_stored_however_long_the_store_needs(
    bench, build, running, until, clock, monkeypatch
) -> None:
    """A full disk does not lose what a provider said: it is written again until it is."""
    write, failures = bench.store.write, [1, 2]

    async def failing(verb: Any, items: Any, accounts: Any = ()) -> Any:
        if verb is settle and failures:
            failures.pop()
            raise BrokerError(ErrorReason.STORE_UNAVAILABLE)
        return await write(verb, items, accounts)

    monkeypatch.setattr(bench.store, "write", failing)
    (message_id,) = await bench.send()
    async with running(build().run()):
        for _ in range(2):
            await until(lambda: clock.sleeps_s)
            clock.sleeps_s.clear()
            clock.advance(1)
        await until(lambda: settled(bench, message_id, State.SENT))


async def test_a_drain_waits_for_open_attempts(bench, build, until, provider) -> None:
    """They settle, and nothing new is claimed."""
    provider.gate = asyncio.Event()
    dispatcher = build()
    (message_id,) = await bench.send()
    run = asyncio.create_task(dispatcher.run())
    await until(lambda: provider.submitted)
    draining = asyncio.create_task(dispatcher.drain(5))
    await asyncio.wait_for(run, 5)
    (later,) = await bench.send()
    provider.gate.set()
    await draining
    assert [State.SENT, State.ACCEPTED] == [await bench.state(each) for each in (message_id, later)]


async def test_a_drain_waits_for_what_is_being_claimed(bench, build, monkeypatch, provider) -> None:
    """A claim that commits while the broker drains is dispatched and settled too."""
    write, claiming, release = bench.store.write, asyncio.Event(), asyncio.Event()

    async def slow(verb: Any, items: Any, accounts: Any = ()) -> Any:
        answers = await write(verb, items, accounts)
        if verb.__name__ == "claim":
            claiming.set()
            await release.wait()
        return answers

    monkeypatch.setattr(bench.store, "write", slow)
    dispatcher = build()
    (message_id,) = await bench.send()
    run = asyncio.create_task(dispatcher.run())
    await claiming.wait()
    draining = asyncio.create_task(dispatcher.drain(5))
    await asyncio.sleep(0.01)
    release.set()
    await draining
    assert State.SENT == await bench.state(message_id)
    await run


async def test_a_drain_gives_up_after_its_time(bench, build, until, provider) -> None:
    """What did not settle stays an open attempt, to be asked about after the restart."""
    provider.gate = asyncio.Event()
    dispatcher = build()
    (message_id,) = await bench.send()
    run = asyncio.create_task(dispatcher.run())
    await until(lambda: provider.submitted)
    await dispatcher.drain(0.01)
    await asyncio.wait_for(run, 5)
    row = await bench.due(message_id)
    assert row is not None
    assert Work.SUBMITTED is row.work


async def test_an_outcome_after_a_restart_changes_nothing(bench, build, running, until, provider) -> None:
    """The new boot owns the message: it was asked about and sent again, and the old answer is late."""
    provider.gate = old_gate = asyncio.Event()
    (message_id,) = await bench.send()
    async with running(build(fence=1).run()):
        await until(lambda: provider.submitted)
        await bench.store.write(release_leases, [(bench.now_us, LEASE_US)])
        (question,) = (await bench.overdue()).questions
        await bench.answer(question, NotAccepted())
        bench.fence, provider.gate = 2, None
        (attempt,) = (await bench.claim()).attempts
        old_gate.set()
        await asyncio.sleep(0.02)
        assert State.PROCESSING == await bench.state(message_id)
        assert await bench.settle(attempt, Rejected())


async def test_a_validity_that_passes_while_waiting_ends_the_message(
    bench, build, running, until, clock, provider
) -> None:
    """It is found expired at its next turn, and no provider sees it again."""
    provider.submits.append(NotAccepted(retry_after_s=600.0))
    (message_id,) = await bench.send(validity_us=60 * SECOND_US)
    dispatcher = build()
    async with running(dispatcher.run()):
        await until(lambda: waiting(bench, message_id))
        clock.advance(60)
        dispatcher.hint()
        await until(lambda: settled(bench, message_id, State.EXPIRED))
    assert 1 == len(provider.submitted)
