"""The rules of a table of routes."""

from typing import Any

import pytest

from broker.domain.routes import Route, normal_route, violations_of
from broker.domain.vocabulary import Channel

SERVING = {"acme": frozenset({Channel.SMS}), "post": frozenset({Channel.EMAIL})}


def broken(*routes: Route) -> dict[str, str]:
    return {each.field: each.rule for each in violations_of(routes, SERVING)}


def route(**fields: Any) -> Route:
    return Route(**({"name": "r", "provider": "acme"} | fields))


def test_a_table_that_keeps_every_rule_has_no_violations() -> None:
    """With every field in use."""
    full = route(
        channels=(Channel.SMS,),
        prefixes=("44", "1" * 15),
        countries=("GB", "XK"),
        senders=("Shop",),
        account_ids=(1,),
        tags=("vip",),
        priority=1_000_000,
        weight=1_000_000,
        cost_micros=1_000_000_000_000,
    )
    assert {} == broken(full, route(name="s", provider="post"))


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 65}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"provider": ""}, "provider"),
        ({"provider": "nobody"}, "provider"),
        ({"channels": (Channel.EMAIL,)}, "channels"),
        ({"channels": (Channel.SMS, Channel.SMS)}, "channels[1]"),
        ({"prefixes": ("44", "")}, "prefixes[1]"),
        ({"prefixes": ("044",)}, "prefixes[0]"),
        ({"prefixes": ("44x",)}, "prefixes[0]"),
        ({"prefixes": ("٤٤",)}, "prefixes[0]"),
        ({"prefixes": ("1" * 16,)}, "prefixes[0]"),
        ({"prefixes": ("44", "44")}, "prefixes[1]"),
        ({"prefixes": tuple(str(n) for n in range(1, 1_002))}, "prefixes"),
        ({"countries": ("UK",)}, "countries[0]"),
        ({"countries": ("gb",)}, "countries[0]"),
        ({"senders": ("",)}, "senders[0]"),
        ({"senders": ("s" * 255,)}, "senders[0]"),
        ({"tags": ("t" * 65,)}, "tags[0]"),
        ({"tags": ("a\tb",)}, "tags[0]"),
        ({"priority": -1}, "priority"),
        ({"priority": 1_000_001}, "priority"),
        ({"weight": 0}, "weight"),
        ({"cost_micros": -1}, "cost_micros"),
        ({"provider": "post", "channels": (Channel.EMAIL,), "prefixes": ("44",)}, "prefixes"),
        ({"provider": "post", "channels": (Channel.EMAIL,), "countries": ("GB",)}, "countries"),
    ],
)
def test_each_rule_names_its_field(fields: dict[str, Any], path: str) -> None:
    """With its place in the table, and nothing else of a table that is right otherwise."""
    assert [f"routes[1].{path}"] == list(broken(route(name="first"), route(**fields)))


def test_two_routes_of_one_name_are_refused() -> None:
    """The later one, with the place of the first."""
    assert {"routes[2].name": "'r' is the name of routes[0] too"} == broken(route(), route(name="s"), route())


def test_a_table_has_at_most_10_000_routes() -> None:
    """Nothing else is said of one that has more."""
    table = [route(name=str(number)) for number in range(10_001)]
    assert {} == broken(*table[1:])
    assert ["routes"] == list(broken(*table))


def test_a_normal_route_is_spelt_in_one_way() -> None:
    """Prefixes without "+", countries in capitals, tags as messages have them."""
    given = route(prefixes=("+44", "1"), countries=("gb",), tags=(" VIP ",))
    assert route(prefixes=("44", "1"), countries=("GB",), tags=("vip",)) == normal_route(given)
