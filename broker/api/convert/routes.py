"""Routes between protobuf and the domain."""

from collections.abc import Iterable, Sequence

from broker.api.convert.findings import Findings
from broker.api.convert.ids import account_number, account_text
from broker.api.convert.times import timestamp
from broker.api.convert.words import CHANNELS, PB_CHANNELS, PB_TRAFFICS, TRAFFICS
from broker.domain.ids import format_id
from broker.domain.routes import ROUTES_MAX, Route, normal_route
from broker.domain.vocabulary import Channel, Traffic
from broker.storage.routing import StoredRoutes
from waypost.v1 import route_pb2

ACCOUNT_RULE = "is not an account of this broker"


def routes_of(routes: Sequence[route_pb2.Route], findings: Findings) -> tuple[Route, ...]:
    """The table of a request. What no route can say is in `findings`; the rules between routes are not checked."""
    if not findings.count("routes", len(routes), ROUTES_MAX):
        return ()
    return tuple(_route(f"routes[{index}]", each, findings) for index, each in enumerate(routes))


def _route(path: str, route: route_pb2.Route, findings: Findings) -> Route:
    return normal_route(
        Route(
            name=route.name,
            provider=route.provider,
            channels=_channels(f"{path}.channels", route.channels, findings),
            prefixes=tuple(route.prefixes),
            countries=tuple(route.countries),
            senders=tuple(route.senders),
            account_ids=_accounts(f"{path}.account_ids", route.account_ids, findings),
            tags=tuple(route.tags),
            traffic=_traffic(f"{path}.traffic", route.traffic, findings),
            priority=route.priority,
            weight=route.weight or 1,
            cost_micros=route.cost_micros,
        )
    )


def _channels(path: str, numbers: Sequence[int], findings: Findings) -> tuple[Channel, ...]:
    words = [findings.word(f"{path}[{index}]", number, CHANNELS) for index, number in enumerate(numbers)]
    return tuple(word for word in words if word is not None)


def _traffic(path: str, numbers: Sequence[int], findings: Findings) -> tuple[Traffic, ...]:
    words = [findings.word(f"{path}[{index}]", number, _TRAFFICS) for index, number in enumerate(numbers)]
    return tuple(word for word in words if word is not None)


_TRAFFICS = {number: word for number, word in TRAFFICS.items() if number}
"""Unspecified traffic is none that a route could name."""


def _accounts(path: str, texts: Sequence[str], findings: Findings) -> tuple[int, ...]:
    numbers = []
    for index, text in enumerate(texts):
        number = account_number(text)
        if number is None:
            findings.broke(f"{path}[{index}]", ACCOUNT_RULE)
        else:
            numbers.append(number)
    return tuple(numbers)


def route_messages(routes: Iterable[Route]) -> list[route_pb2.Route]:
    """Routes as they are listed."""
    return [
        route_pb2.Route(
            name=route.name,
            provider=route.provider,
            channels=[PB_CHANNELS[each] for each in route.channels],
            prefixes=route.prefixes,
            countries=route.countries,
            senders=route.senders,
            account_ids=[account_text(each) for each in route.account_ids],
            tags=route.tags,
            traffic=[PB_TRAFFICS[each] for each in route.traffic],
            priority=route.priority,
            weight=route.weight,
            cost_micros=route.cost_micros,
        )
        for route in routes
    ]


def table_message(stored: StoredRoutes, *, owned_by_settings: bool) -> route_pb2.RouteTable:
    """What is known about a version."""
    return route_pb2.RouteTable(
        version=stored.table.version,
        create_time=timestamp(stored.created_at_us) if stored.table.version else None,
        route_count=len(stored.table.routes),
        owned_by_settings=owned_by_settings,
        key_id=format_id(stored.key_id) if stored.key_id else "",
    )
