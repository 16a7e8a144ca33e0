"""The sender: claims callbacks that are due, makes the calls, settles how they went.

Each endpoint has a lane of its own with so many calls at once, and those that have the fewest claimed
come first, so a slow endpoint fills its own lane and nobody else's. A failing one is held by the store.
"""

import asyncio
import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from broker.delivery.waking import set_within
from broker.delivery.webhooks.book import draw_secret
from broker.delivery.webhooks.lane import Lane
from broker.delivery.webhooks.request import Encoding, request_of
from broker.delivery.webhooks.waiting import Answered, NobodyWaits
from broker.domain.callback import (
    CallbackPolicy,
    CallOutcome,
    Failed,
    Gone,
    Succeeded,
    Unattempted,
)
from broker.domain.network import AddressPolicy
from broker.domain.waiting_reply import WAIT_S
from broker.errors import BrokerError
from broker.metrics import Metrics
from broker.spi import Clock
from broker.storage.calling import (
    Call,
    CallbackClaim,
    CallSettlement,
    ClaimedCallback,
    ReadyEndpoint,
    claim_callbacks,
    drop_callbacks,
    read_calls,
    read_ready_endpoints,
    release_callbacks,
    settle_calls,
)
from broker.storage.store import Store
from broker.storage.webhooks import SecretWish, first_secrets
from broker.telemetry import places_of

if TYPE_CHECKING:
    from broker.delivery.webhooks.outbound import Outbound

log = structlog.get_logger("waypost.webhooks")

LOOK_EVERY_S = 0.5
STORE_RETRY_S = 1.0
CLAIMED_PER_PLACE = 4
"""Callbacks that a lane claims for each call at once, so that it does not wait for the store between two."""

LEASE_SLACK_S = 30.0
OUTBOUND = "broker.delivery.webhooks.outbound"


@dataclass(frozen=True, slots=True)
class CallLimits:
    """How many calls are claimed at once, how many an endpoint gets at once, and how long one may take."""

    in_flight_max: int
    endpoint_in_flight_max: int
    timeout_s: float

    @property
    def lane_max(self) -> int:
        """Callbacks that a lane may hold."""
        return CLAIMED_PER_PLACE * self.endpoint_in_flight_max

    @property
    def lease_us(self) -> int:
        """How long a claimed callback may take: all of a lane's may be one message's, one after the other.

        Of a message that came in one call is waited for longer.
        """
        calls_s = self.lane_max * max(self.timeout_s, WAIT_S / self.endpoint_in_flight_max)
        return round((calls_s + WAIT_S + LEASE_SLACK_S) * 1_000_000)


