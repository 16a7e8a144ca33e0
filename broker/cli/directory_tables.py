"""Contacts and groups for people."""

from collections.abc import Sequence

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.text import Text

from broker.cli.grid import Column, card, grid
from broker.cli.wording import local_time, word_of
from waypost.v1 import channel_pb2, directory_pb2

_CONTACTS = (
    Column("contact id"),
    Column("your ids", rare=True),
    Column("name"),
    Column("organisation", rare=True),
    Column("phone", rare=True),
    Column("email", rare=True),
    Column("channels", rare=True),
    Column("delegates", right=True, rare=True),
)
_GROUPS = (
    Column("group id"),
    Column("name"),
    Column("members", right=True),
    Column("description", rare=True),
)


def contacts_table(contacts: Sequence[directory_pb2.Contact], *, more: bool) -> RenderableType:
    """A row for each contact, and whether there are more."""
    return _listed(
        "contact", grid(_CONTACTS, [_contact_cells(each) for each in contacts]), len(contacts), more
    )


def groups_table(groups: Sequence[directory_pb2.Group], *, more: bool) -> RenderableType:
    """A row for each group, and whether there are more."""
    rows = [(each.group_id, each.name, f"{each.member_count:,}", each.description) for each in groups]
    return _listed("group", grid(_GROUPS, rows), len(groups), more)


def contact_card(contact: directory_pb2.Contact, groups: Sequence[directory_pb2.Group]) -> RenderableType:
    """All that is known about one contact."""
    facts = [
        ("contact", contact.contact_id),
        ("your ids", ", ".join(contact.external_ids)),
        ("name", name_of(contact)),
        ("organisation", contact.organisation),
        ("phone", ", ".join(contact.phone_numbers)),
        ("email", ", ".join(contact.emails)),
        ("device tokens", ", ".join(contact.device_tokens)),
        ("channels", _channels(contact)),
        ("locale", contact.locale),
        ("time zone", contact.time_zone),
        *((f"property {name}", contact.properties[name]) for name in sorted(contact.properties)),
        *(("delegate", _delegate(each)) for each in contact.delegates),
        ("groups", ", ".join(each.name for each in groups)),
        ("created", local_time(contact.create_time)),
        ("updated", local_time(contact.update_time)),
    ]
    return card(facts, {})


def group_card(group: directory_pb2.Group) -> RenderableType:
    """All that is known about one group."""
    facts = [
        ("group", group.group_id),
        ("name", group.name),
        ("description", group.description),
        ("members", f"{group.member_count:,}"),
        ("created", local_time(group.create_time)),
        ("updated", local_time(group.update_time)),
    ]
    return card(facts, {})


def name_of(contact: directory_pb2.Contact) -> str:
    """A contact's whole name."""
    return " ".join(filter(None, (contact.title, contact.first_name, contact.last_name)))


def _listed(what: str, table: RenderableType, count: int, more: bool) -> RenderableType:
    if not count:
        return Text(f"no {what} matches")
    summary = f"{count:,} {what}{'s' if count > 1 else ''}"
    return Stack(table, "", Text(f"{summary}; there are more: raise --limit" if more else summary))


def _contact_cells(contact: directory_pb2.Contact) -> Sequence[str]:
    return (
        contact.contact_id,
        ", ".join(contact.external_ids),
        name_of(contact),
        contact.organisation,
        _first(contact.phone_numbers),
        _first(contact.emails),
        _channels(contact),
        str(len(contact.delegates) or ""),
    )


def _first(addresses: Sequence[str]) -> str:
    if not addresses:
        return ""
    return addresses[0] if len(addresses) == 1 else f"{addresses[0]} +{len(addresses) - 1}"


def _channels(contact: directory_pb2.Contact) -> str:
    return ", ".join(word_of(channel_pb2.Channel.DESCRIPTOR, each).lower() for each in contact.channels)


def _delegate(delegate: directory_pb2.Delegate) -> str:
    words = filter(None, (delegate.relation, "priority" if delegate.priority else ""))
    told = ", ".join(words)
    return f"{delegate.contact_id} ({told})" if told else delegate.contact_id
