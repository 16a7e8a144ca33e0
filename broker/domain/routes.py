"""Routes as an operator writes them: which provider may carry what, and the rules that a table must keep."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from broker.domain.country import COUNTRIES
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Traffic
from broker.errors import Violation

ROUTES_MAX = 10_000
NAME_CHARACTERS_MAX = 64
VALUES_MAX = 1_000
"""Of each list of a route."""
SENDER_CHARACTERS_MAX = 254
TAG_CHARACTERS_MAX = 64
PRIORITY_MAX = 1_000_000
WEIGHT_MAX = 1_000_000
COST_MICROS_MAX = 1_000_000_000_000
VIOLATIONS_MAX = 1_000
"""More are not looked for: nobody reads them."""

PHONE_CHANNELS = frozenset({Channel.SMS, Channel.MMS})

_PREFIX = re.compile(r"[1-9][0-9]{0,14}")


@value
class Route:
    """A provider instance, and the messages that it may carry.

    An empty list leaves its matter open; otherwise one of its values has to fit. `prefixes` are leading
    digits of E.164 without "+", `countries` ISO 3166 alpha-2 codes; with both, either is enough. A lower
    `priority` goes first, then a lower `cost_micros` (a unit's cost, in millionths of whatever currency the
    operator reckons in); equal ones share by `weight`.
    """

    name: str
    provider: str
    channels: tuple[Channel, ...] = ()
    prefixes: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    account_ids: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    traffic: tuple[Traffic, ...] = ()
    priority: int = 0
    weight: int = 1
    cost_micros: int = 0

    @property
    def anywhere(self) -> bool:
        """Whether it leaves the destination open."""
        return not (self.prefixes or self.countries)


@value
class RouteTable:
    """One version of all routes. Version 0 was never stored and has none."""

    version: int = 0
    routes: tuple[Route, ...] = ()


def normal_route(route: Route) -> Route:
    """The same without a "+" before prefixes, with countries in capitals and tags in lower case."""
    return replace(
        route,
        prefixes=tuple(each.removeprefix("+") for each in route.prefixes),
        countries=tuple(each.upper() for each in route.countries),
        tags=tuple(each.strip().lower() for each in route.tags),
    )


def violations_of(routes: Sequence[Route], serving: Mapping[str, Collection[Channel]]) -> list[Violation]:
    """Every rule that normal routes break. `serving` has the channels of each provider instance."""
    if len(routes) > ROUTES_MAX:
        return [Violation("routes", f"has {len(routes):,} entries; at most {ROUTES_MAX:,} are allowed")]
    found: list[Violation] = []
    first: dict[str, int] = {}
    for index, route in enumerate(routes):
        path = f"routes[{index}]"
        earlier = first.setdefault(route.name, index)
        if earlier != index and route.name:
            found.append(Violation(f"{path}.name", f"{route.name!r} is the name of routes[{earlier}] too"))
        found += [Violation(f"{path}.{field}", rule) for field, rule in _broken_rules(route, serving)]
        if len(found) >= VIOLATIONS_MAX:
            break
    return found


def _broken_rules(route: Route, serving: Mapping[str, Collection[Channel]]) -> list[tuple[str, str]]:
    broken = [
        *_name(route.name),
        *_provider(route, serving),
        *_range("priority", route.priority, 0, PRIORITY_MAX),
        *_range("weight", route.weight, 1, WEIGHT_MAX),
        *_range("cost_micros", route.cost_micros, 0, COST_MICROS_MAX),
    ]
    if route.channels and not route.anywhere and PHONE_CHANNELS.isdisjoint(route.channels):
        field = "prefixes" if route.prefixes else "countries"
        broken.append((field, "only SMS and MMS go to numbers, and channels has neither"))
    for field in ("channels", "prefixes", "countries", "senders", "account_ids", "tags", "traffic"):
        broken += _values(field, getattr(route, field))
    return broken


def _name(name: str) -> list[tuple[str, str]]:
    if not name:
        return [("name", "must not be empty")]
    if len(name) > NAME_CHARACTERS_MAX:
        return [("name", f"has {len(name)} characters; at most {NAME_CHARACTERS_MAX} are allowed")]
    return [] if name.isprintable() else [("name", "must not contain control characters")]


def _provider(route: Route, serving: Mapping[str, Collection[Channel]]) -> list[tuple[str, str]]:
    served = serving.get(route.provider)
    if served is None:
        return [("provider", f"no provider instance is named {route.provider!r}")]
    if route.channels and not any(channel in served for channel in route.channels):
        return [("channels", f"{route.provider!r} serves none of them")]
    return []


def _range(field: str, number: int, least: int, most: int) -> list[tuple[str, str]]:
    return [] if least <= number <= most else [(field, f"must be from {least} to {most:,}")]


def _values(field: str, values: Sequence[object]) -> list[tuple[str, str]]:
    if len(values) > VALUES_MAX:
        return [(field, f"has {len(values):,} entries; at most {VALUES_MAX:,} are allowed")]
    broken: list[tuple[str, str]] = []
    seen: set[object] = set()
    for index, each in enumerate(values):
        rule = _rule_of(field, each)
        if rule is None and each in seen:
            rule = "is there twice"
        if rule is not None:
            broken.append((f"{field}[{index}]", rule))
        seen.add(each)
    return broken


def _rule_of(field: str, given: object) -> str | None:
    """The rule that one value of a list breaks."""
    if field == "prefixes" and not _PREFIX.fullmatch(str(given)):
        return "must be 1 to 15 digits of E.164, the country code first"
    if field == "countries" and given not in COUNTRIES:
        return 'must be an ISO 3166 alpha-2 code, as "GB"'
    if field == "senders":
        return _line(str(given), SENDER_CHARACTERS_MAX)
    if field == "tags":
        return _line(str(given), TAG_CHARACTERS_MAX)
    return None


def _line(text: str, characters_max: int) -> str | None:
    if not text:
        return "must not be empty"
    if len(text) > characters_max:
        return f"has {len(text)} characters; at most {characters_max} are allowed"
    return None if text.isprintable() else "must not contain control characters"
