"""The routes in force, over a real store: read at start, replaced in one step, owned by the settings where set."""

from typing import Any

import pytest

from broker.delivery.registry import Registry
from broker.delivery.route_hook import RouteHook
from broker.delivery.routes import NOTHING_STORED, Routes
from broker.domain.health import Standing
from broker.domain.routes import Route
from broker.domain.vocabulary import Channel
from broker.errors import BrokerError, ErrorReason
from broker.spi import TextProfile
from broker.storage.store import Store
from broker.testing.builders import ManualClock, sms, submission
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry

NUMBER = "+447400123456"
ONE, OTHER = Route("one", "first"), Route("other", "second")


@pytest.fixture
def registry() -> Registry:
    """Two instances."""
    return scripted_registry(first=ScriptedProvider(), second=ScriptedProvider())


@pytest.fixture
def build(store: Store, clock: ManualClock, registry: Registry) -> Any:
    """Routes over one store, started; as after a restart when called again."""

    async def routes(**wishes: Any) -> Routes:
        built = Routes(store, registry, clock, RouteHook((), clock), **wishes)
        await built.start()
        return built

    return routes


def found(routes: Routes, **asked: Any) -> tuple[str, ...]:
    return routes.now().find(submission(**asked), Channel.SMS, NUMBER, 5)


async def replace(routes: Routes, *table: Route, expected: int = 0, validate_only: bool = False) -> int:
    stored = await routes.replace(table, expected, 7, validate_only=validate_only)
    return stored.table.version


async def refused(coroutine: Any) -> ErrorReason:
    with pytest.raises(BrokerError) as refusal:
        await coroutine
    return refusal.value.reason


async def test_a_new_broker_goes_by_the_order_of_the_settings(build: Any) -> None:
    """Version 0."""
    routes = await build()
    assert (NOTHING_STORED, 0, ("first", "second")) == (routes.current, routes.routing.version, found(routes))


async def test_a_replacement_is_in_force_at_once_and_after_a_restart(build: Any, clock: ManualClock) -> None:
    """With who made it when."""
    routes = await build()
    assert 1 == await replace(routes, OTHER)
    assert ("second",) == found(routes)
    again = await build()
    assert (("second",), 1) == (found(again), again.routing.version)
    assert (7, clock.now_us()) == (again.current.key_id, again.current.created_at_us)


async def test_an_empty_table_is_the_order_of_the_settings_again(build: Any) -> None:
    """Under a version of its own."""
    routes = await build()
    await replace(routes, OTHER)
    assert 2 == await replace(routes, expected=1)
    assert ("first", "second") == found(routes)


async def test_who_comes_second_changes_nothing(build: Any) -> None:
    """Whether this process knows of the other version, or only the store does."""
    routes, stale = await build(), await build()
    await replace(routes, OTHER)
    assert ErrorReason.ROUTES_CHANGED is await refused(replace(routes, ONE))
    assert ErrorReason.ROUTES_CHANGED is await refused(replace(stale, ONE))
    assert ("second",) == found(routes)


async def test_a_check_changes_nothing(build: Any) -> None:
    """And says no where a replacement would."""
    routes = await build()
    assert 0 == await replace(routes, OTHER, validate_only=True)
    assert ("first", "second") == found(routes)
    assert ErrorReason.ROUTES_CHANGED is await refused(replace(routes, OTHER, expected=1, validate_only=True))


async def test_versions_are_read_by_their_number(build: Any) -> None:
    """0 is the one in force."""
    routes = await build()
    await replace(routes, ONE)
    await replace(routes, OTHER, expected=1)
    assert [(OTHER,), (ONE,), (OTHER,)] == [(await routes.version(n)).table.routes for n in (0, 1, 2)]
    assert ErrorReason.ROUTES_NOT_FOUND is await refused(routes.version(3))


async def test_routes_of_the_settings_are_the_next_version_where_they_differ(build: Any) -> None:
    """And nobody else changes them then; without them the last version stays in force."""
    await replace(await build(), ONE)
    versions = [(await build(of_settings=(OTHER,))).routing.version for _ in range(2)]
    assert [2, 2] == versions
    owned = await build(of_settings=(OTHER,))
    assert ErrorReason.ROUTES_OWNED_BY_SETTINGS is await refused(replace(owned, ONE, expected=2))
    free = await build()
    assert ("second",) == found(free)
    assert 3 == await replace(free, ONE, expected=2)


async def test_a_drained_instance_gets_no_new_messages(build: Any, registry: Registry) -> None:
    """At once, over restarts, and also when pinned; until it is enabled."""
    routes = await build()
    assert (await routes.update_provider("first", drained=True)).drained
    assert registry.is_drained("first")
    assert [("second",), ()] == [found(routes), found(routes, provider="first")]
    registry.drain_only(frozenset())
    routes = await build()
    assert [True, False] == [view.drained for view in registry.instances]
    assert ("second",) == found(routes)
    assert not (await routes.update_provider("first", drained=False)).drained
    assert ("first", "second") == found(routes)


async def test_an_unknown_instance_cannot_be_drained(build: Any) -> None:
    """Nothing is stored for it."""
    routes = await build()
    assert ErrorReason.PROVIDER_NOT_FOUND is await refused(routes.update_provider("third", drained=True))


async def test_stored_routes_outlive_an_instance(build: Any, store: Store, clock: ManualClock) -> None:
    """It was taken out of the settings: the start goes on, and its routes lead nowhere."""
    await replace(await build(), ONE, Route("both", "second"))
    left = scripted_registry(second=ScriptedProvider())
    routes = Routes(store, left, clock, RouteHook((), clock))
    await routes.start()
    assert ("second",) == found(routes)


async def test_capabilities_of_the_provider_decide(store: Store, clock: ManualClock) -> None:
    """What it says of itself reaches routing."""
    plain = ScriptedProvider()
    narrow = ScriptedProvider(text_profile=TextProfile.RESTRICTED, content=frozenset({"sms.text"}))
    registry = scripted_registry(narrow=narrow, plain=plain)
    routes = Routes(store, registry, clock, RouteHook((), clock))
    assert ("narrow", "plain") == found(routes)
    assert ("plain",) == found(routes, content=sms("é"))


async def test_health_is_looked_at_now_and_then(store: Store, clock: ManualClock, registry: Registry) -> None:
    """An instance in trouble goes last, one that takes nothing too; mended, it is where it was."""
    standings = dict.fromkeys(("first", "second"), Standing(usable=True, penalty=0.0))
    routes = Routes(store, registry, clock, RouteHook((), clock), standing_of=standings.__getitem__)
    assert ("first", "second") == found(routes)
    for trouble in (Standing(usable=False, penalty=0.0), Standing(usable=True, penalty=0.3)):
        standings["first"] = trouble
        clock.advance(0.25)
        assert ("second", "first") == found(routes)
        standings["first"] = Standing(usable=True, penalty=0.24)
        assert ("second", "first") == found(routes)
        clock.advance(0.25)
        assert ("first", "second") == found(routes)
