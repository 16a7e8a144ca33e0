"""grpc.health.v1: whether the broker, and each of its services, takes calls.

grpcio-health-checking ships a servicer too; with it, the first of two watchers that leaves takes the
other's wake-ups along, and a malformed request leaves as UNKNOWN.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any

import grpc
from grpc_health.v1 import health_pb2

from broker.api.gate import Access
from broker.api.rpc import BareStatus, Method, ServerStream, Unary
from broker.domain.access import Principal

DESCRIPTOR = health_pb2.DESCRIPTOR.services_by_name["Health"]


class Health:
    """The same answer for every service: SERVING until the broker drains or is told otherwise."""

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset({"", *services})
        self._serving = True
        self._changed = asyncio.Event()
        self._closed = False

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {
            "Check": Unary(self.check, Access.OPEN),
            "Watch": ServerStream(self.watch, Access.OPEN),
        }

    def set_serving(self, *, serving: bool) -> None:
        """Say from now on that calls are taken, or that they are not."""
        if serving == self._serving:
            return
        self._serving = serving
        # Each change has an event of its own: whoever waits for the old one is woken exactly once.
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def close(self) -> None:
        """Say that calls are no longer taken, and end the watches: a drain must not wait for them."""
        self._closed = True
        self.set_serving(serving=False)

    async def check(
        self, _caller: Principal, request: health_pb2.HealthCheckRequest
    ) -> health_pb2.HealthCheckResponse:
        """How a service is now."""
        if request.service not in self._services:
            raise BareStatus(grpc.StatusCode.NOT_FOUND, "there is no such service")
        return health_pb2.HealthCheckResponse(status=self._status(request.service))

    async def watch(
        self, _caller: Principal, request: health_pb2.HealthCheckRequest
    ) -> AsyncGenerator[bytes, None]:
        """How a service is now, and again whenever that changes."""
        return self._statuses(request.service)

    async def _statuses(self, service: str) -> AsyncGenerator[bytes, None]:
        told: Any = None
        while True:
            changed = self._changed
            status = self._status(service)
            if status != told:
                told = status
                yield health_pb2.HealthCheckResponse(status=status).SerializeToString()
            if self._closed:
                return
            await changed.wait()

    def _status(self, service: str) -> Any:  # a ServingStatus; the stubs have no type of that name
        if service not in self._services:
            return health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        return (
            health_pb2.HealthCheckResponse.SERVING
            if self._serving
            else health_pb2.HealthCheckResponse.NOT_SERVING
        )
