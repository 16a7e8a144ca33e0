"""Each instance's lane: how much it takes now, by its places, its rate and its health."""

from collections.abc import Callable, Iterable, Sequence
from math import inf

import structlog

from broker.delivery.registry import Conduct, Instance, Registry
from broker.domain.health import (
    Circuit,
    CircuitState,
    HealthPolicy,
    HealthRecord,
    Standing,
    is_good,
)
from broker.domain.outcome import Accepted, Outcome
from broker.domain.throttle import Throttle
from broker.metrics import Metrics
from broker.spi import Clock, OutboundMessage
from broker.storage.claiming import Room
from broker.storage.dispatching import OpenAttempt

log = structlog.get_logger("waypost.lanes")

HOLD_SHUT_S = 5.0
"""What waits for an instance that is held for longer goes elsewhere, where it can."""

NAP_S_MIN = 0.02
"""A throttled lane is looked at this often at most: its next segments go together."""

NOBODY_DRAINED: Callable[[str], bool] = lambda _name: False  # noqa: E731


class Lane:
    """One instance and what is with it. `calls` counts the submits under way, `messages` what is in them."""

    def __init__(self, instance: Instance, policy: HealthPolicy, now_us: int) -> None:
        limits = instance.settings
        self.instance = instance
        self.circuit = Circuit(policy, now_us)
        self.throttle = Throttle(limits.segments_per_second, limits.sender_segments_per_second, now_us)
        self.calls = 0
        self.wanting = False
        """More waits for it than it had room for."""

        self.crowded = False
        """It had no room because of what the others have."""

    @property
    def places(self) -> int:
        """How many more messages fit, by its limits alone."""
        limits = self.instance.settings
        calls = max(0, limits.concurrency_max - self.calls)
        return min(
            limits.in_flight_max - self.instance.in_flight, calls * self.instance.capabilities.batch_max
        )

    def hand_over(self, messages: Sequence[OutboundMessage], now_us: int) -> None:
        """These are about to be given to it."""
        self.throttle.take(sum(message.units for message in messages), now_us)
        if self.throttle.allowances(now_us) is not None:
            for message in messages:
                self.throttle.take_from_sender(message.sender, message.units, now_us)

    def room(self, now_us: int, messages_max: int) -> Room | None:
        """What it takes now; None when that is nothing."""
        messages = min(messages_max, self.places)
        probes = self.circuit.room(self.instance.in_flight)
        if probes is not None:
            messages = min(messages, probes)
        units = self.throttle.units_max(now_us)
        if messages <= 0 or units <= 0:
            return None
        calls = max(1, self.instance.settings.concurrency_max - self.calls)
        allowances = self.throttle.allowances(now_us)
        return Room(self.instance.name, messages, min(calls, messages), units, allowances)

    def takes_messages(self, now_us: int) -> bool:
        """Whether a message that comes to it now goes out soon, as far as its health and its wishes tell."""
        throttle = self.throttle
        free = throttle.held_s(now_us) == 0 and not throttle.choked(now_us)
        return free and self.circuit.room(self.instance.in_flight) != 0

    def wait_s(self, now_us: int) -> float:
        """How long until it takes messages, if none of those that it has comes back before; inf: not so."""
        if self.circuit.state is CircuitState.OPEN:
            return max(NAP_S_MIN, (self.circuit.open_until_us - now_us) / 1_000_000)
        if self.places <= 0 or self.circuit.room(self.instance.in_flight) == 0:
            return inf
        wait_us = self.throttle.open_at(now_us) - now_us
        return max(NAP_S_MIN, wait_us / 1_000_000) if wait_us > 0 else 0.0


