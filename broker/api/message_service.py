"""MessageService: single messages, looked up, listed, cancelled, deleted, marked, sent again and analysed."""

import asyncio
from collections.abc import Mapping

from broker.api.auth import account_for
from broker.api.convert.analysis import (
    about_text,
    add_appraisal,
    analysis_of,
    analyzed_text,
    appraised_submission,
)
from broker.api.convert.listing import index_message, message_query_of
from broker.api.convert.messages import message_message, timeline_entry
from broker.api.convert.paging import page_token
from broker.api.convert.requests import redrive_validity_us_of
from broker.api.gate import Access, Gate
from broker.api.rpc import Method, Unary
from broker.delivery.history import History
from broker.delivery.intake import Intake
from broker.delivery.policies import Policies
from broker.delivery.redriving import Redriver
from broker.domain.access import Principal
from broker.domain.ids import format_id, parse_id
from broker.domain.linking import text_as_sent
from broker.errors import BrokerError, ErrorReason, Violation
from waypost.v1 import message_service_pb2 as pb

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["MessageService"]
UNITS_MAX = 10


class MessageService:
    """All of its calls."""

    def __init__(
        self,
        *,
        gate: Gate,
        history: History,
        redriver: Redriver,
        intake: Intake,
        policies: Policies,
        units_max: int = UNITS_MAX,
    ) -> None:
        self._gate = gate
        self._history = history
        self._redriver = redriver
        self._intake = intake
        self._policies = policies
        self._units_max = units_max

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {
            "GetMessage": Unary(self.get_message, Access.READ),
            "ListMessages": Unary(self.list_messages, Access.READ),
            "CancelMessage": Unary(self.cancel_message, Access.SEND),
            "DeleteMessage": Unary(self.delete_message, Access.SEND),
            "MarkMessage": Unary(self.mark_message, Access.SEND),
            "RedriveMessage": Unary(self.redrive_message, Access.SEND),
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
        region = await self._policies.region_of(account_id) if request.filter.recipients else ""
        query, scope = message_query_of(request, account_id, region)
        page = await self._history.page(query)
        token = ""
        if page.next_before_id is not None:
            token = page_token(format_id(page.next_before_id), scope)
        return pb.ListMessagesResponse(
            messages=[message_message(record) for record in page.messages],
            next_page_token=token,
            index=index_message(page.index),
        )

    async def cancel_message(
        self, caller: Principal, request: pb.CancelMessageRequest
    ) -> pb.CancelMessageResponse:
        """End a message that no provider was given yet."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        record = await self._history.cancel(account_id, _message_id(request.message_id))
        return pb.CancelMessageResponse(message=message_message(record))

    async def delete_message(
        self, caller: Principal, request: pb.DeleteMessageRequest
    ) -> pb.DeleteMessageResponse:
        """Erase what an ended message says and to whom."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        record = await self._history.delete(account_id, _message_id(request.message_id))
        return pb.DeleteMessageResponse(message=message_message(record))

    async def mark_message(self, caller: Principal, request: pb.MarkMessageRequest) -> pb.MarkMessageResponse:
        """Mark an inbound message read or unread."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        message_id = _message_id(request.message_id)
        if request.mark not in {pb.MARK_READ, pb.MARK_UNREAD}:
            violation = Violation("mark", f"{request.mark} is not one of READ, UNREAD")
            raise BrokerError(ErrorReason.INVALID_REQUEST, violations=[violation])
        record = await self._history.mark(account_id, message_id, read=request.mark == pb.MARK_READ)
        return pb.MarkMessageResponse(message=message_message(record))

    async def redrive_message(
        self, caller: Principal, request: pb.RedriveMessageRequest
    ) -> pb.RedriveMessageResponse:
        """Send an ended message again, as a new one."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        message_id = _message_id(request.message_id)
        validity_us = redrive_validity_us_of(request)
        record = await self._redriver.redrive(account_id, message_id, request.request_id, validity_us)
        return pb.RedriveMessageResponse(message=message_message(record))

    async def analyze_message(
        self, caller: Principal, request: pb.AnalyzeMessageRequest
    ) -> pb.AnalyzeMessageResponse:
        """All about a text, as the key's own account sends it where nothing else is asked for."""
        text, missing = analyzed_text(request)
        policies = await self._policies.of((caller.account_id,))
        as_sent = text_as_sent(text, policies[caller.account_id])
        # The longest text takes a while, and others go on meanwhile.
        response = await asyncio.to_thread(analysis_of, as_sent, missing, self._units_max)
        asked = appraised_submission(request, text, caller.account_id)
        if asked is not None:
            try:
                (explanation,) = await self._intake.explain(asked, units_max=response.units)
            except BrokerError as error:
                raise about_text(error) from None
            add_appraisal(response, explanation)
        return response


def _message_id(text: str) -> int:
    """The id of a request. What is no id names no message."""
    if not text:
        violation = Violation("message_id", "must not be empty")
        raise BrokerError(ErrorReason.INVALID_REQUEST, violations=[violation])
    number = parse_id(text)
    if number is None:
        raise BrokerError(ErrorReason.MESSAGE_NOT_FOUND)
    return number
