"""The hook `waypost_route`, with plugins that pluggy registered."""

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest
from structlog.testing import capture_logs

from broker.delivery.route_hook import RouteHook
from broker.delivery.routes import Routes
from broker.domain.vocabulary import Channel, Traffic
from broker.plugins import Plugins, load_plugins
from broker.spi import RouteQuery, hookimpl
from broker.storage.store import Store
from broker.testing.builders import ManualClock, sms, submission
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry

NUMBER = "+447400123456"
ALL = ("a", "b", "c")


@pytest.fixture
def plugged() -> Iterator[Any]:
    """Plugins that answer with these functions of (message, candidates), loaded as at a start."""
    names: list[str] = []

    def load(*answers: Any) -> Plugins:
        points = []
        for number, answer in enumerate(answers):
            module = ModuleType(f"waypost_route_plugin_{number}")
            module.waypost_route = hookimpl(answer, specname="waypost_route")  # type: ignore[attr-defined]
            sys.modules[module.__name__] = module
            names.append(module.__name__)
            points.append(EntryPoint(f"plugin{number}", module.__name__, "waypost"))
        return load_plugins(points)

    yield load
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def routes(store: Store, clock: ManualClock, plugged: Any) -> Any:
    """Routes to three instances, with plugins that answer so."""

    def build(*answers: Any, count: int = 3) -> Routes:
        hook = RouteHook(plugged(*answers).hooks.get("waypost_route", ()), clock)
        registry = scripted_registry(**{name: ScriptedProvider() for name in ALL[:count]})
        return Routes(store, registry, clock, hook)

    return build


def found(routes: Routes, **asked: Any) -> tuple[str, ...]:
    return routes.now().find(submission(**asked), Channel.SMS, NUMBER, 5)


async def test_a_plugin_reorders_the_candidates(routes: Any) -> None:
    """It is told of the message what decides about routes."""
    seen: list[RouteQuery] = []

    def answer(message: RouteQuery, candidates: tuple[str, ...]) -> Any:
        seen.append(message)
        return reversed(candidates)

    assert ("c", "b", "a") == found(
        routes(answer), sender="Shop", tags=("vip",), traffic=Traffic.PASSCODE, content=sms("x" * 161)
    )
    expected = RouteQuery("0000000000001", Channel.SMS, NUMBER, "Shop", Traffic.PASSCODE, ("vip",), 2)
    assert [expected] == seen


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, ALL),
        ([], ALL),
        (["nobody"], ALL),
        (["b"], ("b",)),
        (["nobody", "c", "c", "a"], ("c", "a")),
        ("abc", ALL),
        (7, ALL),
        ([["a"]], ALL),
    ],
)
async def test_only_candidates_count_in_an_answer(routes: Any, answer: Any, expected: Any) -> None:
    """Those it leaves out are not tried, unless it leaves out all; what is no answer is none."""
    assert expected == found(routes(lambda: answer))


async def test_plugins_are_asked_in_turn(routes: Any) -> None:
    """Each gets what those before it made of the candidates; one takes only what it needs."""
    first_last = lambda candidates: [*candidates[1:], candidates[0]]  # noqa: E731 - a plugin's function
    assert ("c", "a", "b") == found(routes(first_last, first_last))


async def test_a_plugin_that_raises_is_skipped_and_logged_once_a_minute(
    routes: Any, clock: ManualClock
) -> None:
    """Each plugin for itself; the message goes its way."""

    def bad(candidates: Any) -> Any:
        raise ValueError("secret text")

    routed = routes(bad, bad, lambda candidates: candidates[::-1])
    with capture_logs() as logs:
        for seconds in (0, 59, 1):
            clock.advance(seconds)
            assert ("c", "b", "a") == found(routed)
    assert ["plugin.hook_raised"] * 4 == [each["event"] for each in logs]
    assert {"?/plugin0", "?/plugin1"} == {each["plugin"] for each in logs}
    assert "secret" not in str(logs)


async def test_a_message_without_a_choice_is_not_asked_about(routes: Any) -> None:
    """One candidate, or a pin."""

    def never(candidates: Any) -> Any:
        raise AssertionError(candidates)

    with capture_logs() as logs:
        assert ("a",) == found(routes(never, count=1))
        assert ("b",) == found(routes(never), provider="b")
    assert [] == logs


async def test_a_wrapper_is_a_broken_plugin(plugged: Any) -> None:
    """It would need pluggy around each call."""

    @hookimpl(wrapper=True)
    def waypost_route(candidates: Any) -> Any:
        yield

    module = ModuleType("waypost_route_plugin_0")
    module.waypost_route = waypost_route  # type: ignore[attr-defined]
    plugins = plugged(lambda: None)
    sys.modules["waypost_route_plugin_0"] = module
    assert 1 == len(plugins.hooks["waypost_route"])
    broken = load_plugins([EntryPoint("wrapping", "waypost_route_plugin_0", "waypost")])
    assert ({}, ["wrapping"]) == (broken.hooks, [each.entry_point for each in broken.broken])
