"""DirectoryService: contacts, groups, and who is in them."""

from collections.abc import Mapping

from broker.api.auth import account_for
from broker.api.convert.directory import (
    CONTACT_FIELDS,
    GROUP_FIELDS,
    card_of,
    contact_message,
    delegates_of,
    group_message,
    label_of,
    masked_fields,
    ref_of,
    refs_of,
    refuse_given,
    version_of,
    with_external_id,
)
from broker.api.convert.directory_pages import (
    contact_query_of,
    contact_token,
    group_query_of,
    group_token,
    member_query_of,
)
from broker.api.convert.findings import Findings
from broker.api.gate import Access, Gate
from broker.api.rpc import Method, Unary
from broker.delivery.directory import ContactUpdate, Directory
from broker.delivery.policies import Policies
from broker.domain.access import Principal
from broker.domain.directory import Card
from broker.domain.ids import parse_id
from broker.errors import BrokerError, ErrorReason
from waypost.v1 import directory_service_pb2 as pb

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["DirectoryService"]


class DirectoryService:
    """Any key may read; keys that may send may write."""

    def __init__(self, *, gate: Gate, directory: Directory, policies: Policies) -> None:
        self._gate = gate
        self._directory = directory
        self._policies = policies

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {
            "CreateContact": Unary(self.create_contact, Access.SEND),
            "GetContact": Unary(self.get_contact, Access.READ),
            "ListContacts": Unary(self.list_contacts, Access.READ),
            "UpdateContact": Unary(self.update_contact, Access.SEND),
            "DeleteContact": Unary(self.delete_contact, Access.SEND),
            "CreateGroup": Unary(self.create_group, Access.SEND),
            "GetGroup": Unary(self.get_group, Access.READ),
            "ListGroups": Unary(self.list_groups, Access.READ),
            "UpdateGroup": Unary(self.update_group, Access.SEND),
            "DeleteGroup": Unary(self.delete_group, Access.SEND),
            "AddGroupMembers": Unary(self.add_group_members, Access.SEND),
            "RemoveGroupMembers": Unary(self.remove_group_members, Access.SEND),
            "ListGroupMembers": Unary(self.list_group_members, Access.READ),
        }

    async def create_contact(
        self, caller: Principal, request: pb.CreateContactRequest
    ) -> pb.CreateContactResponse:
        """Add a contact."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        findings = Findings()
        refuse_given("contact", request.contact, ("contact_id", "etag"), findings)
        card = card_of(request.contact, findings, await self._policies.region_of(account_id))
        delegates = delegates_of(request.contact, findings)
        if not request.contact.ByteSize():
            findings.broke("contact", "must not be empty")
        findings.refuse()
        contact = await self._directory.create_contact(account_id, card, delegates)
        return pb.CreateContactResponse(contact=contact_message(contact))

    async def get_contact(self, caller: Principal, request: pb.GetContactRequest) -> pb.GetContactResponse:
        """One contact, by either id."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        findings = Findings()
        ref = ref_of(request.contact_id, request.external_id, findings)
        findings.refuse()
        contact = await self._directory.contact(account_id, ref)
        return pb.GetContactResponse(contact=contact_message(contact))

    async def list_contacts(
        self, caller: Principal, request: pb.ListContactsRequest
    ) -> pb.ListContactsResponse:
        """A page of contacts."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        query = contact_query_of(request, account_id, await self._policies.region_of(account_id))
        page = await self._directory.contacts(query)
        return pb.ListContactsResponse(
            contacts=[contact_message(each) for each in page.contacts],
            next_page_token=contact_token(page.next_place, query),
        )

    async def update_contact(
        self, caller: Principal, request: pb.UpdateContactRequest
    ) -> pb.UpdateContactResponse:
        """Change a contact, or add it where that is allowed."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        update = _update_of(request, await self._policies.region_of(account_id))
        contact = await self._directory.update_contact(account_id, update)
        return pb.UpdateContactResponse(contact=contact_message(contact))

    async def delete_contact(
        self, caller: Principal, request: pb.DeleteContactRequest
    ) -> pb.DeleteContactResponse:
        """Remove a contact."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        findings = Findings()
        ref = ref_of(request.contact_id, request.external_id, findings)
        findings.refuse()
        await self._directory.delete_contact(account_id, ref, version_of(request.etag))
        return pb.DeleteContactResponse()

    async def create_group(self, caller: Principal, request: pb.CreateGroupRequest) -> pb.CreateGroupResponse:
        """Add a group."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        findings = Findings()
        refuse_given("group", request.group, ("group_id", "etag"), findings)
        label = label_of(request.group, findings, named=True)
        findings.refuse()
        group = await self._directory.create_group(account_id, label)
        return pb.CreateGroupResponse(group=group_message(group))

    async def get_group(self, caller: Principal, request: pb.GetGroupRequest) -> pb.GetGroupResponse:
        """One group."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        group = await self._directory.group(account_id, _group_id("group_id", request.group_id))
        return pb.GetGroupResponse(group=group_message(group))

    async def list_groups(self, caller: Principal, request: pb.ListGroupsRequest) -> pb.ListGroupsResponse:
        """A page of groups."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        query = group_query_of(request, account_id)
        page = await self._directory.groups(query)
        return pb.ListGroupsResponse(
            groups=[group_message(each) for each in page.groups],
            next_page_token=group_token(page.next_place, query),
        )

    async def update_group(self, caller: Principal, request: pb.UpdateGroupRequest) -> pb.UpdateGroupResponse:
        """Change a group."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        group_id = _group_id("group.group_id", request.group.group_id)
        findings = Findings()
        fields = masked_fields(request.update_mask, GROUP_FIELDS, request.group, findings)
        label = label_of(request.group, findings, named="name" in fields)
        findings.refuse()
        group = await self._directory.update_group(
            account_id,
            group_id,
            name=label.name if "name" in fields else None,
            description=label.description if "description" in fields else None,
            version=version_of(request.group.etag),
        )
        return pb.UpdateGroupResponse(group=group_message(group))

    async def delete_group(self, caller: Principal, request: pb.DeleteGroupRequest) -> pb.DeleteGroupResponse:
        """Remove a group."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        group_id = _group_id("group_id", request.group_id)
        await self._directory.delete_group(account_id, group_id, version_of(request.etag))
        return pb.DeleteGroupResponse()

    async def add_group_members(
        self, caller: Principal, request: pb.AddGroupMembersRequest
    ) -> pb.AddGroupMembersResponse:
        """Put contacts into a group."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        group_id = _group_id("group_id", request.group_id)
        findings = Findings()
        refs = refs_of(request.contact_ids, request.external_ids, findings)
        findings.refuse()
        saved = await self._directory.add_members(account_id, group_id, refs)
        return pb.AddGroupMembersResponse(group=group_message(saved.group), added=saved.moved)

    async def remove_group_members(
        self, caller: Principal, request: pb.RemoveGroupMembersRequest
    ) -> pb.RemoveGroupMembersResponse:
        """Take contacts out of a group."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        group_id = _group_id("group_id", request.group_id)
        findings = Findings()
        refs = refs_of(request.contact_ids, request.external_ids, findings)
        findings.refuse()
        saved = await self._directory.remove_members(account_id, group_id, refs)
        return pb.RemoveGroupMembersResponse(group=group_message(saved.group), removed=saved.moved)

    async def list_group_members(
        self, caller: Principal, request: pb.ListGroupMembersRequest
    ) -> pb.ListGroupMembersResponse:
        """A page of a group's contacts."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        group_id = _group_id("group_id", request.group_id)
        query = member_query_of(request, account_id, group_id)
        await self._directory.group(account_id, group_id)
        page = await self._directory.contacts(query)
        return pb.ListGroupMembersResponse(
            contacts=[contact_message(each) for each in page.contacts],
            next_page_token=contact_token(page.next_place, query),
        )


def _update_of(request: pb.UpdateContactRequest, region: str) -> ContactUpdate:
    findings = Findings()
    contact = request.contact
    ref = ref_of(contact.contact_id, request.external_id, findings, ("contact.contact_id", "external_id"))
    card, delegates = card_of(contact, findings, region), delegates_of(contact, findings)
    fields = masked_fields(request.update_mask, CONTACT_FIELDS, contact, findings)
    otherwise: Card | None = None
    if request.allow_missing and request.external_id:
        otherwise = with_external_id(card, request.external_id, findings)
    elif request.allow_missing:
        findings.broke("allow_missing", "needs external_id: the broker gives contact_ids")
    findings.refuse()
    return ContactUpdate(ref, card, delegates, fields, version_of(contact.etag), otherwise)


def _group_id(field: str, text: str) -> int:
    """The id of a request. What is no id names no group."""
    if not text:
        findings = Findings()
        findings.broke(field, "must not be empty")
        findings.refuse()
    number = parse_id(text)
    if number is None:
        raise BrokerError(ErrorReason.GROUP_NOT_FOUND)
    return number
