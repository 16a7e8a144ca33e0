"""The broker as a command sees it: its directory and its templates over gRPC."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any, Final, TypeVar

import grpc
import grpc.aio
from google.protobuf.field_mask_pb2 import FieldMask

from waypost.v1 import (
    directory_pb2,
    directory_service_pb2,
    directory_service_pb2_grpc,
    template_pb2,
    template_service_pb2,
    template_service_pb2_grpc,
)
from waypost_zoomconnect.commands.failures import ABOUT_ONE, CommandFailed, ExitCode, failed_call

CALL_S_MAX: Final = 30.0
PAGE_SIZE: Final = 500
MEMBERS_MAX: Final = 1_000
PAUSE_S: Final = 0.25
PAUSE_S_MAX: Final = 8.0
Answer = TypeVar("Answer")


class Missing(Exception):
    """The broker has no such thing."""


class Refused(Exception):
    """The broker refuses one record; its text says why."""


class Broker:
    """One account of one broker. In a dry run nothing is written."""

    def __init__(self, channel: grpc.aio.Channel, key: str, account_id: str, *, dry: bool = False) -> None:
        self._directory: directory_service_pb2_grpc.DirectoryServiceAsyncStub = (
            directory_service_pb2_grpc.DirectoryServiceStub(channel)
        )
        self._templates: template_service_pb2_grpc.TemplateServiceAsyncStub = (
            template_service_pb2_grpc.TemplateServiceStub(channel)
        )
        self._metadata = [("authorization", f"Bearer {key}")]
        self._account = account_id
        self._dry = dry

    async def _write(self, method: Callable[..., Awaitable[Answer]], request: Any) -> Answer | None:
        """The answer to a call that changes something; None in a dry run."""
        return None if self._dry else await self._call(method, request)

    async def _call(self, method: Callable[..., Awaitable[Answer]], request: Any) -> Answer:
        request.account_id = self._account
        pause_s = PAUSE_S
        while True:
            try:
                return await method(request, metadata=self._metadata, timeout=CALL_S_MAX)
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.NOT_FOUND:
                    raise Missing from None
                if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED or pause_s > PAUSE_S_MAX:
                    raise _refusal(error) from None
            await asyncio.sleep(pause_s)  # the key has a rate of its own
            pause_s *= 2

    async def contact(self, external_id: str) -> directory_pb2.Contact:
        """The contact with an external id. Raises Missing."""
        request = directory_service_pb2.GetContactRequest(external_id=external_id)
        return (await self._call(self._directory.GetContact, request)).contact

    async def create_contact(self, contact: directory_pb2.Contact) -> None:
        """Add a contact. Raises Refused."""
        request = directory_service_pb2.CreateContactRequest(contact=contact)
        await self._write(self._directory.CreateContact, request)

    async def update_contact(self, contact: directory_pb2.Contact, fields: tuple[str, ...]) -> None:
        """Change these fields of the contact with its id and its etag. Raises Refused where it was changed meanwhile."""
        request = directory_service_pb2.UpdateContactRequest(
            contact=contact, update_mask=FieldMask(paths=fields)
        )
        await self._write(self._directory.UpdateContact, request)

    async def contacts(self) -> AsyncIterator[directory_pb2.Contact]:
        """All contacts."""
        request = directory_service_pb2.ListContactsRequest(page_size=PAGE_SIZE)
        async for page in self._pages(self._directory.ListContacts, request):
            for each in page.contacts:
                yield each

    async def groups(self) -> AsyncIterator[directory_pb2.Group]:
        """All groups."""
        request = directory_service_pb2.ListGroupsRequest(page_size=PAGE_SIZE)
        async for page in self._pages(self._directory.ListGroups, request):
            for each in page.groups:
                yield each

    async def members(self, group_id: str) -> AsyncIterator[directory_pb2.Contact]:
        """The contacts of a group."""
        request = directory_service_pb2.ListGroupMembersRequest(group_id=group_id, page_size=PAGE_SIZE)
        async for page in self._pages(self._directory.ListGroupMembers, request):
            for each in page.contacts:
                yield each

    async def create_group(self, name: str) -> directory_pb2.Group:
        """Add a group. Raises Refused."""
        group = directory_pb2.Group(name=name)
        request = directory_service_pb2.CreateGroupRequest(group=group)
        answer = await self._write(self._directory.CreateGroup, request)
        return answer.group if answer else group

    async def add_members(self, group_id: str, external_ids: list[str]) -> int:
        """Put contacts into a group; answers how many were not in it. Raises Missing where one is not there."""
        added = 0
        for first in range(0, len(external_ids), MEMBERS_MAX):
            request = directory_service_pb2.AddGroupMembersRequest(
                group_id=group_id, external_ids=external_ids[first : first + MEMBERS_MAX]
            )
            answer = await self._write(self._directory.AddGroupMembers, request)
            added += answer.added if answer else len(request.external_ids)
        return added

    async def template(self, project: str, name: str) -> template_pb2.Template:
        """A template's newest version. Raises Missing."""
        request = template_service_pb2.GetTemplateRequest(project=project, name=name)
        return (await self._call(self._templates.GetTemplate, request)).template

    async def create_template(self, template: template_pb2.Template) -> None:
        """Store a template's first version. Raises Refused."""
        request = template_service_pb2.CreateTemplateRequest(template=template)
        await self._write(self._templates.CreateTemplate, request)

    async def update_template(self, template: template_pb2.Template, expected_version: int) -> None:
        """Store another version. Raises Refused where somebody was faster."""
        request = template_service_pb2.UpdateTemplateRequest(
            template=template, expected_version=expected_version
        )
        await self._write(self._templates.UpdateTemplate, request)

    async def _pages(self, method: Callable[..., Awaitable[Any]], request: Any) -> AsyncIterator[Any]:
        while True:
            page = await self._call(method, request)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


def _refusal(error: grpc.aio.AioRpcError) -> Exception:
    if error.code() in ABOUT_ONE:
        return Refused(f"{error.code().name}: {error.details()}")
    return failed_call(error)


@asynccontextmanager
async def connected(target: str, key: str, account_id: str, *, dry: bool) -> AsyncIterator[Broker]:
    """The broker at host:port: in plain text on this host, through TLS to any other."""
    if not key:
        raise CommandFailed("no API key: give --key or set WAYPOST_KEY", ExitCode.USAGE)
    channel = (
        grpc.aio.insecure_channel(target)
        if is_loopback(target)
        else grpc.aio.secure_channel(target, grpc.ssl_channel_credentials())
    )
    async with channel:
        yield Broker(channel, key, account_id, dry=dry)


def is_loopback(target: str) -> bool:
    """Whether host:port is on this host."""
    host = target.rpartition(":")[0].removeprefix("[").removesuffix("]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
