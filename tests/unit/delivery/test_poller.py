"""The poller over a real store: overdue messages, questions, answers, leases and restarts."""

from collections.abc import Callable
from typing import Any

import pytest

from broker.delivery.poller import Poller
from broker.delivery.registry import Registry
from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import Accepted, NotAccepted, Receipt, ReceiptStatus, Rejected, Unknown
from broker.domain.vocabulary import Guarantee
from broker.errors import BrokerError, ErrorReason
from broker.metrics import Metrics
from broker.storage.agenda import Work
from broker.storage.questioning import claim_questions, release_leases
from broker.storage.store import Store
from broker.testing.builders import POLICY, SECOND_US, ManualClock, phones
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry
from broker.testing.store_suite import Bench
from broker.testing.store_suite.bench import LEASE_US

Build = Callable[..., Poller]
DELIVERED = Receipt("x", ReceiptStatus.DELIVERED)


@pytest.fixture
def built() -> list[Poller]:
    """The pollers of the test."""
    return []


@pytest.fixture
def build(store: Store, clock: ManualClock, provider: ScriptedProvider, built: list[Poller]) -> Build:
    """A poller that asks `acme`, which is where the bench's messages go."""

    def poller(registry: Registry | None = None) -> Poller:
        made = Poller(
            store,
            registry or scripted_registry(acme=provider),
            clock,
            shut=frozenset,
            policy=POLICY,
            query_timeout_s=5.0,
            lease_s=90.0,
            chance=lambda: 0.0,
            metrics=Metrics(),
        )
        built.append(made)
        return made

    return poller


@pytest.fixture
def tick(clock: ManualClock, until: Any, built: list[Poller]) -> Callable[[float], Any]:
    """Let time pass, once the poller sleeps, and let it look, ask and settle."""

    async def let(seconds: float) -> None:
        await until(lambda: clock.sleeps_s)
        clock.sleeps_s.clear()
        clock.advance(seconds)
        await until(lambda: clock.sleeps_s and not any(poller.asking for poller in built))

    return let


async def test_nothing_is_asked_before_it_is_overdue(bench, build, running, tick, provider) -> None:
    """A lease that still runs belongs to its dispatcher."""
    await bench.open()
    async with running(build().run()):
        await tick(89.5)
        assert [] == provider.queried
        await tick(0.5)
        assert 1 == len(provider.queried)


async def test_an_attempt_without_an_outcome_is_settled_by_its_provider(
    bench, build, running, tick, provider
) -> None:
    """It was delivered, though its answer never arrived: nothing is sent again."""
    provider.queries.append(DELIVERED)
    attempt = await bench.open()
    async with running(build().run()):
        await tick(90)
    expected = [Fact.ACCEPTED, Fact.ATTEMPTED, Fact.DOUBTED, Fact.HANDED_OVER, Fact.DELIVERED]
    assert expected == await bench.facts(attempt.message_id)


async def test_a_restart_does_not_wait_for_leases(bench, build, running, until, provider) -> None:
    """The boot before is gone for certain, so its attempts are asked about at once."""
    provider.queries.append(Accepted(("x",)))
    attempt = await bench.open()
    await bench.store.write(release_leases, [(bench.now_us, LEASE_US)])
    async with running(build().run()):
        await until(lambda: settled(bench, attempt.message_id, State.SENT))


async def settled(bench: Bench, message_id: int, state: State) -> bool:
    """Whether the message stands there."""
    return await bench.state(message_id) is state


async def test_what_never_arrived_is_sent_again(bench, build, running, tick, provider) -> None:
    """Also for at most once: the provider is sure."""
    provider.queries.append(NotAccepted())
    attempt = await bench.open(guarantee=Guarantee.AT_MOST_ONCE)
    async with running(build().run()):
        await tick(90)
    row = await bench.due(attempt.message_id)
    assert row is not None
    assert (Work.DISPATCH, False) == (row.work, row.doubtful)


