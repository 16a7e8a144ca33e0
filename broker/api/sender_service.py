"""SenderService: who messages are from, and the keywords that people text to it."""

from collections.abc import Mapping

from broker.api.keyword_calls import KeywordCalls
from broker.api.rpc import Method
from waypost.v1 import sender_service_pb2 as pb

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["SenderService"]


class SenderService:
    """All of its calls."""

    def __init__(self, *, keywords: KeywordCalls) -> None:
        self._keywords = keywords

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return self._keywords.methods
