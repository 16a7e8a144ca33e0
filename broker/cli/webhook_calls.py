"""Asking the broker about webhooks."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import grpc.aio
from google.protobuf.duration_pb2 import Duration

from broker.cli.connection import CALL_TIMEOUT_S, Connection, fail
from broker.cli.failures import UsageError
from waypost.v1 import account_service_pb2, event_pb2, status_pb2, webhook_pb2


async def all_webhooks(connection: Connection, account_id: str) -> Sequence[webhook_pb2.Webhook]:
    """Every webhook of the account."""
    found: list[webhook_pb2.Webhook] = []
    request = account_service_pb2.ListWebhooksRequest(account_id=account_id)
    while True:
        page = await _call(connection, "ListWebhooks", request)
        found += page.webhooks
        request.page_token = page.next_page_token
        if not request.page_token:
            return found


def create_request(
    account_id: str, url: str, description: str, kinds: Sequence[str], facts: Sequence[str]
) -> account_service_pb2.CreateWebhookRequest:
    """What is asked for. Raises UsageError for a fact that is none."""
    known = {name.removeprefix("MESSAGE_FACT_").lower(): number for name, number in _facts() if number}
    for fact in facts:
        if fact.lower() not in known:
            raise UsageError(f"--fact {fact}: is not one of {', '.join(known)}")
    return account_service_pb2.CreateWebhookRequest(
        account_id=account_id,
        url=url,
        description=description,
        kinds=[event_pb2.EventKind.Value(f"EVENT_KIND_{kind.upper()}") for kind in kinds],
        facts=[known[fact.lower()] for fact in facts],
    )


def _facts() -> Sequence[tuple[str, Any]]:
    return status_pb2.MessageFact.items()


async def create(
    connection: Connection, request: account_service_pb2.CreateWebhookRequest
) -> account_service_pb2.CreateWebhookResponse:
    """A new webhook with its secret."""
    response: account_service_pb2.CreateWebhookResponse = await _call(connection, "CreateWebhook", request)
    return response


async def rotate(
    connection: Connection, account_id: str, webhook_id: str, overlap: timedelta | None
) -> account_service_pb2.RotateWebhookSecretResponse:
    """A new secret."""
    request = account_service_pb2.RotateWebhookSecretRequest(account_id=account_id, webhook_id=webhook_id)
    if overlap is not None:
        span = Duration()
        span.FromTimedelta(overlap)
        request.overlap.CopyFrom(span)
    response: account_service_pb2.RotateWebhookSecretResponse = await _call(
        connection, "RotateWebhookSecret", request
    )
    return response


async def delete(connection: Connection, account_id: str, webhook_id: str) -> None:
    """End a webhook."""
    request = account_service_pb2.DeleteWebhookRequest(account_id=account_id, webhook_id=webhook_id)
    await _call(connection, "DeleteWebhook", request)


async def _call(connection: Connection, method: str, request: Any) -> Any:
    try:
        return await getattr(connection.accounts, method)(
            request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S
        )
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)
