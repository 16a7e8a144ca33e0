"""Asking the broker about its directory."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeVar

import grpc
import grpc.aio

from broker.cli.connection import CALL_TIMEOUT_S, Connection, fail
from broker.cli.contact_words import ids_of
from waypost.v1 import directory_pb2
from waypost.v1 import directory_service_pb2 as pb

PAGE_SIZE_MAX = 1_000
"""As many as the broker lists at once."""

MEMBERS_MAX = 1_000
"""Contacts of one call."""

Request = TypeVar("Request")
Response = TypeVar("Response")


async def ask(
    connection: Connection, method: Callable[..., Awaitable[Response]], request: Request
) -> Response:
    """One call; a failure becomes CommandFailed with the broker's words."""
    try:
        return await method(request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S)
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)


class Listed:
    """What a list call finds, page by page. `more` tells, after the last, whether there is more than the limit."""

    def __init__(self, connection: Connection, method: Callable[..., Awaitable[Any]], limit: int) -> None:
        self.more = False
        self._connection = connection
        self._method = method
        self._limit = limit

    async def items(self, request: Any, field: str) -> AsyncGenerator[Any, None]:
        """Each of them, from the response's field."""
        left = self._limit
        while left > 0:
            request.page_size = min(left, PAGE_SIZE_MAX)
            page = await ask(self._connection, self._method, request)
            for item in getattr(page, field):
                yield item
                left -= 1
            request.page_token = page.next_page_token
            self.more = bool(page.next_page_token)
            if not page.next_page_token:
                return


async def find_group(connection: Connection, ref: str) -> directory_pb2.Group:
    """A group by its whole name, whose case does not matter, or by its id. Raises CommandFailed for none."""
    wanted = pb.ListGroupsRequest(filter=directory_pb2.GroupFilter(name_prefix=ref), page_size=1)
    page = await ask(connection, connection.directory.ListGroups, wanted)
    for group in page.groups:  # in the order of names the whole name comes before its continuations
        if group.name.casefold().split() == ref.casefold().split():
            return group
    request = pb.GetGroupRequest(group_id=ref)
    return (await ask(connection, connection.directory.GetGroup, request)).group


async def contact_id_of(connection: Connection, ref: str) -> str:
    """The broker's id of a contact that may be named by one of the caller's."""
    ids = ids_of(ref)
    if ids.contact_id:
        return ids.contact_id
    request = pb.GetContactRequest(external_id=ids.external_id)
    response = await ask(connection, connection.directory.GetContact, request)
    return response.contact.contact_id
