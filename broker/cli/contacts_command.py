"""`waypost contacts`: the people of the directory, looked up, written down, and brought in from a file."""

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli import contact_options as option
from broker.cli.exit_codes import ExitCode
from broker.cli.failures import UsageError
from broker.cli.options import (
    DATA_DIR_DEFAULT,
    TARGET_DEFAULT,
    DataDirOption,
    KeyOption,
    TargetOption,
    TlsCaOption,
    TlsOption,
)

if TYPE_CHECKING:
    from broker.cli.connection import Target
    from broker.cli.contact_words import ContactWords
    from waypost.v1 import directory_pb2


def list_contacts(
    name: Annotated[str, typer.Option(metavar="PREFIX", help="Whose name starts so.")] = "",
    phone: Annotated[str, typer.Option(help="Who has this number.")] = "",
    email: Annotated[str, typer.Option(help="Who has this mailbox.")] = "",
    group: Annotated[str, typer.Option(metavar="GROUP", help="Who is in this group.")] = "",
    limit: option.Limit = option.LIMIT_DEFAULT,
    json: option.Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """List contacts.

    waypost contacts list --name lovelace --group "Year 7"
    """
    from broker.cli.connection import Target
    from waypost.v1 import directory_pb2

    wanted = directory_pb2.ContactFilter(name_prefix=name, phone_number=phone, email=email)
    where = Target(target, key, data_dir, tls, tls_ca)
    return asyncio.run(_list(where, wanted, group, limit, json=json))


def show_contact(
    contact: option.Ref,
    json: option.Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Show one contact, with its groups."""
    from broker.cli.connection import Target

    return asyncio.run(_show(Target(target, key, data_dir, tls, tls_ca), contact, json=json))


def create_contact(
    external_id: option.ExternalIds = None,
    title: option.Title = None,
    first_name: option.FirstName = None,
    last_name: option.LastName = None,
    organisation: option.Organisation = None,
    phone: option.Phones = None,
    email: option.Emails = None,
    channel: option.Channels = None,
    locale: option.Locale = None,
    time_zone: option.TimeZone = None,
    property_: option.Properties = None,
    delegate: option.Delegates = None,
    priority: option.Priority = None,
    json: option.Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Add a contact.

    waypost contacts create --external-id PL-1 --first-name Ada --delegate PC-1=mother --priority PC-1
    """
    from broker.cli.connection import Target
    from broker.cli.contact_words import ContactWords

    words = ContactWords(
        external_id,
        title,
        first_name,
        last_name,
        organisation,
        phone,
        email,
        None,
        channel,
        locale,
        time_zone,
        property_,
        delegate,
        priority,
    )
    return asyncio.run(_create(Target(target, key, data_dir, tls, tls_ca), words, json=json))


def update_contact(
    contact: option.Ref,
    external_id: option.ExternalIds = None,
    title: option.Title = None,
    first_name: option.FirstName = None,
    last_name: option.LastName = None,
    organisation: option.Organisation = None,
    phone: option.Phones = None,
    email: option.Emails = None,
    channel: option.Channels = None,
    locale: option.Locale = None,
    time_zone: option.TimeZone = None,
    property_: option.Properties = None,
    delegate: option.Delegates = None,
    priority: option.Priority = None,
    clear: option.Clear = None,
    json: option.Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Change the fields that are given; a list replaces the whole list."""
    from broker.cli.connection import Target
    from broker.cli.contact_words import ContactWords

    words = ContactWords(
        external_id,
        title,
        first_name,
        last_name,
        organisation,
        phone,
        email,
        None,
        channel,
        locale,
        time_zone,
        property_,
        delegate,
        priority,
    )
    cleared = [each.value for each in clear or ()]
    if not (words.given or cleared):
        raise UsageError("nothing to change: give a field, or --clear one")
    if both := sorted({*words.given} & {*cleared}):
        raise UsageError(f"{both[0]} is both given and cleared")
    where = Target(target, key, data_dir, tls, tls_ca)
    return asyncio.run(_update(where, contact, words, cleared, json=json))


def delete_contact(
    contact: option.Ref,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Remove a contact, also from its groups and as a delegate of others."""
    from broker.cli.connection import Target

    return asyncio.run(_delete(Target(target, key, data_dir, tls, tls_ca), contact))


def import_contacts(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header; see the documentation.")],
    json: Annotated[bool, typer.Option("--json", help="Each line that is refused, and the counts.")] = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Add the contacts of a CSV file, and change those that are there by their external_id.

    Exit codes: 0 every line was taken, 1 some were refused (the others were taken), 2 usage
    """
    from broker.cli.connection import Target
    from broker.cli.contact_file import read_contacts
    from broker.cli.contact_import import bring_in

    rows = read_contacts(file)
    return asyncio.run(bring_in(Target(target, key, data_dir, tls, tls_ca), rows, json=json))


async def _list(
    target: "Target", wanted: "directory_pb2.ContactFilter", group: str, limit: int, *, json: bool
) -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import Listed, find_group
    from broker.cli.json_lines import fields_of, print_line
    from waypost.v1 import directory_service_pb2 as pb

    found = []
    async with connected(target) as connection:
        if group:
            wanted.group_id = (await find_group(connection, group)).group_id
        listed = Listed(connection, connection.directory.ListContacts, limit)
        async with aclosing(listed.items(pb.ListContactsRequest(filter=wanted), "contacts")) as contacts:
            async for contact in contacts:
                if json:
                    print_line(fields_of(contact))
                else:
                    found.append(contact)
    if not json:
        from broker.cli.directory_tables import contacts_table
        from broker.cli.tables import stdout_console

        stdout_console().print(contacts_table(found, more=listed.more))
    return ExitCode.OK


async def _show(target: "Target", ref: str, *, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.contact_words import ids_of
    from broker.cli.directory_calls import PAGE_SIZE_MAX, ask
    from broker.cli.json_lines import fields_of, print_line
    from waypost.v1 import directory_pb2
    from waypost.v1 import directory_service_pb2 as pb

    async with connected(target) as connection:
        ids = ids_of(ref)
        request = pb.GetContactRequest(contact_id=ids.contact_id, external_id=ids.external_id)
        contact = (await ask(connection, connection.directory.GetContact, request)).contact
        of_contact = directory_pb2.GroupFilter(contact_id=contact.contact_id)
        wanted = pb.ListGroupsRequest(filter=of_contact, page_size=PAGE_SIZE_MAX)
        groups = (await ask(connection, connection.directory.ListGroups, wanted)).groups
    if json:
        print_line({"contact": fields_of(contact), "groups": [fields_of(each) for each in groups]})
        return ExitCode.OK
    from broker.cli.directory_tables import contact_card
    from broker.cli.tables import stdout_console

    stdout_console().print(contact_card(contact, groups))
    return ExitCode.OK


async def _create(target: "Target", words: "ContactWords", *, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.contact_words import contact_of
    from broker.cli.directory_calls import ask
    from waypost.v1 import directory_service_pb2 as pb

    request = pb.CreateContactRequest(contact=contact_of(words))
    async with connected(target) as connection:
        response = await ask(connection, connection.directory.CreateContact, request)
    _tell(response.contact, "is added", json=json)
    return ExitCode.OK


async def _update(
    target: "Target", ref: str, words: "ContactWords", cleared: list[str], *, json: bool
) -> int:
    from google.protobuf.field_mask_pb2 import FieldMask

    from broker.cli.connection import connected
    from broker.cli.contact_words import contact_of, ids_of
    from broker.cli.directory_calls import ask
    from waypost.v1 import directory_service_pb2 as pb

    contact, ids = contact_of(words), ids_of(ref)
    contact.contact_id = ids.contact_id
    request = pb.UpdateContactRequest(
        contact=contact,
        external_id=ids.external_id,
        update_mask=FieldMask(paths=[*words.given, *cleared]),
    )
    async with connected(target) as connection:
        response = await ask(connection, connection.directory.UpdateContact, request)
    _tell(response.contact, "is changed", json=json)
    return ExitCode.OK


async def _delete(target: "Target", ref: str) -> int:
    from broker.cli.connection import connected
    from broker.cli.contact_words import ids_of
    from broker.cli.directory_calls import ask
    from broker.cli.wording import printable
    from waypost.v1 import directory_service_pb2 as pb

    async with connected(target) as connection:
        ids = ids_of(ref)
        request = pb.DeleteContactRequest(contact_id=ids.contact_id, external_id=ids.external_id)
        await ask(connection, connection.directory.DeleteContact, request)
    print(f"{printable(ref)} is deleted")
    return ExitCode.OK


def _tell(contact: "directory_pb2.Contact", what: str, *, json: bool) -> None:
    from broker.cli.directory_tables import name_of
    from broker.cli.json_lines import fields_of, print_line
    from broker.cli.wording import printable

    if json:
        print_line({"contact": fields_of(contact)})
    else:
        print(" ".join(filter(None, (contact.contact_id, printable(name_of(contact)), what))))
