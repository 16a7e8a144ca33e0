"""Calls whose answers somebody waits for: what a URL says to a message that came in goes back to its writer."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from broker.clock import SystemClock
from broker.delivery.answering import Answering
from broker.delivery.identities import Identities
from broker.delivery.intake import Intake
from broker.delivery.policies import Policies
from broker.delivery.route_hook import RouteHook
from broker.delivery.routes import Routes
from broker.delivery.senders import Senders
from broker.delivery.templates import Templates
from broker.delivery.waiting_replies import WaitingReplies
from broker.domain.account_policy import AccountPolicy
from broker.domain.records import MessageRecord
from broker.domain.vocabulary import Direction, Reason, Traffic
from broker.metrics import Metrics
from broker.spi import Clock
from broker.storage.policies import NewPolicy, set_policies
from broker.storage.store import Store
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry
from broker.testing.store_suite import Bench
from broker.testing.store_suite.callback_bench import to
from broker.testing.store_suite.inbound_bench import OURS, PERSON, Phone, person


def waiting(store: Store, clock: Clock) -> WaitingReplies:
    """Sends replies through a real intake."""
    identities = Identities(store, clock, node=1, last=0)
    registry = scripted_registry(acme=ScriptedProvider())
    policies = Policies(store, clock)
    intake = Intake(
        store,
        identities,
        Routes(store, registry, clock, RouteHook((), clock)),
        Templates(store, identities, clock, templates_max=10),
        policies,
        Senders(store, identities, clock, providers=()),
        clock,
        units_max=10,
        request_id_memory_s=86_400.0,
    )
    answering = Answering(store, intake, clock, Metrics(), route=registry.route, replies_per_hour_max=5)
    return WaitingReplies(policies, answering, clock)


@pytest.fixture
def exchange(working: Callable[..., Any], receiver: Any, store: Store, bench: Bench) -> Callable[..., Any]:
    """We write, somebody answers, and the callback URL says something to that; the broker's answers, if `count` come."""

    async def run(*answers: web.Response, waits: bool = True, count: int = 1) -> list[MessageRecord]:
        said = iter(answers)
        receiver.answer = lambda got: next(said) if b"inbound.received" in got.body else web.Response()
        await store.write(set_policies, [NewPolicy(1, AccountPolicy(inbound_waits=waits))], [1])
        async with working() as works:
            works.parts.sender.answered = waiting(store, SystemClock())
            await bench.sent("x", sender=OURS, callback=to(receiver.url), **person())
            await Phone(bench).say("Will you?")
            heard = 0
            while heard < len(answers):
                heard = sum(b"inbound.received" in got.body for got in receiver.got)
                await asyncio.sleep(0.01)
            while len(found := await replies(bench)) < count:  # noqa: ASYNC110 - nobody announces it
                await asyncio.sleep(0.01)
        return found

    return run


async def replies(bench: Bench) -> list[MessageRecord]:
    """What the broker answered by itself."""
    (ids,) = await bench.pages(
        traffics=frozenset({Traffic.CONVERSATIONAL}), directions=frozenset({Direction.OUTBOUND})
    )
    return [await bench.message(each) for each in ids]


async def test_what_the_url_says_is_sent_back(exchange: Any) -> None:
    """To who wrote, from the address that was written to."""
    (reply,) = await exchange(web.Response(text="We will"))
    assert ({"text": "We will"}, PERSON, OURS, "callback") == (
        reply.content,
        reply.recipient,
        reply.sender,
        reply.labels.origin,
    )


async def test_who_does_not_wait_gets_nothing(exchange: Any) -> None:
    """Whatever the URL says."""
    assert [] == await exchange(web.Response(text="We will"), waits=False, count=0)


async def test_an_answer_that_cannot_be_sent_is_seen_as_abandoned(exchange: Any) -> None:
    """With the reason."""
    (reply,) = await exchange(web.Response(text="<p>Hi</p>", content_type="text/html"))
    assert Reason.REPLY_ABANDONED is reply.reason


async def test_only_the_first_call_is_waited_for(exchange: Any) -> None:
    """The event is told again after a failure, but the person waits no more."""
    (reply,) = await exchange(web.Response(status=500), web.Response(text="We will"))
    assert Reason.REPLY_ABANDONED is reply.reason
