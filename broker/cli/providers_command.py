"""`waypost providers`: what the broker sends through, and what it could."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli.exit_codes import ExitCode
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


def providers(
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


async def _look_up(target: "Target") -> "Installed":
    from broker.cli.provider_lookup import look_up_providers

    return await look_up_providers(target)
