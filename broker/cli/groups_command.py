"""`waypost groups`: groups of contacts, and who is in them."""

import asyncio
from contextlib import aclosing
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
    from waypost.v1 import directory_pb2

Description = Annotated[str | None, typer.Option(help="What it is for.")]


def list_groups(
    name: Annotated[str, typer.Option(metavar="PREFIX", help="Whose name starts so.")] = "",
    contact: Annotated[str, typer.Option(metavar="CONTACT", help="That this contact is in.")] = "",
    limit: option.Limit = option.LIMIT_DEFAULT,
    json: option.Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """List groups."""
    from broker.cli.connection import Target

    where = Target(target, key, data_dir, tls, tls_ca)
    return asyncio.run(_list(where, name, contact, limit, json=json))


def show_group(
    group: option.GroupRef,
    json: option.Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Show one group. `waypost contacts list --group GROUP` lists who is in it."""
    from broker.cli.connection import Target

    return asyncio.run(_show(Target(target, key, data_dir, tls, tls_ca), group, json=json))


def create_group(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    description: Description = None,
    json: option.Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Add a group."""
    from broker.cli.connection import Target

    where = Target(target, key, data_dir, tls, tls_ca)
    return asyncio.run(_create(where, name, description or "", json=json))


def update_group(
    group: option.GroupRef,
    name: Annotated[str | None, typer.Option(help="Its new name.")] = None,
    description: Description = None,
    json: option.Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Rename or describe a group."""
    from broker.cli.connection import Target

    if name is None and description is None:
        raise UsageError("nothing to change: give --name or --description")
    where = Target(target, key, data_dir, tls, tls_ca)
    return asyncio.run(_update(where, group, name, description, json=json))


def delete_group(
    group: option.GroupRef,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Remove a group. Its contacts stay."""
    from broker.cli.connection import Target

    return asyncio.run(_delete(Target(target, key, data_dir, tls, tls_ca), group))


def add_members(
    group: option.GroupRef,
    contacts: option.Refs,
    json: option.Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Put contacts into a group.

    waypost groups add "Year 7" PL-1 PL-2
    """
    from broker.cli.connection import Target

    where = Target(target, key, data_dir, tls, tls_ca)
    return asyncio.run(_move(where, group, contacts, adding=True, json=json))


def remove_members(
    group: option.GroupRef,
    contacts: option.Refs,
    json: option.Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Take contacts out of a group."""
    from broker.cli.connection import Target

    where = Target(target, key, data_dir, tls, tls_ca)
    return asyncio.run(_move(where, group, contacts, adding=False, json=json))


async def _list(target: "Target", name: str, contact: str, limit: int, *, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import Listed, contact_id_of
    from broker.cli.json_lines import fields_of, print_line
    from waypost.v1 import directory_pb2
    from waypost.v1 import directory_service_pb2 as pb

    found = []
    async with connected(target) as connection:
        wanted = directory_pb2.GroupFilter(name_prefix=name)
        if contact:
            wanted.contact_id = await contact_id_of(connection, contact)
        listed = Listed(connection, connection.directory.ListGroups, limit)
        async with aclosing(listed.items(pb.ListGroupsRequest(filter=wanted), "groups")) as groups:
            async for group in groups:
                if json:
                    print_line(fields_of(group))
                else:
                    found.append(group)
    if not json:
        from broker.cli.directory_tables import groups_table
        from broker.cli.tables import stdout_console

        stdout_console().print(groups_table(found, more=listed.more))
    return ExitCode.OK


async def _show(target: "Target", ref: str, *, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import find_group

    async with connected(target) as connection:
        group = await find_group(connection, ref)
    if json:
        from broker.cli.json_lines import fields_of, print_line

        print_line({"group": fields_of(group)})
        return ExitCode.OK
    from broker.cli.directory_tables import group_card
    from broker.cli.tables import stdout_console

    stdout_console().print(group_card(group))
    return ExitCode.OK


async def _create(target: "Target", name: str, description: str, *, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import ask
    from waypost.v1 import directory_pb2
    from waypost.v1 import directory_service_pb2 as pb

    request = pb.CreateGroupRequest(group=directory_pb2.Group(name=name, description=description))
    async with connected(target) as connection:
        response = await ask(connection, connection.directory.CreateGroup, request)
    _tell(response.group, "is added", json=json)
    return ExitCode.OK


async def _update(
    target: "Target", ref: str, name: str | None, description: str | None, *, json: bool
) -> int:
    from google.protobuf.field_mask_pb2 import FieldMask

    from broker.cli.connection import connected
    from broker.cli.directory_calls import ask, find_group
    from waypost.v1 import directory_pb2
    from waypost.v1 import directory_service_pb2 as pb

    given = {"name": name, "description": description}
    mask = FieldMask(paths=[field for field, value in given.items() if value is not None])
    async with connected(target) as connection:
        group_id = (await find_group(connection, ref)).group_id
        request = pb.UpdateGroupRequest(
            group=directory_pb2.Group(group_id=group_id, name=name or "", description=description or ""),
            update_mask=mask,
        )
        response = await ask(connection, connection.directory.UpdateGroup, request)
    _tell(response.group, "is changed", json=json)
    return ExitCode.OK


async def _delete(target: "Target", ref: str) -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import ask, find_group
    from broker.cli.wording import printable
    from waypost.v1 import directory_service_pb2 as pb

    async with connected(target) as connection:
        group_id = (await find_group(connection, ref)).group_id
        await ask(connection, connection.directory.DeleteGroup, pb.DeleteGroupRequest(group_id=group_id))
    print(f"{printable(ref)} is deleted")
    return ExitCode.OK


async def _move(target: "Target", ref: str, contacts: list[str], *, adding: bool, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.contact_words import ids_of
    from broker.cli.directory_calls import MEMBERS_MAX, ask, find_group
    from waypost.v1 import directory_service_pb2 as pb

    moved = 0
    async with connected(target) as connection:
        group = await find_group(connection, ref)
        for start in range(0, len(contacts), MEMBERS_MAX):
            ids = [ids_of(each) for each in contacts[start : start + MEMBERS_MAX]]
            by_id = [each.contact_id for each in ids if each.contact_id]
            own = [each.external_id for each in ids if each.external_id]
            if adding:
                coming = pb.AddGroupMembersRequest(
                    group_id=group.group_id, contact_ids=by_id, external_ids=own
                )
                added = await ask(connection, connection.directory.AddGroupMembers, coming)
                group, moved = added.group, moved + added.added
            else:
                going = pb.RemoveGroupMembersRequest(
                    group_id=group.group_id, contact_ids=by_id, external_ids=own
                )
                removed = await ask(connection, connection.directory.RemoveGroupMembers, going)
                group, moved = removed.group, moved + removed.removed
    _tell(group, f"has {group.member_count:,} members, {moved:,} {'more' if adding else 'fewer'}", json=json)
    return ExitCode.OK


def _tell(group: "directory_pb2.Group", what: str, *, json: bool) -> None:
    from broker.cli.json_lines import fields_of, print_line
    from broker.cli.wording import printable

    if json:
        print_line({"group": fields_of(group)})
    else:
        print(f"{group.group_id} {printable(group.name)} {what}")