class Sender:
    """Runs until it is drained. `fence` marks the claims of this process; `chance` draws jitter."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        fence: int,
        encoding: Encoding,
        policy: CallbackPolicy,
        limits: CallLimits,
        network: AddressPolicy,
        chance: Callable[[], float],
        metrics: Metrics,
    ) -> None:
        self.answered: Answered = NobodyWaits()
        """Whoever waits for answers sets it once."""

        self._store = store
        self._clock = clock
        self._fence = fence
        self._encoding = encoding
        self._policy = policy
        self._limits = limits
        self._network = network
        self._chance = chance
        self._metrics = metrics
        self._lanes: dict[int, Lane] = {}
        self._wake = asyncio.Event()
        self._claiming = asyncio.Lock()
        self._draining = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._outbound: Outbound | None = None

    def hint(self) -> None:
        """There may be callbacks to make."""
        self._wake.set()

    @property
    def held(self) -> int:
        """Callbacks that are claimed by this process."""
        return sum(lane.held for lane in self._lanes.values())

    @property
    def running(self) -> int:
        """Calls under way."""
        return sum(lane.running for lane in self._lanes.values())

    async def run(self) -> None:
        """Claim and call, until drained."""
        released = False
        while not self._draining:
            self._wake.clear()
            try:
                if not released:
                    await self._store.write(release_callbacks, [self._clock.now_us()])
                    released = True
                async with self._claiming:
                    await self._round()
            except BrokerError as error:
                log.error("webhooks.claim_failed", error=str(error), retry_s=STORE_RETRY_S)
            await set_within(self._wake, LOOK_EVERY_S)

    async def drain(self, timeout_s: float) -> None:
        """Claim no more and let calls end; what does not in time is made again after a restart."""
        self._draining = True
        self._wake.set()
        try:
            async with asyncio.timeout(timeout_s), self._claiming:
                unbegun = [call for lane in self._lanes.values() for call in lane.take_back()]
                if unbegun:
                    await self._settle([(call, Unattempted()) for call in unbegun])
        except TimeoutError:
            log.warning("webhooks.claim_hangs", seconds=timeout_s)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._outbound is not None:
            await self._outbound.close()

    async def _round(self) -> None:
        """Claim what there is room for, and begin it."""
        if self._draining:
            return
        ready = await self._store.read(read_ready_endpoints, self._clock.now_us())
        wishes = self._wishes(ready)
        if not wishes:
            return
        accounts = {each.account_id for each in ready}
        claimed = await self._store.write(claim_callbacks, wishes, accounts)
        if expired := sum(each.expired for each in claimed):
            self._metrics.webhook_given_up.labels("expired").inc(expired)
        await self._begin([callback for each in claimed for callback in each.callbacks])

    def _wishes(self, ready: Sequence[ReadyEndpoint]) -> list[CallbackClaim]:
        """What to claim: for endpoints that have the least first, and never all the room for one of many."""
        room = self._limits.in_flight_max - self.held
        share = max(1, room // len(ready)) if ready else 0
        now_us = self._clock.now_us()
        wishes = []
        for endpoint in sorted(ready, key=lambda each: self._held_by(each.endpoint_id)):
            lane_max = 1 if endpoint.doubtful else self._limits.lane_max
            rows_max = min(share, room, lane_max - self._held_by(endpoint.endpoint_id))
            if rows_max > 0:
                room -= rows_max
                lease_until_us = now_us + self._limits.lease_us
                wishes.append(
                    CallbackClaim(endpoint.endpoint_id, rows_max, now_us, self._fence, lease_until_us)
                )
        return wishes

    def _held_by(self, endpoint_id: int) -> int:
        lane = self._lanes.get(endpoint_id)
        return 0 if lane is None else lane.held

    async def _begin(self, claimed: Sequence[ClaimedCallback]) -> None:
        if not claimed:
            return
        calls = await self._read(claimed)
        if self._outbound is None:
            # Its HTTP client takes a while to import: only who has callbacks waits for it, beside the loop.
            module = await asyncio.to_thread(importlib.import_module, OUTBOUND)
            self._outbound = module.Outbound(self._network, timeout_s=self._limits.timeout_s)
        lost = [each for each, call in zip(claimed, calls, strict=True) if call is None]
        if lost:
            self._metrics.webhook_given_up.labels("lost").inc(len(lost))
            await self._store.write(drop_callbacks, lost, {each.account_id for each in lost})
        for call in calls:
            if call is not None:
                self._lanes.setdefault(call.callback.endpoint_id, Lane()).add(call)
        for endpoint_id in {each.endpoint_id for each in claimed} & self._lanes.keys():
            self._pump(endpoint_id, self._lanes[endpoint_id])

    async def _read(self, claimed: Sequence[ClaimedCallback]) -> list[Call | None]:
        calls = await self._store.read(read_calls, claimed, self._clock.now_us())
        unsigned = {call.callback.account_id for call in calls if call is not None and not call.secrets}
        if not unsigned:
            return calls
        await self._store.write(
            first_secrets, [SecretWish(each, draw_secret()) for each in unsigned], unsigned
        )
        return await self._store.read(read_calls, claimed, self._clock.now_us())

    def _pump(self, endpoint_id: int, lane: Lane) -> None:
        """Begin as many of a lane's messages as it may have calls at once."""
        while lane.has_waiting and lane.running < self._limits.endpoint_in_flight_max:
            task = asyncio.create_task(self._work(endpoint_id, lane, lane.begin()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _work(self, endpoint_id: int, lane: Lane, message_id: int) -> None:
        """Make the calls of one message, one after the other."""
        try:
            while (call := lane.next_call(message_id)) is not None:
                held = await self._settle([(call, await self._call(call))])
                if held and (unbegun := lane.take_back()):
                    await self._settle([(each, Unattempted()) for each in unbegun])
        except Exception as error:  # noqa: BLE001 - a defect; what it left is called when its lease runs out
            log.error("webhooks.lane_failed", exception=type(error).__qualname__, at=places_of(error))
        finally:
            lane.end(message_id)
            self._pump(endpoint_id, lane)
            if not lane.held and self._lanes.get(endpoint_id) is lane:
                del self._lanes[endpoint_id]
            if lane.held <= self._limits.lane_max // 2:
                self._wake.set()

    async def _call(self, call: Call) -> CallOutcome:
        assert self._outbound is not None  # it is there before the first lane
        began = time.monotonic()
        outcome: CallOutcome
        try:
            request = request_of(call, self._encoding, self._clock.now_us())
            if await self.answered.waits(call.event, call.callback.attempts):
                outcome, spoken = await self._outbound.converse(request)
                await self.answered.take(call.event, spoken)
            else:
                outcome = await self._outbound.call(request)
        except Exception as error:  # noqa: BLE001 - a defect; like any failure it is tried again, and seen
            log.error("webhooks.call_failed", exception=type(error).__qualname__, at=places_of(error))
            outcome = Failed("defect")
        self._metrics.webhook_call_seconds.observe(time.monotonic() - began)
        self._metrics.webhook_calls.labels(_word(outcome)).inc()
        return outcome

    async def _settle(self, ended: Sequence[tuple[Call, CallOutcome]]) -> bool:
        """Store how calls went, however long the store needs; whether the endpoint is to be left alone now."""
        accounts = {call.callback.account_id for call, _ in ended}
        while True:
            now_us = self._clock.now_us()
            items = [
                CallSettlement(call.callback, outcome, self._policy, now_us, self._chance())
                for call, outcome in ended
            ]
            try:
                settled = await self._store.write(settle_calls, items, accounts)
            except BrokerError as error:
                log.error("webhooks.settle_failed", count=len(items), error=str(error), retry_s=STORE_RETRY_S)
                await self._clock.sleep(STORE_RETRY_S)
                continue
            return any(each.closed or each.held_until_us > now_us for each in settled)


def _word(outcome: CallOutcome) -> str:
    match outcome:
        case Succeeded():
            return "ok"
        case Gone():
            return "gone"
        case Failed(why=why):
            return why
        case Unattempted():
            return "unattempted"
