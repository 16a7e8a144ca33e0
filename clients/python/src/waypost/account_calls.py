"""Accounts and their keys: `client.accounts` and `client.keys`."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from waypost.accounts import Account, AccountPolicy, ApiKey
from waypost.connection import Connection
from waypost.v1 import account_service_pb2 as pb
from waypost.vocabulary import Role
from waypost.wire.accounts import account_of, key_of, key_request, new_account, update_of

PAGE_SIZE = 500


class Accounts:
    """The accounts that the key may act for. Changing any takes an admin or a partner key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def create(
        self,
        *,
        first_name: str,
        last_name: str,
        email: str,
        contact_number: str,
        company: str = "",
        name: str = "",
        parent_account_id: str = "",
        api_access: bool = True,
        sandbox_only: bool | None = None,
        policy: AccountPolicy | None = None,
    ) -> Account:
        """Make an account. Raises AlreadyExists when another has the email.

        sandbox_only: None: as the account above it. The call is not repeated by itself: after Unavailable, `find`
        tells whether it was made.
        """
        request = new_account(
            policy,
            first_name=first_name,
            last_name=last_name,
            email=email,
            contact_number=contact_number,
            company=company,
            name=name,
            parent_account_id=parent_account_id,
            api_access=api_access,
            sandbox_only=sandbox_only,
        )
        answer = await self._connection.call_once(self._connection.accounts.CreateAccount, request)
        return account_of(answer.account)

    async def get(self, account_id: str = "") -> Account:
        """One account; the key's own for "". Raises NotFound."""
        request = pb.GetAccountRequest(account_id=account_id)
        answer = await self._connection.call(self._connection.accounts.GetAccount, request)
        return account_of(answer.account)

    async def find(self, email: str) -> Account:
        """The account with an email, whatever its case. Raises NotFound."""
        request = pb.FindAccountRequest(email=email)
        answer = await self._connection.call(self._connection.accounts.FindAccount, request)
        return account_of(answer.account)

    async def list(self, below: str = "", *, children_only: bool = False) -> AsyncIterator[Account]:
        """Accounts below one, or all that the key may list; each is followed by those below it."""
        request = pb.ListAccountsRequest(account_id=below, page_size=PAGE_SIZE)
        request.filter.children_only = children_only
        async for page in self._connection.pages(self._connection.accounts.ListAccounts, request):
            for each in page.accounts:
                yield account_of(each)

    async def update(self, account_id: str, **changes: Any) -> Account:
        """Change the fields that are given, also to nothing; the rest stays.

        first_name, last_name, contact_number, company, name, api_access, sandbox_only; a policy replaces all of it that this client knows.
        """
        request = update_of(account_id, changes)
        answer = await self._connection.call(self._connection.accounts.UpdateAccount, request)
        return account_of(answer.account)


class Keys:
    """The keys of an account; the key's own account for account_id ""."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def create(
        self,
        role: Role,
        *,
        account_id: str = "",
        description: str = "",
        expire_time: datetime | None = None,
        calls_per_second: int = 0,
    ) -> tuple[ApiKey, str]:
        """Make a key; answers it with its secret, which is told only here.

        The call is not repeated by itself: after Unavailable, `list` tells whether there is one to revoke.
        """
        request = key_request(role, account_id, description, expire_time, calls_per_second)
        answer = await self._connection.call_once(self._connection.accounts.CreateApiKey, request)
        return key_of(answer.api_key), answer.secret

    async def list(self, account_id: str = "", *, include_revoked: bool = False) -> AsyncIterator[ApiKey]:
        """Oldest first."""
        request = pb.ListApiKeysRequest(
            account_id=account_id, include_revoked=include_revoked, page_size=PAGE_SIZE
        )
        async for page in self._connection.pages(self._connection.accounts.ListApiKeys, request):
            for each in page.api_keys:
                yield key_of(each)

    async def revoke(self, key_id: str, *, account_id: str = "") -> ApiKey:
        """End a key within a second; again is no harm. Raises NotFound."""
        request = pb.RevokeApiKeyRequest(account_id=account_id, key_id=key_id)
        answer = await self._connection.call(self._connection.accounts.RevokeApiKey, request)
        return key_of(answer.api_key)