class Lanes:
    """All lanes. `is_drained` says of an instance that an operator wants it to take nothing."""

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        metrics: Metrics,
        *,
        in_flight_max: int,
        policy: HealthPolicy | None = None,
        is_drained: Callable[[str], bool] = NOBODY_DRAINED,
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._in_flight_max = in_flight_max
        self._is_drained = is_drained
        now_us = clock.now_us()
        self._lanes = {each.name: Lane(each, policy or HealthPolicy(), now_us) for each in registry.all()}
        self.known = frozenset(self._lanes)
        self.changed: set[str] = set()
        """Whose circuit moved since somebody last looked."""

        for lane in self._lanes.values():
            self._show(lane)

    def __getitem__(self, name: str) -> Lane:
        """The lane of an instance that exists."""
        return self._lanes[name]

    def all(self) -> Iterable[Lane]:
        """Every lane."""
        return self._lanes.values()

    def rooms(self, batch_max: int) -> tuple[Room, ...]:
        """What each instance takes now, at most `batch_max` messages each.

        `in_flight_max` is shared by all, but each instance has its even part of it for sure: those that hang
        never take the places of the others.
        """
        now_us = self._clock.now_us()
        self.tick()
        left = self._left
        rooms = []
        for name, lane in self._lanes.items():
            share = min(batch_max, self._share(lane, left))
            room = None if self._is_drained(name) else lane.room(now_us, share)
            if room is not None:
                left -= room.messages_max
                rooms.append(room)
        return tuple(rooms)

    def wait_s(self, lane: Lane) -> float:
        """How long until an instance takes messages, as things are; inf: until something comes back."""
        lane.crowded = self._share(lane, self._left) <= 0
        if lane.crowded or self._is_drained(lane.instance.name):
            return inf
        return lane.wait_s(self._clock.now_us())

    def gets_room(self, lane: Lane) -> bool:
        """Whether some lane waited for room that comes about when a message of this one comes back."""
        return lane.wanting or any(each.crowded for each in self._lanes.values())

    @property
    def _left(self) -> int:
        return self._in_flight_max - sum(lane.instance.in_flight for lane in self._lanes.values())

    def _share(self, lane: Lane, left: int) -> int:
        own = max(1, self._in_flight_max // len(self._lanes))
        return max(left, own - lane.instance.in_flight)

    def shut(self) -> frozenset[str]:
        """The instances that take nothing now."""
        now_us = self._clock.now_us()
        return frozenset(
            name
            for name, lane in self._lanes.items()
            if self._is_drained(name) or not lane.takes_messages(now_us)
        )

    def to_empty(self) -> list[str]:
        """The instances whose waiting messages should go elsewhere: they take none for some time."""
        now_us = self._clock.now_us()
        return [
            name
            for name, lane in self._lanes.items()
            if self._is_drained(name)
            or lane.circuit.state is CircuitState.OPEN
            or lane.throttle.held_s(now_us) > HOLD_SHUT_S
            or lane.throttle.choked(now_us)
        ]

    def tick(self) -> None:
        """Let time pass for the circuits."""
        now_us = self._clock.now_us()
        for lane in self._lanes.values():
            if lane.circuit.tick(now_us):
                self._moved(lane)

    def learn(
        self, lane: Lane, attempts: Sequence[OpenAttempt], outcomes: Sequence[Outcome], seconds: float
    ) -> None:
        """What a call of `submit` says of its instance."""
        now_us = self._clock.now_us()
        lane.throttle.hear(outcomes, now_us)
        # Nearly all are taken, and this runs for every message.
        verdicts = [type(outcome) is Accepted or is_good(outcome) for outcome in outcomes]
        repeated_bad = sum(
            attempt.repeated and verdict is False for attempt, verdict in zip(attempts, verdicts, strict=True)
        )
        if lane.circuit.observe(verdicts, seconds, now_us, repeated_bad=repeated_bad):
            self._moved(lane)

    def standing_of(self, name: str) -> Standing:
        """What routing needs to know of an instance."""
        lane = self._lanes.get(name)
        if lane is None:
            return Standing(usable=False, penalty=1.0)
        now_us = self._clock.now_us()
        usable = not self._is_drained(name) and lane.takes_messages(now_us)
        return Standing(usable, lane.circuit.penalty(now_us))

    def conduct_of(self, name: str) -> Conduct:
        """How an instance is doing, as an operator sees it."""
        self.tick()
        lane, now_us = self._lanes[name], self._clock.now_us()
        return Conduct(lane.circuit.view(now_us), lane.throttle.view(now_us))

    def limit_of(self, name: str) -> float:
        """How many segments a second an instance is given at most: none while it is held, inf without a limit."""
        view = self._lanes[name].throttle.view(self._clock.now_us())
        if view.held_until_us:
            return 0.0
        return inf if view.limit is None else view.limit

    def restore(self, records: dict[str, HealthRecord]) -> None:
        """Go on from what an earlier process knew."""
        now_us = self._clock.now_us()
        for name, record in records.items():
            if (lane := self._lanes.get(name)) is not None:
                lane.circuit.restore(record, now_us)
                self._show(lane)

    def records(self) -> dict[str, HealthRecord]:
        """What a later process should know."""
        now_us = self._clock.now_us()
        return {name: lane.circuit.record(now_us) for name, lane in self._lanes.items()}

    def _moved(self, lane: Lane) -> None:
        state = lane.circuit.state
        view = lane.circuit.view(self._clock.now_us())
        log.warning(
            "provider.circuit",
            instance=lane.instance.name,
            state=state.name,
            success_rate=view.success_rate,
        )
        self._metrics.circuit_transitions.labels(lane.instance.name, state.name).inc()
        self.changed.add(lane.instance.name)
        self._show(lane)

    def _show(self, lane: Lane) -> None:
        self._metrics.circuit_state.labels(lane.instance.name).set(lane.circuit.state)
