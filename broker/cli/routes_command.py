"""`waypost routes`: which provider may carry what, and putting other routes in force."""

import asyncio
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
)

if TYPE_CHECKING:
    from broker.cli.connection import Target
    from waypost.v1 import route_pb2


class RoutesGroup(TyperGroup):
    """`routes` alone lists: the sub-command may be left out."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put in the sub-command that was left out."""
        return super().parse_args(ctx, with_list(ctx, args))


Json = Annotated[bool, typer.Option("--json", help="Each route as one JSON line, after one for the version.")]
Toml = Annotated[bool, typer.Option("--toml", help="As a file for `waypost routes replace`.")]


def list_routes(
    json: Json = False,
    toml: Toml = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """List the routes in force."""
    from broker.cli.connection import Target

    return asyncio.run(_show(Target(target, key, data_dir, tls, tls_ca), 0, json=json, toml=toml))


def show_routes(
    version: Annotated[int, typer.Argument(metavar="VERSION", min=1, help="As GetMessage tells it.")],
    json: Json = False,
    toml: Toml = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Show the routes of a version."""
    from broker.cli.connection import Target

    return asyncio.run(_show(Target(target, key, data_dir, tls, tls_ca), version, json=json, toml=toml))


def replace_routes(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML with nothing but [[routes]].")],
    expect: Annotated[
        int | None,
        typer.Option(metavar="VERSION", min=0, help="Only in the place of this version; without it, of any."),
    ] = None,
    validate_only: Annotated[
        bool, typer.Option("--validate-only", help="Check, and change nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="As one JSON line.")] = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Put the routes of a file in force, all at once, in the place of all there are.

    Exit codes: 0 they are in force, 1 a rule was broken or another version is in force.
    """
    from broker.cli.connection import Target
    from broker.cli.route_files import read_routes_file

    routes = read_routes_file(file)
    where = Target(target, key, data_dir, tls, tls_ca)
    return asyncio.run(_replace(where, routes, expect, validate_only=validate_only, json=json))


async def _show(target: "Target", version: int, *, json: bool, toml: bool) -> int:
    from broker.cli.connection import connected
    from broker.cli.route_lookup import look_up_routes

    async with connected(target) as connection:
        found = await look_up_routes(connection, version)
    if json:
        from broker.cli.json_lines import fields_of, print_line

        print_line({"table": fields_of(found.table)})
        for route in found.routes:
            print_line({"route": fields_of(route)})
    elif toml:
        from broker.cli.route_files import routes_as_toml

        print(routes_as_toml(found.routes), end="")
    else:
        from broker.cli.route_tables import routes_table
        from broker.cli.tables import stdout_console

        stdout_console().print(routes_table(found.table, found.routes))
    return ExitCode.OK


async def _replace(
    target: "Target",
    routes: "list[route_pb2.Route]",
    expect: int | None,
    *,
    validate_only: bool,
    json: bool,
) -> int:
    from broker.cli.connection import connected
    from broker.cli.json_lines import fields_of, print_line
    from broker.cli.route_lookup import current_version
    from broker.cli.route_lookup import replace_routes as replace

    async with connected(target) as connection:
        expected = await current_version(connection) if expect is None else expect
        table = await replace(connection, routes, expected, validate_only=validate_only)
    count = f"{len(routes)} route{'s' if len(routes) != 1 else ''}"
    if json:
        print_line(fields_of(table))
    elif validate_only:
        print(f"{count} could replace version {expected}")
    else:
        print(f"version {table.version} is in force: {count}")
    return ExitCode.OK
