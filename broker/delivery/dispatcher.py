"""The dispatcher: claims due messages, calls their providers, settles the outcomes."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog

from broker.delivery.lanes import Lane, Lanes
from broker.delivery.provider_calls import guarded
from broker.delivery.registry import Instance, Registry
from broker.delivery.waking import set_within
from broker.domain.decision import DeliveryPolicy
from broker.domain.outcome import Accepted, NotAccepted, Outcome, Rejected, Unknown
from broker.domain.prices import NO_PRICES, PriceList
from broker.errors import BrokerError
from broker.metrics import Metrics
from broker.spi import Clock
from broker.storage.claiming import GRAVE_CRASHES, Claim, Claimed, Turns, claim
from broker.storage.dispatching import OpenAttempt, Settlement, give_up, settle
from broker.storage.store import Store
from broker.telemetry import places_of

log = structlog.get_logger("waypost.dispatcher")

OUTCOMES = (Accepted, Rejected, NotAccepted, Unknown)
IDLE_S_MAX = 5.0
"""The store is looked at this often even when nothing hints at work."""

STORE_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class DispatchLimits:
    """How much for each provider at once, and how long. `lease_s` must exceed `submit_timeout_s`."""

    batch_max: int
    submit_timeout_s: float
    lease_s: float


class Dispatcher:
    """Runs until it is drained. `fence` marks the attempts of this process; `chance` draws jitter.

    `prices_now` price what is routed anew because its providers are gone.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        lanes: Lanes,
        clock: Clock,
        *,
        fence: int,
        policy: DeliveryPolicy,
        limits: DispatchLimits,
        chance: Callable[[], float],
        metrics: Metrics,
        prices_now: Callable[[], PriceList] = lambda: NO_PRICES,
    ) -> None:
        self._store = store
        self._registry = registry
        self._lanes = lanes
        self._clock = clock
        self._fence = fence
        self._policy = policy
        self._limits = limits
        self._chance = chance
        self._metrics = metrics
        self._prices_now = prices_now
        self._wake = asyncio.Event()
        self._claiming = asyncio.Lock()
        self._draining = False
        self._turns: Turns = {}
        self._grave_open = 0
        self._attempts: dict[asyncio.Task[None], list[OpenAttempt]] = {}

    def hint(self) -> None:
        """There may be work."""
        self._wake.set()

    async def run(self) -> None:
        """Claim and dispatch, until drained."""
        while not self._draining:
            self._wake.clear()
            try:
                async with self._claiming:
                    idle_s = await self._claim()
            except BrokerError as error:
                log.error("dispatcher.store_failed", error=str(error), retry_s=STORE_RETRY_S)
                idle_s = STORE_RETRY_S
            if idle_s > 0 and not self._draining:
                await set_within(self._wake, idle_s)

    async def drain(self, timeout_s: float) -> None:
        """Claim no more and let open attempts settle; what does not in time is asked about after a restart."""
        self._draining = True
        self._wake.set()
        try:
            async with asyncio.timeout(timeout_s), self._claiming:
                pass  # what is being claimed now is open as well
        except TimeoutError:
            log.warning("dispatcher.claim_hangs", seconds=timeout_s)
        if self._attempts:
            _, late = await asyncio.wait(self._attempts, timeout=timeout_s)
            left = [attempt for task in late for attempt in self._attempts[task]]
            for task in late:
                task.cancel()
            if late:
                log.warning("dispatcher.drain_timeout", count=len(late), seconds=timeout_s)
                await asyncio.wait(late, timeout=1)
                await self._give_up(left)

    async def _give_up(self, attempts: list[OpenAttempt]) -> None:
        """Nobody will hear of these; their provider is asked after a restart, and it is no crash."""
        try:
            await self._store.write(give_up, attempts)
        except BrokerError as error:
            log.error("dispatcher.store_failed", error=str(error), retry_s=0)

    async def _claim(self) -> float:
        """Start what is due; answers how long nothing more will be, in seconds."""
        now_us = self._clock.now_us()
        wish = Claim(
            now_us=now_us,
            fence=self._fence,
            lease_until_us=now_us + round(self._limits.lease_s * 1_000_000),
            rooms=self._lanes.rooms(self._limits.batch_max),
            known=self._lanes.known,
            shut=self._lanes.shut(),
            route=self._registry.route,
            sandbox_route=self._registry.sandbox_route,
            prices=self._prices_now(),
            turns=self._turns,
            grave_open=self._grave_open > 0,
        )
        (claimed,) = await self._store.write(claim, [wish])
        self._turns = claimed.turns
        self._start(claimed)
        return self._idle_s(claimed)

    def _idle_s(self, claimed: Claimed) -> float:
        """How long nothing will be to do, unless something is hinted at."""
        now_us = self._clock.now_us()
        idle_s = IDLE_S_MAX
        if claimed.next_at_us is not None:
            idle_s = min(idle_s, max(0.0, (claimed.next_at_us - now_us) / 1_000_000))
        for lane in self._lanes.all():
            lane.wanting, lane.crowded = lane.instance.name in claimed.left, False
            if lane.wanting:
                idle_s = min(idle_s, self._lanes.wait_s(lane))
        return 0.0 if claimed.left - self._lanes.known else idle_s

    def _start(self, claimed: Claimed) -> None:
        now_us = self._clock.now_us()
        by_provider: defaultdict[str, list[OpenAttempt]] = defaultdict(list)
        for attempt in claimed.attempts:
            by_provider[attempt.provider].append(attempt)
        for (provider, sender), units in claimed.put_off.items():
            self._lanes[provider].throttle.put_off(sender, units, now_us)
        for name, group in by_provider.items():
            lane = self._lanes[name]
            lane.hand_over([attempt.message for attempt in group], now_us)
            for batch in batches(group, lane.instance.capabilities.batch_max):
                # Counted before the task runs: the next claim may come first, and must know how much room is left.
                lane.instance.in_flight += len(batch)
                lane.calls += 1
                self._grave_open += batch[0].crashes >= GRAVE_CRASHES
                task = asyncio.create_task(self._attempt(lane, batch))
                self._attempts[task] = batch
                task.add_done_callback(self._attempts.pop)

    async def _attempt(self, lane: Lane, attempts: list[OpenAttempt]) -> None:
        """Hand one batch over and settle it."""
        instance, count = lane.instance, len(attempts)
        began = time.monotonic()
        calling = True
        try:
            outcomes: list[Outcome] = await guarded(
                instance.provider.submit,
                [attempt.message for attempt in attempts],
                instance=instance.name,
                method="submit",
                timeout_s=self._limits.submit_timeout_s,
                kinds=OUTCOMES,
            )
            seconds = time.monotonic() - began
            self._measure(instance, outcomes, seconds)
            self._lanes.learn(lane, attempts, outcomes, seconds)
            lane.calls -= 1
            calling = False
            self._wake_if_wanted(lane)
            await self._settle(instance, attempts, outcomes)
        except Exception as error:  # noqa: BLE001 - a defect; the lease runs out, and the messages are in doubt
            log.error(
                "dispatcher.attempt_failed",
                messages=count,
                exception=type(error).__qualname__,
                at=places_of(error),
            )
        finally:
            lane.calls -= calling
            instance.in_flight -= count
            self._grave_open -= attempts[0].crashes >= GRAVE_CRASHES
            self._wake_if_wanted(lane)

    def _wake_if_wanted(self, lane: Lane) -> None:
        """There was no room for all that waits, and now there is more."""
        if self._lanes.gets_room(lane):
            self._wake.set()

    def _measure(self, instance: Instance, outcomes: Sequence[Outcome], seconds: float) -> None:
        self._metrics.submit_seconds.labels(instance.name).observe(seconds)
        self._metrics.submit_messages.labels(instance.name).observe(len(outcomes))
        for kind, count in Counter(type(each).__name__ for each in outcomes).items():
            self._metrics.outcomes.labels(instance.name, kind).inc(count)

    async def _settle(
        self, instance: Instance, attempts: list[OpenAttempt], outcomes: Sequence[Outcome]
    ) -> None:
        """Store the outcomes, however long the store needs: the provider has the messages already."""
        while True:
            now_us, shut = self._clock.now_us(), self._lanes.shut()
            items = [
                Settlement(
                    attempt=attempt,
                    outcome=outcome,
                    gives_receipts=instance.gives_receipts,
                    answers_questions=instance.capabilities.query,
                    policy=self._policy,
                    now_us=now_us,
                    chance=self._chance(),
                    spelling=instance.capabilities.receipt_ids,
                    shut=shut,
                    keeps_keys=instance.keeps_keys,
                )
                for attempt, outcome in zip(attempts, outcomes, strict=True)
            ]
            try:
                settled = await self._store.write(settle, items, {each.account_id for each in attempts})
            except BrokerError as error:
                log.error(
                    "dispatcher.settle_failed", messages=len(items), error=str(error), retry_s=STORE_RETRY_S
                )
                await self._clock.sleep(STORE_RETRY_S)
                continue
            if not all(settled):
                log.warning("dispatcher.late_outcome", instance=instance.name, messages=settled.count(False))
            return


def batches(attempts: Sequence[OpenAttempt], size: int) -> Iterator[list[OpenAttempt]]:
    """Calls of at most `size` messages. One that was there in a crash goes alone, so that no other shares the next."""
    plain = [attempt for attempt in attempts if not attempt.crashes]
    for start in range(0, len(plain), size):
        yield plain[start : start + size]
    for attempt in attempts:
        if attempt.crashes:
            yield [attempt]
