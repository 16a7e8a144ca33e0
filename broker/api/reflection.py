"""gRPC reflection, so that grpcurl and the like can speak to the broker without its protos.

v1 and v1alpha differ in their package's name alone: the bytes of every message are the same, so one
servicer answers under both names.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from grpc_reflection.v1alpha import reflection, reflection_pb2

from broker.api.gate import Access
from broker.api.rpc import Bidirectional, Conversation, Method, requests_of
from broker.domain.access import Principal

DESCRIPTOR = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"]
NAMES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")


_Servicer: Any = reflection.aio.ReflectionServicer


class Reflection:
    """Tells which services there are and what they look like, to whoever has `access`."""

    def __init__(self, services: Iterable[str], access: Access) -> None:
        self._servicer = _Servicer(services)
        self._access = access

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {"ServerReflectionInfo": Bidirectional(self.server_reflection_info, self._access)}

    async def server_reflection_info(self, _caller: Principal, conversation: Conversation) -> None:
        """Answer each question."""
        async for response in self._servicer.ServerReflectionInfo(requests_of(conversation), None):
            await conversation.write(response.SerializeToString())
