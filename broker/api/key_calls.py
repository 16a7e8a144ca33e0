"""The calls of AccountService that are about keys."""

from collections.abc import Mapping

from broker.api.auth import account_for
from broker.api.convert.api_keys import key_message, key_wish_of
from broker.api.convert.findings import Findings
from broker.api.convert.paging import page_position, page_size_of, page_token
from broker.api.gate import Access
from broker.api.rpc import Method, Unary
from broker.delivery.identities import Identities
from broker.delivery.keys import KeyQuery, Keys
from broker.domain.access import Principal, Role
from broker.domain.ids import format_id, parse_id
from broker.errors import BrokerError, ErrorReason, Violation
from waypost.v1 import account_service_pb2 as pb


class KeyCalls:
    """CreateApiKey, ListApiKeys and RevokeApiKey. Admin keys are made and ended by admin keys alone."""

    def __init__(self, *, keys: Keys, identities: Identities) -> None:
        self._keys = keys
        self._identities = identities

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {
            "CreateApiKey": Unary(self.create_api_key, Access.MANAGE),
            "ListApiKeys": Unary(self.list_api_keys, Access.MANAGE),
            "RevokeApiKey": Unary(self.revoke_api_key, Access.MANAGE),
        }

    async def create_api_key(
        self, caller: Principal, request: pb.CreateApiKeyRequest
    ) -> pb.CreateApiKeyResponse:
        """A new key, and its secret for the only time."""
        account_id = await account_for(self._keys, caller, request.account_id)
        wish = key_wish_of(request, account_id, self._keys.now_us())
        if wish.role is Role.ADMIN and not caller.may_administer:
            raise BrokerError(
                ErrorReason.ROLE_INSUFFICIENT,
                "only an admin key makes an admin key",
                metadata={"role": caller.role.name},
            )
        key, secret = await self._keys.issue(self._identities, wish)
        return pb.CreateApiKeyResponse(api_key=key_message(key), secret=secret)

    async def list_api_keys(
        self, caller: Principal, request: pb.ListApiKeysRequest
    ) -> pb.ListApiKeysResponse:
        """The account's keys, oldest first."""
        account_id = await account_for(self._keys, caller, request.account_id)
        scope = f"keys {account_id} {request.include_revoked}"
        findings = Findings()
        page_size = page_size_of(request.page_size, findings)
        after = page_position(request.page_token, scope, findings)
        findings.refuse()
        first = parse_id(after) if after else 0
        page = await self._keys.page(KeyQuery(account_id, first or 0, page_size, request.include_revoked))
        full = len(page) == page_size
        return pb.ListApiKeysResponse(
            api_keys=[key_message(each) for each in page],
            next_page_token=page_token(format_id(page[-1].key_id), scope) if full else "",
        )

    async def revoke_api_key(
        self, caller: Principal, request: pb.RevokeApiKeyRequest
    ) -> pb.RevokeApiKeyResponse:
        """End a key."""
        account_id = await account_for(self._keys, caller, request.account_id)
        key_id = parse_id(request.key_id)
        if not key_id:
            raise BrokerError(ErrorReason.KEY_NOT_FOUND)
        if key_id == caller.key_id and account_id == caller.account_id:
            rule = "is the key of this call; revoke it with another one"
            raise BrokerError(ErrorReason.INVALID_REQUEST, violations=[Violation("key_id", rule)])
        spare = None if caller.may_administer else Role.ADMIN
        return pb.RevokeApiKeyResponse(
            api_key=key_message(await self._keys.revoke(account_id, key_id, spare))
        )
