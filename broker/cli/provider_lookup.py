"""Asking the broker for its provider instances, its installed types and an upstream's account; draining, enabling one."""

from collections.abc import Sequence
from dataclasses import dataclass

import grpc
import grpc.aio

from broker.cli.connection import CALL_TIMEOUT_S, Target, connected, fail
from waypost.v1 import provider_pb2, provider_service_pb2

PAGE_SIZE_MAX = 1_000
UPSTREAM_TIMEOUT_S = 100.0
"""The broker asks an upstream for up to three things, and waits 30 s for each."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What a broker sends through, and what it could; both by name."""

    instances: Sequence[provider_pb2.Provider]
    types: Sequence[provider_pb2.ProviderType]


async def look_up_providers(target: Target) -> Installed:
    """All of them, whatever the number of pages."""
    instances: list[provider_pb2.Provider] = []
    types: list[provider_pb2.ProviderType] = []
    request = provider_service_pb2.ListProvidersRequest(page_size=PAGE_SIZE_MAX)
    async with connected(target) as connection:
        try:
            while True:
                page = await connection.providers.ListProviders(
                    request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S
                )
                instances += page.providers
                types += page.types
                request.page_token = page.next_page_token
                if not request.page_token:
                    return Installed(instances, types)
        except grpc.aio.AioRpcError as error:
            fail(error, target.address)


async def update_provider(target: Target, name: str, state: str) -> provider_pb2.Provider:
    """Drain or enable an instance; answers it as it is then."""
    request = provider_service_pb2.UpdateProviderRequest(
        name=name, state=provider_pb2.ProviderState.Value(state)
    )
    async with connected(target) as connection:
        try:
            response = await connection.providers.UpdateProvider(
                request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            fail(error, target.address)
    return response.provider


async def look_up_usage(
    target: Target, request: provider_service_pb2.GetUpstreamUsageRequest
) -> provider_service_pb2.GetUpstreamUsageResponse:
    """What an instance's account with its upstream has and has used."""
    async with connected(target) as connection:
        try:
            return await connection.providers.GetUpstreamUsage(
                request, metadata=connection.metadata, timeout=UPSTREAM_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            fail(error, target.address)
