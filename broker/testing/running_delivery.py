"""A whole delivery over one store, in this process: lanes, dispatcher, poller and rerouter, on the real clock."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from broker.clock import SystemClock
from broker.delivery.dispatcher import Dispatcher, DispatchLimits
from broker.delivery.lanes import Lanes
from broker.delivery.poller import Poller
from broker.delivery.registry import Registry
from broker.delivery.rerouter import Rerouter
from broker.domain.decision import DeliveryPolicy
from broker.domain.health import HealthPolicy
from broker.domain.retry import RetryPolicy
from broker.metrics import Metrics
from broker.spi import Provider
from broker.storage.store import Store
from broker.testing.scripted_provider import scripted_registry
from broker.testing.store_suite import Bench

HEALTH = HealthPolicy(open_first_s=0.1, open_cap_s=0.3)
POLICY = DeliveryPolicy(
    retry=RetryPolicy(attempts_max=12, base_s=0.05, cap_s=0.2), doubt_first_s=0.05, question_cap_s=0.2
)
SUBMIT_TIMEOUT_S = 0.2


@dataclass
class RunningDelivery:
    """What runs, and the bench to feed it with."""

    bench: Bench
    registry: Registry
    lanes: Lanes
    metrics: Metrics
    batch_max: int

    async def send(self, **changes: object) -> list[int]:
        """Store one submission, now; answers its messages' ids."""
        self.bench.now_us = SystemClock().now_us()
        return await self.bench.send(**changes)


@contextlib.asynccontextmanager
async def running_delivery(
    store: Store,
    providers: Mapping[str, Provider],
    *,
    batch_max: int = 100,
    in_flight_max: int = 5_000,
    health: HealthPolicy = HEALTH,
    settings: Mapping[str, Mapping[str, object]] | None = None,
) -> AsyncIterator[RunningDelivery]:
    """Everything runs for as long as the block does. `settings` are the broker's own, by instance."""
    clock, metrics = SystemClock(), Metrics()
    registry = scripted_registry(settings, **providers)
    lanes = Lanes(registry, clock, metrics, in_flight_max=in_flight_max, policy=health)
    chance = iter(lambda: 0.5, None).__next__
    dispatcher = Dispatcher(
        store,
        registry,
        lanes,
        clock,
        fence=1,
        policy=POLICY,
        limits=DispatchLimits(batch_max, SUBMIT_TIMEOUT_S, lease_s=10.0),
        chance=chance,
        metrics=metrics,
    )
    poller = Poller(
        store,
        registry,
        clock,
        shut=lanes.shut,
        policy=POLICY,
        query_timeout_s=SUBMIT_TIMEOUT_S,
        lease_s=10.0,
        chance=chance,
        metrics=metrics,
    )
    rerouter = Rerouter(store, lanes, clock, hops_max=POLICY.retry.hops_max, metrics=metrics)
    store.on_commit(lambda commit: dispatcher.hint() if commit.work_is_due else None)
    jobs = [asyncio.create_task(each.run()) for each in (dispatcher, poller, rerouter)]
    try:
        yield RunningDelivery(Bench(store), registry, lanes, metrics, batch_max)
    finally:
        failed = [job for job in jobs if job.done()]
        await dispatcher.drain(5)
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        for job in failed:
            job.result()
