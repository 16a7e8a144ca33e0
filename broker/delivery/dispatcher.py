"""The dispatcher: claims due messages, calls their providers, settles the outcomes."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from broker.delivery.provider_calls import guarded
from broker.delivery.registry import Instance, Registry
from broker.domain.decision import DeliveryPolicy
from broker.domain.outcome import Accepted, NotAccepted, Outcome, Rejected, Unknown
from broker.errors import BrokerError
from broker.metrics import Metrics
from broker.spi import Clock
from broker.storage.dispatching import Claim, OpenAttempt, Settlement, claim, settle
from broker.storage.store import Store
from broker.telemetry import places_of

log = structlog.get_logger("waypost.dispatcher")

OUTCOMES = (Accepted, Rejected, NotAccepted, Unknown)
IDLE_S_MAX = 5.0
"""The store is looked at this often even when nothing hints at work."""

STORE_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class DispatchLimits:
    """How much at once, and how long. `lease_s` must exceed `submit_timeout_s`."""

    in_flight_max: int
    batch_max: int
    submit_timeout_s: float
    lease_s: float


class Dispatcher:
    """Runs until it is drained. `fence` marks the attempts of this process; `chance` draws jitter."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        clock: Clock,
        *,
        fence: int,
        policy: DeliveryPolicy,
        limits: DispatchLimits,
        chance: Callable[[], float],
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._fence = fence
        self._policy = policy
        self._limits = limits
        self._chance = chance
        self._metrics = metrics
        self._wake = asyncio.Event()
        self._claiming = asyncio.Lock()
        self._draining = False
        self._in_flight = 0
        self._attempts: set[asyncio.Task[None]] = set()

    def hint(self) -> None:
        """There may be work."""
        self._wake.set()

    async def run(self) -> None:
        """Claim and dispatch, until drained."""
        while not self._draining:
            self._wake.clear()
            room = min(self._limits.in_flight_max - self._in_flight, self._limits.batch_max)
            idle_s = IDLE_S_MAX
            if room > 0:
                try:
                    async with self._claiming:
                        idle_s = await self._claim(room)
                except BrokerError as error:
                    log.error("dispatcher.store_failed", error=str(error), retry_s=STORE_RETRY_S)
                    idle_s = STORE_RETRY_S
            if idle_s > 0 and not self._draining:
                await self._wait(idle_s)

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
            for task in late:
                task.cancel()
            if late:
                log.warning("dispatcher.drain_timeout", count=len(late), seconds=timeout_s)
                await asyncio.wait(late, timeout=1)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _claim(self, room: int) -> float:
        """Start what is due; answers how long nothing more will be, in seconds."""
        now_us = self._clock.now_us()
        wish = Claim(
            now_us=now_us,
            messages_max=room,
            fence=self._fence,
            lease_until_us=now_us + round(self._limits.lease_s * 1_000_000),
            route=self._registry.route,
        )
        (claimed,) = await self._store.write(claim, [wish])
        self._start(claimed.attempts)
        if claimed.looked_at == room:
            return 0.0
        if claimed.next_at_us is None:
            return IDLE_S_MAX
        return min(IDLE_S_MAX, max(0.0, (claimed.next_at_us - self._clock.now_us()) / 1_000_000))

    def _start(self, attempts: Sequence[OpenAttempt]) -> None:
        by_provider: defaultdict[str, list[OpenAttempt]] = defaultdict(list)
        for attempt in attempts:
            by_provider[attempt.provider].append(attempt)
        for name, group in by_provider.items():
            instance = self._registry.get(name)
            assert instance is not None  # the route named it a moment ago
            size = instance.capabilities.batch_max
            for start in range(0, len(group), size):
                batch = group[start : start + size]
                # Counted before the task runs: the next claim may come first, and must know how much room is left.
                self._in_flight += len(batch)
                instance.in_flight += len(batch)
                task = asyncio.create_task(self._attempt(instance, batch))
                self._attempts.add(task)
                task.add_done_callback(self._attempts.discard)

    async def _attempt(self, instance: Instance, attempts: list[OpenAttempt]) -> None:
        """Hand one batch over and settle it."""
        count = len(attempts)
        began = time.monotonic()
        try:
            outcomes: list[Outcome] = await guarded(
                instance.provider.submit,
                [attempt.message for attempt in attempts],
                instance=instance.name,
                method="submit",
                timeout_s=self._limits.submit_timeout_s,
                kinds=OUTCOMES,
            )
            self._measure(instance, outcomes, time.monotonic() - began)
            await self._settle(instance, attempts, outcomes)
        except Exception as error:  # noqa: BLE001 - a defect; the lease runs out, and the messages are in doubt
            log.error(
                "dispatcher.attempt_failed",
                messages=count,
                exception=type(error).__qualname__,
                at=places_of(error),
            )
        finally:
            self._in_flight -= count
            instance.in_flight -= count
            if self._in_flight + count >= self._limits.in_flight_max:
                self._wake.set()  # there was no room, and now there is

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
            now_us = self._clock.now_us()
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
