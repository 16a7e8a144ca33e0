"""BroadcastService, and the call of BrokerService that makes a broadcast."""

from collections.abc import Mapping
from typing import Protocol

from broker.api.auth import account_for
from broker.api.convert.broadcasts import (
    broadcast_message,
    broadcast_number,
    broadcast_query_of,
    list_response,
    stored_request,
    wish_of,
)
from broker.api.convert.explanations import within_request
from broker.api.convert.uploads import (
    chunks_of,
    file_of,
    file_wish_of,
    refused_page_of,
    refused_response,
    upload_number,
    upload_response,
)
from broker.api.gate import Access, Gate
from broker.api.rpc import ClientStream, Conversation, Method, Unary, requests_of
from broker.delivery.broadcasts.control import Broadcasts
from broker.delivery.broadcasts.uploads import Uploads
from broker.domain.access import Principal
from broker.domain.broadcast import Move
from broker.errors import BrokerError
from broker.spi import Clock
from waypost.v1 import broadcast_pb2
from waypost.v1 import broadcast_service_pb2 as pb

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["BroadcastService"]


class _Named(Protocol):
    """A request about one broadcast."""

    @property
    def account_id(self) -> str: ...
    @property
    def broadcast_id(self) -> str: ...


class BroadcastService:
    """Any key may read; keys that may send may do the rest."""

    def __init__(self, *, gate: Gate, broadcasts: Broadcasts, uploads: Uploads, clock: Clock) -> None:
        self._gate = gate
        self._broadcasts = broadcasts
        self._uploads = uploads
        self._clock = clock

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {
            "UploadAudience": ClientStream(self.upload_audience, Access.SEND),
            "ListRefusedRows": Unary(self.list_refused_rows, Access.READ),
            "GetBroadcast": Unary(self.get_broadcast, Access.READ),
            "ListBroadcasts": Unary(self.list_broadcasts, Access.READ),
            "UpdateBroadcast": Unary(self.update_broadcast, Access.SEND),
            "StartBroadcast": Unary(self.start_broadcast, Access.SEND),
            "SuspendBroadcast": Unary(self.suspend_broadcast, Access.SEND),
            "ResumeBroadcast": Unary(self.resume_broadcast, Access.SEND),
            "StopBroadcast": Unary(self.stop_broadcast, Access.SEND),
            "DeleteBroadcast": Unary(self.delete_broadcast, Access.SEND),
        }

    @property
    def broker_methods(self) -> Mapping[str, Method]:
        """What BrokerService has of it."""
        return {"Broadcast": Unary(self.broadcast, Access.SEND)}

    async def broadcast(
        self, caller: Principal, request: broadcast_pb2.BroadcastRequest
    ) -> broadcast_pb2.BroadcastResponse:
        """Store one content to an audience of any size, then answer."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        wish = wish_of(request, account_id, self._clock.now_us())
        made = await self._broadcasts.create(wish, stored_request(request))
        return broadcast_pb2.BroadcastResponse(broadcast=broadcast_message(made))

    async def upload_audience(
        self, caller: Principal, conversation: Conversation
    ) -> pb.UploadAudienceResponse:
        """Store a file of recipients."""
        requests = requests_of(conversation)
        file = await file_of(requests)
        account_id = await account_for(self._gate.keys, caller, file.account_id)
        wish = file_wish_of(file)
        return upload_response(await self._uploads.receive(account_id, wish, chunks_of(requests)))

    async def list_refused_rows(
        self, caller: Principal, request: pb.ListRefusedRowsRequest
    ) -> pb.ListRefusedRowsResponse:
        """A page of the lines of a file that became no recipients."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        after, page_size, scope = refused_page_of(request, account_id)
        upload = await self._uploads.upload(account_id, upload_number(request.upload_id))
        found = await self._uploads.refused(upload.upload_id, after, page_size)
        return refused_response(found, page_size, scope)

    async def get_broadcast(
        self, caller: Principal, request: pb.GetBroadcastRequest
    ) -> pb.GetBroadcastResponse:
        """One broadcast, with its refusals by reason."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        found = await self._broadcasts.get(account_id, broadcast_number(request.broadcast_id))
        refusals = await self._broadcasts.refusals(found.broadcast_id)
        upstream_id = await self._broadcasts.upstream_id(found)
        return pb.GetBroadcastResponse(broadcast=broadcast_message(found, refusals, upstream_id))

    async def list_broadcasts(
        self, caller: Principal, request: pb.ListBroadcastsRequest
    ) -> pb.ListBroadcastsResponse:
        """A page, newest first."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        query, scope = broadcast_query_of(request, account_id)
        return list_response(await self._broadcasts.page(query), query, scope)

    async def update_broadcast(
        self, caller: Principal, request: pb.UpdateBroadcastRequest
    ) -> pb.UpdateBroadcastResponse:
        """Replace all that was asked for, before it begins."""
        account_id = await account_for(self._gate.keys, caller, request.request.account_id)
        number = broadcast_number(request.broadcast_id)
        try:
            wish = wish_of(request.request, account_id, self._clock.now_us())
            changed = await self._broadcasts.edit(number, wish, stored_request(request.request))
        except BrokerError as error:
            raise within_request(error) from None
        return pb.UpdateBroadcastResponse(broadcast=broadcast_message(changed))

    async def start_broadcast(
        self, caller: Principal, request: pb.StartBroadcastRequest
    ) -> pb.StartBroadcastResponse:
        """Start a draft."""
        return pb.StartBroadcastResponse(broadcast=await self._move(caller, request, Move.START))

    async def suspend_broadcast(
        self, caller: Principal, request: pb.SuspendBroadcastRequest
    ) -> pb.SuspendBroadcastResponse:
        """Hold it."""
        return pb.SuspendBroadcastResponse(broadcast=await self._move(caller, request, Move.SUSPEND))

    async def resume_broadcast(
        self, caller: Principal, request: pb.ResumeBroadcastRequest
    ) -> pb.ResumeBroadcastResponse:
        """Let it go on."""
        return pb.ResumeBroadcastResponse(broadcast=await self._move(caller, request, Move.RESUME))

    async def stop_broadcast(
        self, caller: Principal, request: pb.StopBroadcastRequest
    ) -> pb.StopBroadcastResponse:
        """End it."""
        return pb.StopBroadcastResponse(broadcast=await self._move(caller, request, Move.STOP))

    async def delete_broadcast(
        self, caller: Principal, request: pb.DeleteBroadcastRequest
    ) -> pb.DeleteBroadcastResponse:
        """Remove it."""
        return pb.DeleteBroadcastResponse(broadcast=await self._move(caller, request, Move.DELETE))

    async def _move(self, caller: Principal, request: _Named, move: Move) -> broadcast_pb2.Broadcast:
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        moved = await self._broadcasts.move(account_id, broadcast_number(request.broadcast_id), move)
        return broadcast_message(moved)
