"""ProviderService: the providers behind the broker."""

from collections.abc import Callable, Mapping, Sequence

from broker.api.convert.findings import Findings
from broker.api.convert.paging import page_position, page_size_of, page_token
from broker.api.convert.providers import (
    drained_of,
    provider_message,
    provider_type_message,
    upstream_message,
)
from broker.api.convert.routes import ACCOUNT_RULE, route_messages, routes_of, table_message
from broker.api.convert.usage import days_of
from broker.api.gate import Access
from broker.api.rpc import Method, Unary
from broker.delivery.keys import Keys
from broker.delivery.registry import Registry
from broker.delivery.routes import Routes
from broker.delivery.upstream_usage import UpstreamAccounts
from broker.domain.access import Principal, Role
from broker.domain.routes import Route
from broker.spi import Clock
from broker.storage.routing import StoredRoutes
from waypost.v1 import provider_service_pb2 as pb
from waypost.v1 import route_pb2

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["ProviderService"]

_SCOPE = "providers"
_ROUTES_SCOPE = "routes"
_MISSING_MAX = 100
"""After so many accounts that do not exist no more are looked up."""


class ProviderService:
    """ListProviders, UpdateProvider, GetUpstreamUsage, ListRoutes and ReplaceRoutes."""

    def __init__(
        self,
        *,
        registry: Registry,
        routes: Routes,
        keys: Keys,
        callback_url_of: Callable[[str], str],
        upstreams: UpstreamAccounts,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._routes = routes
        self._keys = keys
        self._callback_url_of = callback_url_of
        self._upstreams = upstreams
        self._clock = clock

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {
            "ListProviders": Unary(self.list_providers, Access.READ),
            "UpdateProvider": Unary(self.update_provider, Access.ADMIN),
            "GetUpstreamUsage": Unary(self.get_upstream_usage, Access.ADMIN),
            "ListRoutes": Unary(self.list_routes, Access.ADMIN),
            "ReplaceRoutes": Unary(self.replace_routes, Access.ADMIN),
        }

    async def list_providers(
        self, caller: Principal, request: pb.ListProvidersRequest
    ) -> pb.ListProvidersResponse:
        """The configured instances by name, and on the first page the installed types."""
        findings = Findings()
        page_size = page_size_of(request.page_size, findings)
        after = page_position(request.page_token, _SCOPE, findings)
        findings.refuse()
        instances = sorted(self._registry.instances, key=lambda each: each.name)
        rest = [each for each in instances if after is None or each.name > after]
        page = rest[:page_size]
        types = sorted(self._registry.types, key=lambda each: each.name) if after is None else []
        is_admin = caller.role is Role.ADMIN
        return pb.ListProvidersResponse(
            providers=[
                provider_message(each, self._callback_url_of(each.name), is_admin=is_admin) for each in page
            ],
            next_page_token=page_token(page[-1].name, _SCOPE) if len(rest) > page_size else "",
            types=[provider_type_message(each, whole_error=is_admin) for each in types],
        )

    async def update_provider(
        self, _caller: Principal, request: pb.UpdateProviderRequest
    ) -> pb.UpdateProviderResponse:
        """Drain or enable an instance."""
        findings = Findings()
        if not request.name:
            findings.broke("name", "must not be empty")
        drained = drained_of(request.state, findings)
        findings.refuse()
        view = await self._routes.update_provider(request.name, drained=drained)
        provider = provider_message(view, self._callback_url_of(view.name), is_admin=True)
        return pb.UpdateProviderResponse(provider=provider)

    async def get_upstream_usage(
        self, _caller: Principal, request: pb.GetUpstreamUsageRequest
    ) -> pb.GetUpstreamUsageResponse:
        """What an instance's account with its upstream has and has used."""
        findings = Findings()
        if not request.name:
            findings.broke("name", "must not be empty")
        days = days_of(request.start_date, request.end_date, "UTC", self._clock.now_us(), findings)
        findings.refuse()
        return upstream_message(await self._upstreams.report(request.name, *days))

    async def list_routes(self, _caller: Principal, request: pb.ListRoutesRequest) -> pb.ListRoutesResponse:
        """A version of the routes, in the order in which they were given."""
        findings = Findings()
        page_size = page_size_of(request.page_size, findings)
        if request.version < 0:
            findings.broke("version", "must not be negative")
        position = page_position(request.page_token, _ROUTES_SCOPE, findings)
        findings.refuse()
        version, start = (request.version, 0) if position is None else map(int, position.split("/"))
        if position is not None and request.version not in {0, version}:
            findings.broke("page_token", f"belongs to version {version}")
            findings.refuse()
        stored = await self._routes.version(version)
        page = stored.table.routes[start : start + page_size]
        more = start + page_size < len(stored.table.routes)
        place = f"{stored.table.version}/{start + page_size}"
        return pb.ListRoutesResponse(
            table=self._table(stored),
            routes=route_messages(page),
            next_page_token=page_token(place, _ROUTES_SCOPE) if more else "",
        )

    async def replace_routes(
        self, caller: Principal, request: pb.ReplaceRoutesRequest
    ) -> pb.ReplaceRoutesResponse:
        """Put other routes in force, all at once."""
        findings = Findings()
        if request.expected_version < 0:
            findings.broke("expected_version", "must not be negative")
        routes = routes_of(request.routes, findings)
        await self._check_accounts(routes, findings)
        findings.violations += self._routes.violations(routes)
        findings.refuse()
        stored = await self._routes.replace(
            routes, request.expected_version, caller.key_id, validate_only=request.validate_only
        )
        return pb.ReplaceRoutesResponse(table=self._table(stored))

    async def _check_accounts(self, routes: Sequence[Route], findings: Findings) -> None:
        """A mistyped account would match nobody, silently."""
        named = {account for route in routes for account in route.account_ids}
        missing: set[int] = set()
        for account in named:
            if not await self._keys.account_exists(account):
                missing.add(account)
            if len(missing) >= _MISSING_MAX:
                break
        for index, route in enumerate(routes if missing else ()):
            for place, account in enumerate(route.account_ids):
                if account in missing:
                    findings.broke(f"routes[{index}].account_ids[{place}]", ACCOUNT_RULE)

    def _table(self, stored: StoredRoutes) -> route_pb2.RouteTable:
        return table_message(stored, owned_by_settings=self._routes.owned_by_settings)
