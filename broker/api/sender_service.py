"""SenderService: who messages are from, and the keywords that people text to it."""

from collections.abc import Mapping

from broker.api.keyword_calls import KeywordCalls
from broker.api.rpc import Method
from broker.api.sender_calls import SenderCalls
from waypost.v1 import sender_service_pb2 as pb

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["SenderService"]


class SenderService:
    """All of its calls."""

    def __init__(self, *, senders: SenderCalls, keywords: KeywordCalls) -> None:
        self._senders = senders
        self._keywords = keywords

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {**self._senders.methods, **self._keywords.methods}
