"""ProviderService: the providers behind the broker."""

from collections.abc import Callable, Mapping

from broker.api.convert.findings import Findings
from broker.api.convert.paging import page_position, page_size_of, page_token
from broker.api.convert.providers import provider_message, provider_type_message
from broker.api.gate import Access
from broker.api.rpc import Method, Unary
from broker.delivery.registry import Registry
from broker.domain.access import Principal, Role
from waypost.v1 import provider_service_pb2 as pb

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["ProviderService"]

_SCOPE = "providers"


class ProviderService:
    """ListProviders."""

    def __init__(self, *, registry: Registry, callback_url_of: Callable[[str], str]) -> None:
        self._registry = registry
        self._callback_url_of = callback_url_of

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {"ListProviders": Unary(self.list_providers, Access.READ)}

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
                provider_message(each, self._callback_url_of(each.name) if is_admin else "") for each in page
            ],
            next_page_token=page_token(page[-1].name, _SCOPE) if len(rest) > page_size else "",
            types=[provider_type_message(each, whole_error=is_admin) for each in types],
        )
