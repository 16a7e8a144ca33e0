"""The calls of SenderService about senders: who an account's messages are from."""

from collections.abc import Mapping

from broker.api.auth import account_for
from broker.api.convert.senders import draft_of, sender_message, sender_number, senders_page
from broker.api.gate import Access, Gate
from broker.api.rpc import Method, Unary
from broker.delivery.senders import Senders
from broker.domain.access import Principal
from waypost.v1 import sender_service_pb2 as pb


class SenderCalls:
    """Any key may list an account's senders; an admin or partner key changes them."""

    def __init__(self, *, gate: Gate, senders: Senders) -> None:
        self._gate = gate
        self._senders = senders

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {
            "CreateSender": Unary(self.create_sender, Access.MANAGE),
            "ListSenders": Unary(self.list_senders, Access.READ),
            "DeleteSender": Unary(self.delete_sender, Access.MANAGE),
        }

    async def create_sender(
        self, caller: Principal, request: pb.CreateSenderRequest
    ) -> pb.CreateSenderResponse:
        """Register a sender."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        sender = await self._senders.create(account_id, draft_of(request.sender))
        return pb.CreateSenderResponse(sender=sender_message(sender))

    async def list_senders(self, caller: Principal, request: pb.ListSendersRequest) -> pb.ListSendersResponse:
        """A page of an account's senders."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        return senders_page(request, account_id, await self._senders.of(account_id))

    async def delete_sender(
        self, caller: Principal, request: pb.DeleteSenderRequest
    ) -> pb.DeleteSenderResponse:
        """Remove a sender."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        await self._senders.delete(account_id, sender_number(request.sender_id))
        return pb.DeleteSenderResponse()
