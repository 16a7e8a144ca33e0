"""MessageService: single messages, looked up, listed, cancelled and analysed."""

import asyncio
from collections.abc import Mapping

from broker.api.auth import account_for
from broker.api.convert.analysis import analysis_of, analyzed_text
from broker.api.convert.filters import list_scope, message_query_of
from broker.api.convert.messages import message_message, timeline_entry
from broker.api.convert.paging import page_token
from broker.api.gate import Access, Gate
from broker.api.rpc import Method, Unary
from broker.delivery.history import History
from broker.domain.access import Principal
from broker.domain.ids import format_id, parse_id
from broker.errors import BrokerError, ErrorReason, Violation
from waypost.v1 import message_service_pb2 as pb

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["MessageService"]
UNITS_MAX = 10


class MessageService:
    """GetMessage, ListMessages, CancelMessage and AnalyzeMessage."""

    def __init__(self, *, gate: Gate, history: History, units_max: int = UNITS_MAX) -> None:
        self._gate = gate
        self._history = history
        self._units_max = units_max

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {
            "GetMessage": Unary(self.get_message, Access.READ),
            "ListMessages": Unary(self.list_messages, Access.READ),
            "CancelMessage": Unary(self.cancel_message, Access.SEND),
            "AnalyzeMessage": Unary(self.analyze_message, Access.READ),
        }

    async def get_message(self, caller: Principal, request: pb.GetMessageRequest) -> pb.GetMessageResponse:
        """One message with its timeline."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        found = await self._history.message(account_id, _message_id(request.message_id))
        if found is None:
            raise BrokerError(ErrorReason.MESSAGE_NOT_FOUND)
        record, timeline = found
        return pb.GetMessageResponse(
            message=message_message(record), timeline=[timeline_entry(each) for each in timeline]
        )

    async def list_messages(
        self, caller: Principal, request: pb.ListMessagesRequest
    ) -> pb.ListMessagesResponse:
        """An account's messages, newest first."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        page = await self._history.page(message_query_of(request, account_id))
        token = ""
        if page.next_before_id is not None:
            token = page_token(format_id(page.next_before_id), list_scope(request.filter, account_id))
        return pb.ListMessagesResponse(
            messages=[message_message(record) for record in page.messages], next_page_token=token
        )

    async def cancel_message(
        self, caller: Principal, request: pb.CancelMessageRequest
    ) -> pb.CancelMessageResponse:
        """End a message that no provider was given yet."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        record = await self._history.cancel(account_id, _message_id(request.message_id))
        return pb.CancelMessageResponse(message=message_message(record))

    async def analyze_message(
        self, _caller: Principal, request: pb.AnalyzeMessageRequest
    ) -> pb.AnalyzeMessageResponse:
        """All about a text."""
        text, missing = analyzed_text(request)
        # The longest text takes a while, and others go on meanwhile.
        return await asyncio.to_thread(analysis_of, text, missing, self._units_max)


def _message_id(text: str) -> int:
    """The id of a request. What is no id names no message."""
    if not text:
        violation = Violation("message_id", "must not be empty")
        raise BrokerError(ErrorReason.INVALID_REQUEST, violations=[violation])
    number = parse_id(text)
    if number is None:
        raise BrokerError(ErrorReason.MESSAGE_NOT_FOUND)
    return number
