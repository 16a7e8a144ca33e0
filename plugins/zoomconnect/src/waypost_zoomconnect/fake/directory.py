"""The fake's contacts, groups and templates. Groups tell their members by links, as its answers link records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from waypost_zoomconnect.fake.wire import Refused

PAGE_SIZE = 100
CONTACT_FIELDS = ("title", "firstName", "lastName", "contactNumber")


@dataclass(slots=True)
class Directory:
    """All records by id. `tells_members` is whether a group's own record links to its contacts."""

    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    tells_members: bool = True
    last_id: int = 1_000

    def _new_id(self) -> str:
        self.last_id += 1
        return str(self.last_id)

    def add_contact(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """A contact; its number is needed. Answers it with its id."""
        if not document.get("contactNumber"):
            raise Refused(400, "Invalid mobile number", 2)
        found = self._new_id()
        self.contacts[found] = {"contactId": found, **{name: document.get(name) for name in CONTACT_FIELDS}}
        return self.contacts[found]

    def update_contact(self, contact_id: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Change the fields that are there."""
        record = self.one("contacts", contact_id)
        record |= {name: document[name] for name in CONTACT_FIELDS if name in document}
        return record

    def add_group(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """A group; its name is needed."""
        if not document.get("name"):
            raise Refused(400, "Invalid name")
        found = self._new_id()
        self.groups[found] = {"groupId": found, "name": document["name"]}
        self.members[found] = []
        return self.groups[found]

    def update_group(self, group_id: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Rename it."""
        record = self.one("groups", group_id)
        record["name"] = document.get("name") or record["name"]
        return record

    def add_template(self, name: str, text: str) -> str:
        """A template, as somebody makes one on ZoomConnect's pages; answers its id."""
        found = self._new_id()
        self.templates[found] = {"templateId": int(found), "name": name, "data": text}
        return found

    def one(self, kind: str, record_id: str) -> dict[str, Any]:
        """A record; raises Refused where there is none."""
        records: dict[str, dict[str, Any]] = getattr(self, kind)
        if record_id not in records:
            raise Refused(404)
        return records[record_id]

    def details(self, kind: str, record_id: str) -> dict[str, Any]:
        """A record with its links."""
        record = dict(self.one(kind, record_id))
        if kind == "groups" and self.tells_members:
            linked = [f"/app/api/rest/v1/contacts/{each}" for each in self.members[record_id]]
            record["links"] = [{"rel": "contact", "href": each} for each in linked]
        return record

    def delete(self, kind: str, record_id: str) -> None:
        """A contact leaves its groups with it."""
        self.one(kind, record_id)
        del getattr(self, kind)[record_id]
        if kind == "groups":
            del self.members[record_id]
        for members in self.members.values():
            if kind == "contacts" and record_id in members:
                members.remove(record_id)

    def join(self, contact_id: str, group_id: str) -> None:
        """Who is in a group stays in it."""
        self.one("contacts", contact_id)
        self.one("groups", group_id)
        if contact_id not in self.members[group_id]:
            self.members[group_id].append(contact_id)

    def leave(self, contact_id: str, group_id: str) -> None:
        """Who is not in it stays out."""
        self.one("contacts", contact_id)
        self.one("groups", group_id)
        if contact_id in self.members[group_id]:
            self.members[group_id].remove(contact_id)

    def page(self, kind: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """A page of all records of a kind."""
        records = list(getattr(self, kind).values())
        size, number = int(query.get("pageSize") or PAGE_SIZE), int(query.get("page") or 1)
        return records[(number - 1) * size : number * size]
