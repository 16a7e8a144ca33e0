# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of routes: versions that follow each other, and instances that are drained."""

from pathlib import Path

from broker.domain.routes import Route, RouteTable
from broker.domain.vocabulary import Channel, Traffic
from broker.storage.routing import (
    ROUTE_TABLES_KEPT,
    Draining,
    Moved,
    Replaced,
    Replacement,
    StoredRoutes,
    read_drained,
    read_routes,
    replace_routes,
    set_drained,
)
from broker.storage.store import Store
from broker.testing.builders import NOW_US
from broker.testing.store_suite.opening import OpenedStore

FULL = Route(
    "uk-mobile",
    "acme",
    channels=(Channel.SMS, Channel.MMS),
    prefixes=("447", "4474"),
    countries=("GB", "IE"),
    senders=("Shop", "+447400123456"),
    account_ids=(1, (1 << 62) + 1),
    tags=("vip", "naïve"),
    traffic=(Traffic.PASSCODE,),
    priority=3,
    weight=7,
    cost_micros=1_000_000_000_000,
)
BARE = Route("rest", "other")
KEY = 77


def replacement(*routes: Route, expected: int = 0, now_us: int = NOW_US) -> Replacement:
    """A wish to put these in the place of a version."""
    return Replacement(expected, routes, KEY, now_us)


class RoutingCases(OpenedStore):
    """`replace_routes`, `read_routes`, `set_drained` and `read_drained`."""

    async def test_a_new_store_has_no_routes(self, store: Store) -> None:
        """Neither now nor in any version."""
        assert [None, None] == [await store.read(read_routes, version) for version in (None, 1)]

    async def test_routes_are_read_as_they_were_given(self, store: Store) -> None:
        """Every field, and who stored them when."""
        assert [Replaced(1)] == await store.write(replace_routes, [replacement(FULL, BARE)])
        expected = StoredRoutes(RouteTable(1, (FULL, BARE)), KEY, NOW_US)
        assert [expected, expected] == [await store.read(read_routes, version) for version in (None, 1)]

    async def test_each_version_stays_readable(self, store: Store) -> None:
        """The newest is the one that is read without a number; a table may be empty."""
        await store.write(replace_routes, [replacement(FULL)])
        assert [Replaced(2)] == await store.write(
            replace_routes, [replacement(expected=1, now_us=NOW_US + 1)]
        )
        tables = [await store.read(read_routes, version) for version in (None, 1, 2, 3)]
        newest = StoredRoutes(RouteTable(2, ()), KEY, NOW_US + 1)
        assert [newest, StoredRoutes(RouteTable(1, (FULL,)), KEY, NOW_US), newest, None] == tables

    async def test_who_expected_another_version_changes_nothing(self, store: Store) -> None:
        """And is told which one is there."""
        await store.write(replace_routes, [replacement(FULL)])
        assert [Moved(1), Moved(1)] == await store.write(
            replace_routes, [replacement(BARE), replacement(BARE, expected=2)]
        )
        assert StoredRoutes(RouteTable(1, (FULL,)), KEY, NOW_US) == await store.read(read_routes, None)

    async def test_of_two_at_once_the_first_wins(self, store: Store) -> None:
        """Also within one group."""
        items = [replacement(FULL), replacement(BARE), replacement(BARE, expected=1)]
        assert [Replaced(1), Moved(1), Replaced(2)] == await store.write(replace_routes, items)

    async def test_old_versions_are_forgotten(self, store: Store) -> None:
        """So that the store does not grow with every change for ever."""
        count = ROUTE_TABLES_KEPT + 2
        await store.write(replace_routes, [replacement(BARE, expected=version) for version in range(count)])
        kept = [await store.read(read_routes, version) is not None for version in (1, 2, 3, count)]
        assert [False, False, True, True] == kept

    async def test_a_drained_instance_stays_so_until_it_is_enabled(self, tmp_path: Path) -> None:
        """Over restarts; doing either twice is no error, and the last wish counts. The answer has them all."""
        async with self.open_store(tmp_path) as store:
            assert frozenset() == await store.read(read_drained)
            wishes = [Draining("a", drained=True), Draining("b", drained=True), Draining("a", drained=True)]
            assert [frozenset("ab")] * 3 == await store.write(set_drained, wishes)
        async with self.open_store(tmp_path) as store:
            assert frozenset("ab") == await store.read(read_drained)
            wishes = [Draining("a", drained=True), Draining("a", drained=False), Draining("c", drained=False)]
            assert [frozenset("b")] * 3 == await store.write(set_drained, wishes)
            assert frozenset("b") == await store.read(read_drained)
