"""`waypost templates`: stored content that is sent again and again."""

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from broker.cli.exit_codes import ExitCode
from broker.cli.listing import with_list
from broker.cli.options import (
    DATA_DIR_DEFAULT,
    TARGET_DEFAULT,
    DataDirOption,
    KeyOption,
    TargetOption,
    TlsCaOption,
    TlsOption,
    tokens_of,
)

if TYPE_CHECKING:
    from broker.cli.connection import Target
    from waypost.v1 import content_pb2, template_pb2


class TemplatesGroup(TyperGroup):
    """`templates` alone lists: the sub-command may be left out."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put in the sub-command that was left out."""
        return super().parse_args(ctx, with_list(ctx, args))


Name = Annotated[
    str, typer.Argument(metavar="NAME", help='Its name, with its project before it as "shop/bill".')
]
File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="The template as TOML, or in a .json file as `show --json` prints it."
    ),
]
Version = Annotated[str, typer.Option(metavar="NUMBER", help="A version; the latest.")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON lines.")]


def list_templates(
    project: Annotated[str | None, typer.Option(help="Of this project; '' for those of none.")] = None,
    limit: Limit = 50,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """List templates, each at its latest version."""
    from broker.cli.connection import Target

    return asyncio.run(_list(Target(target, key, data_dir, tls, tls_ca), project, limit, json=json))


def show_template(
    name: Name,
    version: Version = "",
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Show what a version says, and its parameters."""
    from broker.cli.connection import Target

    return asyncio.run(_show(Target(target, key, data_dir, tls, tls_ca), name, version, json=json))


def create_template(
    file: File,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Store a template.

    waypost templates create bill.toml
    """
    from broker.cli.connection import Target
    from broker.cli.template_files import read_template_file

    template = read_template_file(file)
    return asyncio.run(_create(Target(target, key, data_dir, tls, tls_ca), template, json=json))


def update_template(
    file: File,
    expect: Annotated[
        int, typer.Option(metavar="NUMBER", min=0, help="Refuse when the latest version is another one.")
    ] = 0,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Store another version of the template that the file names. Earlier ones stay."""
    from broker.cli.connection import Target
    from broker.cli.template_files import read_template_file

    template = read_template_file(file)
    where = Target(target, key, data_dir, tls, tls_ca)
    return asyncio.run(_update(where, template, expect, json=json))


def delete_template(
    name: Name,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Remove a template with all of its versions. Messages that were made with it stay."""
    from broker.cli.connection import Target

    return asyncio.run(_delete(Target(target, key, data_dir, tls, tls_ca), name))


def render_template(
    name: Name,
    version: Version = "",
    locale: Annotated[str, typer.Option(metavar="TAG", help='A language, as "en-GB".')] = "",
    token: Annotated[
        list[str] | None,
        typer.Option("--token", metavar="NAME=VALUE", help="A value for a parameter; repeatable."),
    ] = None,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Show what a template says with some values, and measure it. Sends nothing.

    waypost templates render shop/bill --token name=Ada
    """
    from broker.cli.connection import Target
    from broker.cli.requests import TemplateWish, template_ref

    ref = template_ref(TemplateWish(name, version, locale), tokens_of("--token", token or ()))
    return asyncio.run(_render(Target(target, key, data_dir, tls, tls_ca), ref, json=json))


async def _list(target: "Target", project: str | None, limit: int, *, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import Listed
    from broker.cli.json_lines import fields_of, print_line
    from waypost.v1 import template_service_pb2 as pb

    found = []
    request = pb.ListTemplatesRequest(filter=pb.TemplateFilter(project=project))
    async with connected(target) as connection:
        listed = Listed(connection, connection.templates.ListTemplates, limit)
        async with aclosing(listed.items(request, "templates")) as templates:
            async for template in templates:
                if json:
                    print_line(fields_of(template))
                else:
                    found.append(template)
    if not json:
        from broker.cli.tables import stdout_console
        from broker.cli.template_tables import templates_table

        stdout_console().print(templates_table(found, more=listed.more))
    return ExitCode.OK


async def _show(target: "Target", name: str, version: str, *, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import ask
    from waypost.v1 import template_service_pb2 as pb

    project, _, own = name.rpartition("/")
    request = pb.GetTemplateRequest(project=project, name=own, version=version)
    async with connected(target) as connection:
        response = await ask(connection, connection.templates.GetTemplate, request)
    if json:
        from broker.cli.json_lines import fields_of, print_line

        print_line({"template": fields_of(response.template)})
        return ExitCode.OK
    from broker.cli.tables import stdout_console
    from broker.cli.template_tables import template_card

    stdout_console().print(template_card(response.template))
    return ExitCode.OK


async def _create(target: "Target", template: "template_pb2.Template", *, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import ask
    from waypost.v1 import template_service_pb2 as pb

    async with connected(target) as connection:
        request = pb.CreateTemplateRequest(template=template)
        response = await ask(connection, connection.templates.CreateTemplate, request)
    _tell(response.template, json=json)
    return ExitCode.OK


async def _update(target: "Target", template: "template_pb2.Template", expect: int, *, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import ask
    from waypost.v1 import template_service_pb2 as pb

    async with connected(target) as connection:
        request = pb.UpdateTemplateRequest(template=template, expected_version=expect)
        response = await ask(connection, connection.templates.UpdateTemplate, request)
    _tell(response.template, json=json)
    return ExitCode.OK


async def _delete(target: "Target", name: str) -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import ask
    from broker.cli.wording import printable
    from waypost.v1 import template_service_pb2 as pb

    project, _, own = name.rpartition("/")
    async with connected(target) as connection:
        request = pb.DeleteTemplateRequest(project=project, name=own)
        await ask(connection, connection.templates.DeleteTemplate, request)
    print(f"{printable(name)} is deleted")
    return ExitCode.OK


async def _render(target: "Target", ref: "content_pb2.TemplateRef", *, json: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.directory_calls import ask
    from waypost.v1 import template_service_pb2 as pb

    async with connected(target) as connection:
        request = pb.RenderTemplateRequest(template=ref)
        response = await ask(connection, connection.templates.RenderTemplate, request)
    if json:
        from broker.cli.json_lines import fields_of, print_line

        print_line(fields_of(response))
        return ExitCode.OK
    from broker.cli.tables import stdout_console
    from broker.cli.template_tables import rendering

    stdout_console().print(rendering(response))
    return ExitCode.OK


def _tell(template: "template_pb2.Template", *, json: bool) -> None:
    if json:
        from broker.cli.json_lines import fields_of, print_line

        print_line({"template": fields_of(template)})
        return
    from broker.cli.template_tables import full_name
    from broker.cli.wording import printable

    print(f"{printable(full_name(template))} is stored as version {template.version}")
