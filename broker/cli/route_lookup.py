"""Asking the broker for its routes, and to replace them."""

from collections.abc import Sequence
from dataclasses import dataclass

import grpc
import grpc.aio

from broker.cli.connection import CALL_TIMEOUT_S, Connection, fail
from waypost.v1 import provider_service_pb2 as pb
from waypost.v1 import route_pb2

PAGE_SIZE_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the routes, whole."""

    table: route_pb2.RouteTable
    routes: Sequence[route_pb2.Route]


async def look_up_routes(connection: Connection, version: int) -> Version:
    """A version, 0 for the one in force, whatever the number of pages."""
    routes: list[route_pb2.Route] = []
    request = pb.ListRoutesRequest(version=version, page_size=PAGE_SIZE_MAX)
    while True:
        page = await _page(connection, request)
        routes += page.routes
        request.page_token = page.next_page_token
        if not request.page_token:
            return Version(page.table, routes)


async def _page(connection: Connection, request: pb.ListRoutesRequest) -> pb.ListRoutesResponse:
    try:
        return await connection.providers.ListRoutes(
            request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S
        )
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)


async def current_version(connection: Connection) -> int:
    """The number of the version in force."""
    page = await _page(connection, pb.ListRoutesRequest(page_size=1))
    return page.table.version


async def replace_routes(
    connection: Connection, routes: Sequence[route_pb2.Route], expected_version: int, *, validate_only: bool
) -> route_pb2.RouteTable:
    """Put routes in the place of a version."""
    request = pb.ReplaceRoutesRequest(
        routes=routes, expected_version=expected_version, validate_only=validate_only
    )
    try:
        response = await connection.providers.ReplaceRoutes(
            request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S
        )
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)
    return response.table
