"""ConsentService, and BrokerService.OptIn: what recipients want."""

from collections.abc import Mapping

from broker.api.auth import account_for
from broker.api.convert.consents import (
    changes_of,
    consent_query_of,
    found_response,
    list_response,
    opt_in_response,
    pair_of,
)
from broker.api.gate import Access, Gate
from broker.api.rpc import Method, Unary
from broker.delivery.consents import Consents
from broker.delivery.policies import Policies
from broker.domain.access import Principal
from broker.domain.consent import Scope
from broker.errors import BrokerError, ErrorReason
from broker.spi import Clock
from waypost.v1 import consent_service_pb2 as pb
from waypost.v1 import opt_in_pb2

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["ConsentService"]


class ConsentService:
    """GetOptIn and ListOptIns; `opt_in` is BrokerService's."""

    def __init__(self, *, gate: Gate, consents: Consents, policies: Policies, clock: Clock) -> None:
        self._gate = gate
        self._consents = consents
        self._policies = policies
        self._clock = clock

    @property
    def methods(self) -> Mapping[str, Method]:
        """All of the service."""
        return {
            "GetOptIn": Unary(self.get, Access.READ),
            "ListOptIns": Unary(self.list, Access.READ),
        }

    async def opt_in(self, caller: Principal, request: opt_in_pb2.OptInRequest) -> opt_in_pb2.OptInResponse:
        """Put on record what recipients want; all entries, or none."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        region = await self._policies.region_of(account_id)
        changes = changes_of(request, account_id, caller, self._clock.now_us(), region)
        if not caller.may_administer and any(each.scope is Scope.GLOBAL for each in changes):
            # It holds for accounts that are none of the caller's.
            raise BrokerError(
                ErrorReason.ROLE_INSUFFICIENT,
                "a global opt-out takes an admin key",
                metadata={"role": caller.role.name},
            )
        standings = await self._consents.record(changes)
        return opt_in_response(request, standings, self._consents.to_tell())

    async def get(self, caller: Principal, request: pb.GetOptInRequest) -> pb.GetOptInResponse:
        """What is in force between a sender and a recipient."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        if request.ask_upstream and not caller.may_send:  # what upstreams say may change what is in force
            raise BrokerError(ErrorReason.ROLE_INSUFFICIENT, metadata={"role": caller.role.name})
        sender, recipient = pair_of(request, await self._policies.region_of(account_id))
        found = await self._consents.find(account_id, sender, recipient, ask=request.ask_upstream)
        return found_response(found)

    async def list(self, caller: Principal, request: pb.ListOptInsRequest) -> pb.ListOptInsResponse:
        """What is in force for all of whom something was said."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        query = consent_query_of(request, account_id, await self._policies.region_of(account_id))
        return list_response(await self._consents.page(query), query)
