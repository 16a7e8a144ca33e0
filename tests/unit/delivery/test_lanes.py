"""Lanes by value: places, drains, what routing is told, and what is kept over a restart."""

from collections.abc import Callable
from typing import Any

import pytest

from broker.delivery.health_keeper import HealthKeeper
from broker.delivery.lanes import Lanes
from broker.delivery.registry import Registry
from broker.domain.health import CircuitState, HealthPolicy
from broker.domain.outcome import Accepted, NotAccepted, Unknown
from broker.domain.vocabulary import Guarantee
from broker.metrics import Metrics
from broker.spi import Channel, OutboundMessage, Traffic
from broker.storage.claiming import Room
from broker.storage.dispatching import OpenAttempt
from broker.storage.standing import read_health
from broker.testing.builders import NOW_US, ManualClock
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry

Build = Callable[..., Lanes]


@pytest.fixture
def build(clock: ManualClock) -> Build:
    """Lanes of `acme` and `west`, which take ten messages a call."""

    def lanes(own: dict[str, Any] | None = None, in_flight_max: int = 1_000, **changes: Any) -> Lanes:
        registry = scripted_registry(
            own, acme=ScriptedProvider(batch_max=10), west=ScriptedProvider(batch_max=10)
        )
        return Lanes(registry, clock, Metrics(), in_flight_max=in_flight_max, **changes)

    return lanes


def rooms(lanes: Lanes, batch_max: int = 500) -> dict[str, Room]:
    """The rooms by instance."""
    return {room.provider: room for room in lanes.rooms(batch_max)}


def attempts(count: int, units: int = 1) -> list[OpenAttempt]:
    """As many open attempts."""
    message = OutboundMessage(
        "m", "k", Channel.SMS, "+447700900000", "Shop", {}, Traffic.TRANSACTIONAL, 1, NOW_US, NOW_US, units
    )
    return [OpenAttempt("acme", 1, Guarantee.AT_LEAST_ONCE, 1, 1, message)] * count


def fail(lanes: Lanes, count: int = 50) -> None:
    """So many bad outcomes of `acme` in a row."""
    lanes.learn(lanes["acme"], attempts(count), [Unknown()] * count, 0.1)


def test_an_idle_instance_has_room_for_all_its_calls(build: Build) -> None:
    """As many messages as they hold, within what may be claimed at once."""
    lanes = build({"acme": {"concurrency_max": 3}, "west": {"in_flight_max": 7}})
    assert {"acme": 30, "west": 7} == {name: room.messages_max for name, room in rooms(lanes).items()}
    assert {"acme": 20, "west": 7} == {name: room.messages_max for name, room in rooms(lanes, 20).items()}


def test_calls_and_messages_under_way_take_their_places(build: Build) -> None:
    """Nothing is left when either is used up."""
    lanes = build({"acme": {"concurrency_max": 3, "in_flight_max": 25}})
    acme = lanes["acme"]
    acme.calls, acme.instance.in_flight = 2, 20
    assert (5, 1) == (rooms(lanes)["acme"].messages_max, rooms(lanes)["acme"].suspects_max)
    acme.calls = 3
    assert "acme" not in rooms(lanes)


def test_each_instance_has_its_part_of_the_shared_places(build: Build) -> None:
    """However much the other has under way."""
    lanes = build(in_flight_max=100)
    lanes["acme"].instance.in_flight = 500
    assert {"west": 50} == {name: room.messages_max for name, room in rooms(lanes).items()}


def test_a_drained_instance_takes_nothing_and_is_emptied(build: Build) -> None:
    """Routing is told as well."""
    drained = {"acme"}
    lanes = build(is_drained=drained.__contains__)
    assert ({"west"}, {"acme"}, ["acme"]) == (rooms(lanes).keys(), lanes.shut(), lanes.to_empty())
    assert (False, True) == (lanes.standing_of("acme").usable, lanes.standing_of("west").usable)
    drained.clear()
    assert ({"acme", "west"}, frozenset(), []) == (rooms(lanes).keys(), lanes.shut(), lanes.to_empty())


