"""Routes for people."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from broker.cli.grid import Column, grid
from broker.cli.wording import local_time, word_of
from waypost.v1 import channel_pb2, route_pb2

_ROUTES = (
    Column("name"),
    Column("provider"),
    Column("channels", rare=True),
    Column("destination", rare=True),
    Column("senders", rare=True),
    Column("accounts", rare=True),
    Column("tags", rare=True),
    Column("traffic", rare=True),
    Column("priority", right=True),
    Column("cost", right=True, rare=True),
    Column("weight", right=True),
)
VALUES_SHOWN_MAX = 4


def routes_table(table: route_pb2.RouteTable, routes: Sequence[route_pb2.Route]) -> RenderableType:
    """A row for each route, and which version it is."""
    about = Text(_about(table))
    if not routes:
        return Group(
            Text("no routes: every instance that serves the channel, in the order of the settings"), about
        )
    return Group(grid(_ROUTES, [_cells(each) for each in routes]), "", about)


def _about(table: route_pb2.RouteTable) -> str:
    if not table.version:
        return "version 0: none were ever stored"
    by = f"key {table.key_id}" if table.key_id else "the settings"
    owned = "; the settings own the routes" if table.owned_by_settings else ""
    return f"version {table.version}, {local_time(table.create_time)}, by {by}{owned}"


def _cells(route: route_pb2.Route) -> Sequence[str]:
    return (
        route.name,
        route.provider,
        _few([word_of(channel_pb2.Channel.DESCRIPTOR, each).lower() for each in route.channels]),
        _few([*(f"+{each}" for each in route.prefixes), *route.countries]),
        _few(route.senders),
        _few(route.account_ids),
        _few(route.tags),
        _few([word_of(channel_pb2.Traffic.DESCRIPTOR, each).lower() for each in route.traffic]),
        str(route.priority),
        money(route.cost_micros),
        str(route.weight),
    )


def money(micros: int) -> str:
    """Millionths as a decimal number; empty for nothing."""
    if not micros:
        return ""
    whole, rest = divmod(micros, 1_000_000)
    return f"{whole}.{rest:06}".rstrip("0").rstrip(".")


def _few(values: Sequence[str]) -> str:
    """The first values, and how many more there are."""
    more = len(values) - VALUES_SHOWN_MAX
    return ", ".join([*values[:VALUES_SHOWN_MAX], *([f"{more} more"] if more > 0 else [])])
