"""Asking the broker about keywords."""

from collections.abc import Sequence
from typing import Any

import grpc.aio

from broker.cli.connection import CALL_TIMEOUT_S, Connection, fail
from waypost.v1 import keyword_pb2


async def all_keywords(connection: Connection, account_id: str, sender: str) -> Sequence[keyword_pb2.Keyword]:
    """Every keyword of the account, at one sender where it is named."""
    found: list[keyword_pb2.Keyword] = []
    request = keyword_pb2.ListKeywordsRequest(account_id=account_id, sender=sender)
    while True:
        page = await call(connection, "ListKeywords", request)
        found += page.keywords
        request.page_token = page.next_page_token
        if not request.page_token:
            return found


async def call(connection: Connection, method: str, request: Any) -> Any:
    """One call of SenderService about keywords."""
    try:
        return await getattr(connection.senders, method)(
            request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S
        )
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)
