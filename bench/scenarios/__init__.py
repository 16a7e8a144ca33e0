"""One module for each question that `make bench` answers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from bench.measure import Line
from bench.scenarios import (
    alone,
    broadcasts,
    delivered,
    engines,
    failover,
    footprint,
    frames,
    grown_store,
    listing,
    paid,
    subscribe,
    unary,
)
from bench.stage import Stage

ENGINES = "postgresql"
"""Runs only where it is told of a server."""

SCENARIOS: Mapping[str, Callable[[Stage], Awaitable[Sequence[Line]]]] = {
    "unary": unary.measure,
    "alone": alone.measure,
    "frames": frames.measure,
    "paid": paid.measure,
    "delivered": delivered.measure,
    "broadcasts": broadcasts.measure,
    "failover": failover.measure,
    "subscribe": subscribe.measure,
    "grown-store": grown_store.measure,
    "listing": listing.measure,
    "footprint": footprint.measure,
    ENGINES: engines.measure,
}
"""By the name that `--only` takes, in the order in which they run."""
