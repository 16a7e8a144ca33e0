"""A caller's side of broadcasts and their background, over a real store and without a process."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from broker.delivery.broadcasts.control import Broadcasts
from broker.delivery.broadcasts.expander import Expander
from broker.delivery.broadcasts.upstream import UpstreamBroadcasts
from broker.delivery.identities import Identities
from broker.delivery.intake import Intake
from broker.delivery.policies import Policies
from broker.delivery.route_hook import RouteHook
from broker.delivery.routes import Routes
from broker.delivery.senders import Senders
from broker.delivery.templates import Templates
from broker.domain.broadcast import Broadcast, Wish
from broker.domain.outcome import Accepted
from broker.domain.records import MessageRecord
from broker.domain.submission import Recipient
from broker.domain.vocabulary import Channel, Traffic
from broker.storage.store import Store
from broker.testing.builders import ManualClock, submission
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry
from broker.testing.store_suite import Bench


@dataclass
class Desk:
    """A caller's side and the background of one broker, over one store."""

    control: Broadcasts
    expander: Expander
    senders: Senders
    bench: Bench
    clock: ManualClock
    asked: dict[bytes, Wish]

    async def make(self, *recipients: Recipient, **changes: Any) -> Broadcast:
        """Make a broadcast to these; fields of the wish by name, all others are the submission's."""
        own = {name: changes.pop(name) for name in list(changes) if name in Wish.__match_args__}
        asked = submission(recipients=recipients, traffic=Traffic.PROMOTIONAL, **changes)
        wish = Wish(submission=asked, **own)
        request = str(len(self.asked)).encode()
        self.asked[request] = wish
        return await self.control.create(wish, request)

    async def work(self) -> None:
        """Let the background do all that it can at this time."""
        self.bench.now_us = self.clock.now_us()
        for _ in range(1_000):
            if await self.expander.round() > 0:
                return
        raise AssertionError("the background finds no rest")

    async def wait(self, seconds: float) -> None:
        """Let time pass, and the background work."""
        self.clock.advance(seconds)
        await self.work()

    async def deliver(self, messages_max: int = 10_000) -> list[str]:
        """Hand over what waits, all of it taken by a provider without receipts; who got something."""
        self.bench.now_us = self.clock.now_us()
        attempts = (await self.bench.claim(messages_max)).attempts
        for attempt in attempts:
            await self.bench.settle(attempt, Accepted((attempt.message.message_id,)), receipts=False)
        return [attempt.message.recipient for attempt in attempts]

    async def messages(self, broadcast: Broadcast) -> list[MessageRecord]:
        """Its messages, the oldest first."""
        wanted = {"broadcast_ids": frozenset({broadcast.broadcast_id}), "page_size": 1_000}
        (page,) = await self.bench.pages(**wanted)
        return [await self.bench.message(each) for each in reversed(page)]

    async def now(self, broadcast: Broadcast) -> Broadcast:
        """As it is."""
        return await self.control.get(broadcast.account_id, broadcast.broadcast_id)


@pytest.fixture
def templates(store: Store, clock: ManualClock) -> Templates:
    """Room for ten."""
    return Templates(store, Identities(store, clock, node=1, last=0), clock, templates_max=10)


@pytest.fixture
def new_desk(store: Store, clock: ManualClock, templates: Templates, bench: Bench) -> Callable[..., Desk]:
    """Makes a desk as a process would after a start; limits by name."""
    identities = Identities(store, clock, node=0, last=0)
    provider = ScriptedProvider(channels=frozenset({Channel.SMS, Channel.EMAIL}))
    registry = scripted_registry(acme=provider)
    routes = Routes(store, registry, clock, RouteHook((), clock))
    senders = Senders(store, identities, clock, providers=())
    asked: dict[bytes, Wish] = {}

    def make(*, batch_max: int = 10, ahead_max: int = 1_000, active_max: int = 10, **more: Any) -> Desk:
        policies = Policies(store, clock)
        limits: dict[str, Any] = {"units_max": 3, "request_id_memory_s": 86_400.0, **more}
        intake = Intake(
            store,
            identities,
            routes,
            templates,
            policies,
            senders,
            clock,
            **limits,
        )
        expander = Expander(
            store,
            identities,
            intake,
            policies,
            clock,
            decode=lambda stored, _account_id: asked[stored],
            batch_max=batch_max,
            ahead_max=ahead_max,
        )
        upstream = UpstreamBroadcasts(
            store, registry, clock, plan=expander.plan, wish=expander.wish, timeout_s=1.0, poll_s=10.0
        )
        control = Broadcasts(
            store,
            identities,
            intake,
            clock,
            upstream,
            request_id_memory_s=86_400.0,
            active_max=active_max,
            hint=expander.hint,
        )
        return Desk(control, expander, senders, bench, clock, asked)

    return make


@pytest.fixture
def desk(new_desk: Callable[..., Desk]) -> Desk:
    """Batches of ten."""
    return new_desk()