def test_an_open_circuit_takes_nothing_until_it_is_probed(build: Build, clock: ManualClock) -> None:
    """Then a few messages, and after good outcomes any number."""
    lanes = build()
    fail(lanes)
    assert ({"west"}, {"acme"}, ["acme"]) == (rooms(lanes).keys(), lanes.shut(), lanes.to_empty())
    assert not lanes.standing_of("acme").usable
    assert lanes.standing_of("acme").penalty > lanes.standing_of("west").penalty
    clock.advance(5)
    assert 5 == rooms(lanes)["acme"].messages_max
    assert (frozenset(), []) == (lanes.shut(), lanes.to_empty())
    lanes.learn(lanes["acme"], attempts(3), [Accepted()] * 3, 0.1)
    assert 320 == rooms(lanes)["acme"].messages_max


def test_a_held_instance_is_shut_and_emptied_when_it_is_for_long(build: Build, clock: ManualClock) -> None:
    """A short hold is waited for."""
    for wish_s, emptied in ((60.0, ["acme"]), (3.0, [])):
        lanes = build({"acme": {"segments_per_second": 100}})
        lanes.learn(lanes["acme"], attempts(1), [NotAccepted(wish_s)], 0.1)
        assert ({"west"}, {"acme"}, emptied) == (rooms(lanes).keys(), lanes.shut(), lanes.to_empty())
        assert CircuitState.CLOSED is lanes["acme"].circuit.state


def test_an_unknown_instance_is_of_no_use(build: Build) -> None:
    """It is gone from the settings."""
    assert (False, 1.0) == (build().standing_of("gone").usable, build().standing_of("gone").penalty)


def test_metrics_show_circuits_and_limits(build: Build) -> None:
    """By instance."""
    lanes = build({"acme": {"segments_per_second": 12}})
    fail(lanes)
    text = lanes._metrics.render().decode()
    assert 'waypost_provider_circuit_state{provider="acme"} 3.0' in text
    assert 'waypost_provider_circuit_state{provider="west"} 1.0' in text
    assert 'waypost_provider_circuit_transitions_total{provider="acme",state="OPEN"} 1.0' in text
    assert (12.0, float("inf")) == (lanes.limit_of("acme"), lanes.limit_of("west"))
    lanes.learn(lanes["west"], attempts(1), [NotAccepted(60.0)], 0.1)
    assert 0.0 == lanes.limit_of("west")


async def test_what_a_process_knew_of_its_providers_the_next_one_knows(
    build: Build, store, clock: ManualClock, running, until
) -> None:
    """A circuit that opened is written soon, and is open after a restart; nothing is written without a change."""
    lanes = build()
    keeper = HealthKeeper(store, lanes, clock)
    await keeper.restore()
    async with running(keeper.run()):
        await until(lambda: clock.sleeps_s)
        fail(lanes)
        clock.advance(0.5)

        async def kept() -> bool:
            return "acme" in await store.read(read_health)

        await until(kept)
    record = (await store.read(read_health))["acme"]
    assert (CircuitState.OPEN, 0, 50) == (record.state, record.good, record.bad)
    after = build()
    await HealthKeeper(store, after, clock).restore()
    assert {"acme"} == after.shut()
    clock.advance(5)
    assert frozenset() == after.shut() - {"acme"}
    assert "acme" in rooms(after)


async def test_a_circuit_of_an_instance_that_is_gone_is_nobodys(build: Build, store, clock) -> None:
    """It stays in the store, for when the instance comes back."""
    lanes = build(policy=HealthPolicy(open_first_s=60))
    fail(lanes)
    await HealthKeeper(store, lanes, clock).keep()
    registry: Registry = scripted_registry(west=ScriptedProvider())
    other = Lanes(registry, clock, Metrics(), in_flight_max=10)
    await HealthKeeper(store, other, clock).restore()
    assert frozenset() == other.shut()
    assert {"acme", "west"} == (await store.read(read_health)).keys()
