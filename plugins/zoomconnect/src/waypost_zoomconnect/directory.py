"""ZoomConnect's contacts, groups and templates: calls, and the records in their answers. No I/O."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from waypost_zoomconnect.exchange import Answer, Call, fields, identity, texts

LISTS: Mapping[str, str] = {
    "contacts": "webServiceContacts",
    "groups": "webServiceGroups",
    "templates": "webServiceTemplates",
}
"""Where the pages of each kind hold their records."""

IDS: Mapping[str, str] = {"contacts": "contactId", "groups": "groupId", "templates": "templateId"}
MEMBER = re.compile(r"/contacts/([A-Za-z0-9-]{1,64})$")

Kind = Literal["contacts", "groups", "templates"]
Side = Literal["contact", "group"]
"""Whether a membership is changed below the contact's path or below the group's: ZoomConnect has both."""


@dataclass(frozen=True, slots=True)
class ZoomContact:
    """A contact as ZoomConnect has it; `number` as it is written there. `contact_id` is empty for a new one."""

    contact_id: str
    number: str
    title: str = ""
    first_name: str = ""
    last_name: str = ""

    @property
    def document(self) -> dict[str, str]:
        """As ZoomConnect takes it; an id is in the path where there is one."""
        return {
            "title": self.title,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "contactNumber": self.number,
        }


@dataclass(frozen=True, slots=True)
class ZoomGroup:
    """A group; `members` are ids of contacts, None where ZoomConnect does not tell them."""

    group_id: str
    name: str
    members: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class ZoomTemplate:
    """A template, which is a name and a text."""

    template_id: str
    name: str
    text: str


def page_call(kind: Kind, page: int, page_size: int) -> Call:
    """A page of all records of a kind, from 1."""
    return Call("GET", f"{kind}/all", {"page": str(page), "pageSize": str(page_size)})


def get_call(kind: Kind, record_id: str) -> Call:
    """One record."""
    return Call("GET", f"{kind}/{record_id}")


def delete_call(kind: Kind, record_id: str) -> Call:
    """Delete one record."""
    return Call("DELETE", f"{kind}/{record_id}")


def contact_call(contact: ZoomContact) -> Call:
    """Create a contact, or update the one that has its id."""
    path = contact.contact_id or "create"
    return Call("POST", f"contacts/{path}", document=contact.document)


def group_call(group: ZoomGroup) -> Call:
    """Create a group, or rename the one that has its id."""
    return Call("POST", f"groups/{group.group_id or 'create'}", document={"name": group.name})


def join_call(contact_id: str, group_id: str, side: Side) -> Call:
    """Put a contact into a group."""
    if side == "group":
        return Call("POST", f"groups/{group_id}/addContact/{contact_id}")
    return Call("POST", f"contacts/{contact_id}/addToGroup/{group_id}")


def leave_call(contact_id: str, group_id: str, side: Side) -> Call:
    """Take a contact out of a group: on the contact's side that is called addFromGroup."""
    if side == "group":
        return Call("POST", f"groups/{group_id}/removeContact/{contact_id}")
    return Call("POST", f"contacts/{contact_id}/addFromGroup/{group_id}")


def page_records(kind: Kind, answer: Answer) -> list[Mapping[str, Any]] | None:
    """The records on a page that have an id; None where the answer is no such page."""
    found = fields(answer.document).get(LISTS[kind]) if answer.ok else None
    if not isinstance(found, list):
        return None
    return [fields(each) for each in found if identity(fields(each).get(IDS[kind]))]


def contact(record: Mapping[str, Any]) -> ZoomContact:
    """A contact's record; what is missing is empty."""
    told = texts(record, ("contactNumber", "title", "firstName", "lastName"))
    return ZoomContact(
        identity(record.get("contactId")),
        told.get("contactNumber", "").strip(),
        told.get("title", ""),
        told.get("firstName", ""),
        told.get("lastName", ""),
    )


def group(record: Mapping[str, Any]) -> ZoomGroup:
    """A group's record. Its members are told by links to contacts or by a list of them, or not at all."""
    name = texts(record, ("name",)).get("name", "")
    return ZoomGroup(identity(record.get("groupId")), name, _members(record))


def _members(record: Mapping[str, Any]) -> frozenset[str] | None:
    listed, links = record.get("webServiceContacts"), record.get("links")
    if isinstance(listed, list):
        return frozenset(identity(fields(each).get("contactId")) for each in listed) - {""}
    if not isinstance(links, list):
        return None
    addresses = [_address(each) for each in links]
    told = [found[1] for each in addresses if (found := MEMBER.search(each))]
    return frozenset(told) if told else None


def _address(link: object) -> str:
    return texts(fields(link), ("href",)).get("href", "")


def template(record: Mapping[str, Any]) -> ZoomTemplate:
    """A template's record."""
    told = texts(record, ("name", "data"))
    return ZoomTemplate(identity(record.get("templateId")), told.get("name", ""), told.get("data", ""))


def created_id(kind: Kind, answer: Answer) -> str:
    """The id of what was created; empty where the answer tells none."""
    return identity(fields(answer.document).get(IDS[kind])) if answer.ok else ""


def newcomers(found: Sequence[Mapping[str, Any]], kind: Kind, known: set[str]) -> list[Mapping[str, Any]]:
    """Records whose id was not on an earlier page; where there are none, the last page was the last."""
    return [each for each in found if identity(each[IDS[kind]]) not in known]