@pytest.mark.parametrize(
    "answers",
    [OSError("down"), lambda _: [], lambda _: "?", Unknown()],
    ids=["raise", "wrong length", "wrong type", "unknown"],
)
async def test_a_question_without_an_answer_is_asked_again_later(
    bench, build, running, tick, provider, answers
) -> None:
    """Twice as late each time; the poller goes on."""
    provider.queries.extend([answers, DELIVERED])
    attempt = await bench.open()
    async with running(build().run()):
        await tick(90)
        assert (1, State.PROCESSING) == (len(provider.queried), await bench.state(attempt.message_id))
        await tick(1.5)
        assert 1 == len(provider.queried)
        await tick(0.5)
    assert State.DELIVERED == await bench.state(attempt.message_id)


async def test_a_missing_receipt_is_asked_for_by_the_providers_ids(
    bench, build, running, tick, provider
) -> None:
    """After half a minute."""
    provider.queries.append(DELIVERED)
    message_id = await bench.sent("x", questions=True)
    async with running(build().run()):
        await tick(30)
    assert ("x",) == provider.queried[0][0].provider_message_ids
    assert State.DELIVERED == await bench.state(message_id)


async def test_a_message_without_a_receipt_ends_with_its_validity(
    bench, build, running, tick, provider
) -> None:
    """(I6): nothing stays open for ever."""
    message_id = await bench.sent("x", questions=True, validity_us=40 * SECOND_US)
    async with running(build().run()):
        await tick(30)
        assert State.SENT == await bench.state(message_id)
        await tick(10)
    assert State.UNKNOWN == await bench.state(message_id)


async def test_messages_of_a_provider_that_is_gone_are_decided_without_it(
    bench, build, running, tick
) -> None:
    """It was taken out of the settings while they were with it."""
    again = await bench.open()
    once = await bench.open(guarantee=Guarantee.AT_MOST_ONCE)
    async with running(build(scripted_registry(other=ScriptedProvider(query=True))).run()):
        await tick(90)
    assert State.UNKNOWN == await bench.state(once.message_id)
    row = await bench.due(again.message_id)
    assert row is not None
    assert Work.DISPATCH is row.work


async def test_questions_are_asked_in_batches_that_the_provider_takes(bench, build, running, tick) -> None:
    """Each answer belongs to its message."""
    small = ScriptedProvider(query=True, batch_max=2)
    sent = await bench.send(recipients=phones(3))
    await bench.claim()
    small.queries.extend([lambda messages: [answer_by(each) for each in messages]] * 2)
    async with running(build(scripted_registry(acme=small)).run()):
        await tick(90)
    assert [1, 2] == sorted(map(len, small.queried))
    assert [State.SENT, State.REJECTED, State.SENT] == [await bench.state(each) for each in sent]


def answer_by(message: Any) -> Any:
    """Refused for the recipient that ends in 1."""
    return Rejected() if message.recipient.endswith("1") else Accepted((message.message_id,))


async def test_a_late_outcome_beats_the_answer(bench, build, running, tick, provider) -> None:
    """The dispatcher settled the attempt while its provider was being asked."""
    attempt = await bench.open()

    async def settle_first(messages: Any) -> Any:
        assert await bench.settle(attempt, Accepted(("x",)))
        return [NotAccepted()] * len(messages)

    provider.query = settle_first
    async with running(build().run()):
        await tick(90)
    assert State.SENT == await bench.state(attempt.message_id)


async def test_a_failing_store_is_tried_again(bench, build, running, tick, provider, monkeypatch) -> None:
    """The poller outlives a full disk."""
    write, failures = bench.store.write, [1]

    async def failing(verb: Any, items: Any, accounts: Any = ()) -> Any:
        if verb is claim_questions and failures:
            failures.pop()
            raise BrokerError(ErrorReason.STORE_UNAVAILABLE)
        return await write(verb, items, accounts)

    monkeypatch.setattr(bench.store, "write", failing)
    await bench.open()
    async with running(build().run()):
        await tick(90)
        assert [] == provider.queried
        await tick(1)
        assert 1 == len(provider.queried)


async def test_a_question_whose_answer_was_never_stored_is_asked_again(
    bench, build, running, tick, provider
) -> None:
    """Its lease runs out, as after a crash between asking and settling."""
    provider.queries.append(DELIVERED)
    await bench.open()
    bench.wait(90)
    (question,) = (await bench.overdue()).questions
    async with running(build().run()):
        await tick(179.5)
        assert [] == provider.queried
        await tick(0.5)
    assert State.DELIVERED == await bench.state(question.message_id)
