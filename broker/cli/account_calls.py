"""Asking the broker about accounts and keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import grpc.aio

from broker.cli.connection import CALL_TIMEOUT_S, Connection, fail
from waypost.v1 import account_pb2, api_key_pb2
from waypost.v1 import account_service_pb2 as pb


async def all_accounts(connection: Connection, below: str, children: bool) -> Sequence[account_pb2.Account]:
    """Accounts from the top of each tree down."""
    found: list[account_pb2.Account] = []
    request = pb.ListAccountsRequest(account_id=below, page_size=1_000)
    request.filter.children_only = children
    while True:
        page = await _call(connection, "ListAccounts", request)
        found += page.accounts
        request.page_token = page.next_page_token
        if not request.page_token:
            return found


async def one_account(connection: Connection, name: str) -> account_pb2.Account:
    """By an id or an email; the key's own for neither."""
    if "@" in name:
        answer = await _call(connection, "FindAccount", pb.FindAccountRequest(email=name))
    else:
        answer = await _call(connection, "GetAccount", pb.GetAccountRequest(account_id=name))
    account: account_pb2.Account = answer.account
    return account


async def create(
    connection: Connection, fields: Mapping[str, Any], policy: Mapping[str, Any]
) -> account_pb2.Account:
    """A new account of the fields that are given."""
    request = pb.CreateAccountRequest(account=_given(fields))
    request.account.policy.CopyFrom(account_pb2.AccountPolicy(**_without_none(policy)))
    account: account_pb2.Account = (await _call(connection, "CreateAccount", request)).account
    return account


async def update(
    connection: Connection, account_id: str, fields: Mapping[str, Any], policy: Mapping[str, Any]
) -> account_pb2.Account:
    """An account with the fields that are given changed, also to nothing."""
    request = pb.UpdateAccountRequest(account=_given(fields))
    request.account.account_id = account_id
    given = {name: _list_or_text(value) for name, value in _without_none(policy).items()}
    request.account.policy.CopyFrom(account_pb2.AccountPolicy(**given))
    request.update_mask.paths.extend([*_without_none(fields), *(f"policy.{name}" for name in given)])
    account: account_pb2.Account = (await _call(connection, "UpdateAccount", request)).account
    return account


async def all_keys(connection: Connection, account_id: str, revoked: bool) -> Sequence[api_key_pb2.ApiKey]:
    """Every key of the account."""
    found: list[api_key_pb2.ApiKey] = []
    request = pb.ListApiKeysRequest(account_id=account_id, include_revoked=revoked, page_size=1_000)
    while True:
        page = await _call(connection, "ListApiKeys", request)
        found += page.api_keys
        request.page_token = page.next_page_token
        if not request.page_token:
            return found


async def issue_key(
    connection: Connection, account_id: str, role: str, description: str, end: datetime | None, rate: int
) -> pb.CreateApiKeyResponse:
    """A new key with its secret."""
    request = pb.CreateApiKeyRequest(
        account_id=account_id,
        role=api_key_pb2.Role.Value(f"ROLE_{role.upper()}"),
        description=description,
        calls_per_second=rate,
    )
    if end is not None:
        request.expire_time.FromDatetime(end)
    made: pb.CreateApiKeyResponse = await _call(connection, "CreateApiKey", request)
    return made


async def end_key(connection: Connection, account_id: str, key_id: str) -> None:
    """Revoke a key."""
    await _call(connection, "RevokeApiKey", pb.RevokeApiKeyRequest(account_id=account_id, key_id=key_id))


def _list_or_text(value: Any) -> Any:
    """What is written as one empty word is an empty list."""
    return [each for each in value if each] if isinstance(value, list) else value


def _given(fields: Mapping[str, Any]) -> account_pb2.Account:
    return account_pb2.Account(**_without_none(fields))


def _without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


async def _call(connection: Connection, method: str, request: Any) -> Any:
    try:
        return await getattr(connection.accounts, method)(
            request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S
        )
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)
