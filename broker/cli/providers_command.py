"""`waypost providers`: what the broker sends through, what it could, what upstreams tell; keeping one out of use."""

import asyncio
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
    from broker.cli.provider_lookup import Installed


class ProvidersGroup(TyperGroup):
    """`providers` alone lists: the sub-command may be left out."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put in the sub-command that was left out."""
        return super().parse_args(ctx, with_list(ctx, args))


Name = Annotated[str, typer.Argument(metavar="NAME", help="The instance's name in the settings.")]
OneLine = Annotated[bool, typer.Option("--json", help="As one JSON line.")]


def list_providers(
    types: Annotated[
        bool, typer.Option("--types", help="The installed types instead, broken ones too.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="With --types: the whole error of a broken one.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Each as one JSON line.")] = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """List the provider instances of the broker, or with --types what is installed."""
    from broker.cli.connection import Target

    found = asyncio.run(_look_up(Target(target, key, data_dir, tls, tls_ca)))
    if json:
        from broker.cli.json_lines import fields_of, print_line

        for each in found.types if types else found.instances:
            print_line(fields_of(each))
        return ExitCode.OK
    from broker.cli.provider_tables import instances_table, types_table
    from broker.cli.tables import stdout_console

    table = types_table(found.types, verbose=verbose) if types else instances_table(found.instances)
    stdout_console().print(table)
    return ExitCode.OK


def drain_provider(
    name: Name,
    json: OneLine = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Give an instance no new messages, from now on and over restarts."""
    from broker.cli.connection import Target

    where = Target(target, key, data_dir, tls, tls_ca)
    return asyncio.run(_update(where, name, "PROVIDER_STATE_DRAINED", json=json))


def enable_provider(
    name: Name,
    json: OneLine = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Give an instance messages again."""
    from broker.cli.connection import Target

    where = Target(target, key, data_dir, tls, tls_ca)
    return asyncio.run(_update(where, name, "PROVIDER_STATE_ENABLED", json=json))


def show_upstream_usage(
    name: Name,
    since: Annotated[
        str, typer.Option("--from", metavar="DAY", help="First day, as 2026-03-01; else 29 days before --to.")
    ] = "",
    until: Annotated[str, typer.Option("--to", metavar="DAY", help="Last day, included; else today.")] = "",
    json: OneLine = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Show what an instance's account with its upstream has, has used, and may send from. It is asked now."""
    from broker.cli.connection import Target
    from broker.cli.provider_lookup import look_up_usage
    from waypost.v1 import provider_service_pb2

    request = provider_service_pb2.GetUpstreamUsageRequest(name=name, start_date=since, end_date=until)
    told = asyncio.run(look_up_usage(Target(target, key, data_dir, tls, tls_ca), request))
    if json:
        from broker.cli.json_lines import fields_of, print_line

        print_line(fields_of(told))
        return ExitCode.OK
    from broker.cli.provider_tables import upstream_table
    from broker.cli.tables import stdout_console

    stdout_console().print(upstream_table(told))
    return ExitCode.OK


async def _update(target: "Target", name: str, state: str, *, json: bool) -> int:
    from broker.cli.provider_lookup import update_provider

    provider = await update_provider(target, name, state)
    if json:
        from broker.cli.json_lines import fields_of, print_line

        print_line(fields_of(provider))
        return ExitCode.OK
    from broker.cli.provider_tables import instances_table
    from broker.cli.tables import stdout_console

    stdout_console().print(instances_table([provider]))
    return ExitCode.OK


async def _look_up(target: "Target") -> "Installed":
    from broker.cli.provider_lookup import look_up_providers

    return await look_up_providers(target)
