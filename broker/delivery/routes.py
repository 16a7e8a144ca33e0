"""The routes in force: read from the store at start, replaced at run time, and asked for every message."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf

import structlog

from broker.delivery.registry import InstanceView, Registry
from broker.delivery.route_hook import RouteHook
from broker.domain.account_policy import AccountPolicy
from broker.domain.carrying import FindCandidates
from broker.domain.health import Standing
from broker.domain.routes import Route, RouteTable, violations_of
from broker.domain.routing import ALL_HEALTHY, Penalties, Routing
from broker.errors import BrokerError, ErrorReason, Violation
from broker.spi import Clock
from broker.storage.routing import (
    Draining,
    Moved,
    Replacement,
    StoredRoutes,
    read_drained,
    read_routes,
    replace_routes,
    set_drained,
)
from broker.storage.store import Store

log = structlog.get_logger("waypost.routes")

BY_SETTINGS = 0
"""Stands for the key where the settings stored the routes."""

NOTHING_STORED = StoredRoutes(RouteTable(), BY_SETTINGS, 0)


HEALTH_FRESH_US = 250_000
"""How long a look at everyone's health is believed."""

HEALTH_STEP = 0.25
"""What counts against an instance counts in steps: a few failures or a slower answer overrule no priority."""

StandingOf = Callable[[str], Standing]


@dataclass(frozen=True, slots=True)
class RoutesNow:
    """The routes and the health of one moment. `find` asks both, and the plugins."""

    routing: Routing
    find: FindCandidates
    penalties: Penalties

    def within(self, policy: AccountPolicy) -> "RoutesNow":
        """Those that an account may use: no plugin and no route leads a sandboxed one out of the sandbox."""
        if not policy.sandbox_only:
            return self
        routing = self.routing.of_sandboxes
        return RoutesNow(routing, partial(routing.find, penalties=self.penalties), self.penalties)


class Routes:
    """Has the routes in force. `of_settings` are those in the settings file, None where it names none.

    Without `standing_of` every instance is healthy. Writes come back in the order of their commits, so the last
    version to be adopted is the newest.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        clock: Clock,
        hook: RouteHook,
        *,
        of_settings: tuple[Route, ...] | None = None,
        standing_of: StandingOf | None = None,
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._hook = hook
        self._of_settings = of_settings
        self._standing_of = standing_of
        self._looked_at_us = 0
        self.current = NOTHING_STORED
        self.routing: Routing
        self._now: RoutesNow
        self._adopt(NOTHING_STORED)

    @property
    def owned_by_settings(self) -> bool:
        """Whether only the settings file may change the routes."""
        return self._of_settings is not None

    @property
    def asks_plugins(self) -> bool:
        """Whether a plugin is asked where a message has a choice."""
        return bool(self._hook)

    async def start(self) -> None:
        """Read what is stored; routes of the settings become its next version where they differ."""
        self._registry.drain_only(await self._store.read(read_drained))
        newest = await self._store.read(read_routes, None)
        self._adopt(NOTHING_STORED if newest is None else newest)
        if self._of_settings is not None and self._of_settings != self.current.table.routes:
            await self._store_next(self._of_settings, self.current.table.version, BY_SETTINGS)
        routes, known = self.current.table.routes, self.routing.carriers
        if unknown := {route.provider for route in routes} - known.keys():
            log.warning("routes.provider_unknown", count=len(unknown), version=self.routing.version)

    def now(self) -> RoutesNow:
        """What to plan by: taken once for all messages of a call."""
        if self._standing_of is not None:
            now_us = self._clock.now_us()
            if not 0 <= now_us - self._looked_at_us < HEALTH_FRESH_US:
                self._looked_at_us = now_us
                self._look(self._standing_of)
        return self._now

    def _look(self, standing_of: StandingOf) -> None:
        against = {name: _against(standing_of(name)) for name in self.routing.carriers}
        penalties = {name: penalty for name, penalty in against.items() if penalty}
        if penalties != self._now.penalties:
            self._now = self._with(penalties)

    async def version(self, number: int) -> StoredRoutes:
        """A version of the routes, 0 for the one in force. Raises BrokerError ROUTES_NOT_FOUND."""
        if number in {0, self.current.table.version}:
            return self.current
        found = await self._store.read(read_routes, number)
        if found is None:
            raise BrokerError(ErrorReason.ROUTES_NOT_FOUND)
        return found

    def violations(self, routes: Sequence[Route]) -> list[Violation]:
        """Every rule that normal routes break."""
        return violations_of(routes, {name: each.channels for name, each in self.routing.carriers.items()})

    async def replace(
        self, routes: tuple[Route, ...], expected_version: int, key_id: int, *, validate_only: bool
    ) -> StoredRoutes:
        """Put normal routes without violations in force; answers what is in force then.

        Raises BrokerError when the settings own the routes, and when another version than the expected one is
        in force.
        """
        if self.owned_by_settings:
            raise BrokerError(ErrorReason.ROUTES_OWNED_BY_SETTINGS)
        if expected_version != self.current.table.version:
            raise _changed(self.current.table.version)
        if not validate_only:
            await self._store_next(routes, expected_version, key_id)
        return self.current

    async def update_provider(self, name: str, *, drained: bool) -> InstanceView:
        """Drain or enable an instance. Raises BrokerError PROVIDER_NOT_FOUND."""
        if self._registry.get(name) is None:
            raise BrokerError(ErrorReason.PROVIDER_NOT_FOUND)
        (now_drained,) = await self._store.write(set_drained, [Draining(name, drained)])
        self._registry.drain_only(now_drained)
        self._adopt(self.current)
        view = self._registry.view(name)
        assert view is not None
        return view

    async def _store_next(self, routes: tuple[Route, ...], expected_version: int, key_id: int) -> None:
        now_us = self._clock.now_us()
        wish = Replacement(expected_version, routes, key_id, now_us)
        (answer,) = await self._store.write(replace_routes, [wish])
        if isinstance(answer, Moved):
            raise _changed(answer.version)
        self._adopt(StoredRoutes(RouteTable(answer.version, routes), key_id, now_us))

    def _adopt(self, stored: StoredRoutes) -> None:
        self.current = stored
        self.routing = Routing(stored.table, self._registry.carriers())
        self._now = self._with(ALL_HEALTHY)
        self._looked_at_us = 0

    def _with(self, penalties: Penalties) -> RoutesNow:
        find: FindCandidates = (
            partial(self.routing.find, penalties=penalties) if penalties else self.routing.find
        )
        return RoutesNow(self.routing, self._hook.after(find) if self._hook else find, penalties)


def _against(standing: Standing) -> float:
    """What counts against an instance, in steps; one that takes nothing now is the last."""
    return standing.penalty // HEALTH_STEP * HEALTH_STEP if standing.usable else inf


def _changed(version: int) -> BrokerError:
    return BrokerError(
        ErrorReason.ROUTES_CHANGED,
        f"version {version} of the routes is in force",
        metadata={"version": str(version)},
    )
