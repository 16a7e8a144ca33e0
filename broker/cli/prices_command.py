"""`waypost prices`: what messages cost, and putting other prices in force."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from broker.cli.amounts import amount_text
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
    from rich.console import RenderableType

    from broker.cli.connection import Connection, Target
    from waypost.v1 import price_service_pb2 as pb

PAGE_SIZE_MAX = 1_000


class PricesGroup(TyperGroup):
    """`prices` alone lists: the sub-command may be left out."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put in the sub-command that was left out."""
        return super().parse_args(ctx, with_list(ctx, args))


def list_prices(
    version: Annotated[int, typer.Option(min=0, help="An earlier version; 0: the one in force.")] = 0,
    json: Annotated[
        bool, typer.Option("--json", help="Each rule as one JSON line, after one for the version.")
    ] = False,
    toml: Annotated[bool, typer.Option("--toml", help="As a file for `waypost prices replace`.")] = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """List the prices in force, or those of a version."""
    from broker.cli.connection import Target

    table, rules = asyncio.run(_look_up(Target(target, key, data_dir, tls, tls_ca), version))
    if json:
        from broker.cli.json_lines import fields_of, print_line

        print_line({"table": fields_of(table)})
        for rule in rules:
            print_line({"price": fields_of(rule)})
    elif toml:
        from broker.cli.price_files import prices_as_toml

        print(prices_as_toml(rules), end="")
    else:
        from broker.cli.tables import stdout_console

        stdout_console().print(prices_table(table, rules))
    return ExitCode.OK


def replace_prices(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML with nothing but [[prices]].")],
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
    """Put the prices of a file in force, all at once, in the place of all there are."""
    from broker.cli.connection import Target
    from broker.cli.price_files import read_prices_file

    rules = read_prices_file(file)
    where = Target(target, key, data_dir, tls, tls_ca)
    table = asyncio.run(_replace(where, rules, expect, validate_only=validate_only))
    count = f"{len(rules)} price{'s' if len(rules) != 1 else ''}"
    if json:
        from broker.cli.json_lines import fields_of, print_line

        print_line(fields_of(table))
    elif validate_only:
        print(f"{count} could replace version {table.version}")
    else:
        print(f"version {table.version} is in force: {count}")
    return ExitCode.OK


async def _look_up(target: "Target", version: int) -> "tuple[pb.PriceTable, list[pb.PriceRule]]":
    from broker.cli.connection import connected
    from waypost.v1 import price_service_pb2 as pb

    request = pb.ListPricesRequest(version=version, page_size=PAGE_SIZE_MAX)
    rules: list[pb.PriceRule] = []
    async with connected(target) as connection:
        while True:
            page = await _call(connection, "ListPrices", request)
            rules += page.prices
            request.page_token = page.next_page_token
            if not request.page_token:
                return page.table, rules


async def _replace(
    target: "Target", rules: "list[pb.PriceRule]", expect: int | None, *, validate_only: bool
) -> "pb.PriceTable":
    from broker.cli.connection import connected
    from waypost.v1 import price_service_pb2 as pb

    async with connected(target) as connection:
        if expect is None:
            page = await _call(connection, "ListPrices", pb.ListPricesRequest(page_size=1))
            expect = page.table.version
        request = pb.ReplacePricesRequest(prices=rules, expected_version=expect, validate_only=validate_only)
        response: pb.ReplacePricesResponse = await _call(connection, "ReplacePrices", request)
    return response.table


async def _call(connection: "Connection", method: str, request: Any) -> Any:
    import grpc.aio

    from broker.cli.connection import CALL_TIMEOUT_S, fail

    try:
        return await getattr(connection.prices, method)(
            request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S
        )
    except grpc.aio.AioRpcError as error:
        fail(error, connection.address)


def prices_table(table: "pb.PriceTable", rules: "list[pb.PriceRule]") -> "RenderableType":
    """A row for each rule, and which version it is."""
    from rich.console import Group
    from rich.text import Text

    from broker.cli.grid import Column, grid
    from broker.cli.price_files import item_word
    from broker.cli.wording import local_time, word_of
    from waypost.v1 import channel_pb2

    if not table.version:
        return Text("no prices: everything is free")
    about = Text(f"version {table.version}, {local_time(table.create_time)}, by key {table.key_id}")
    rows = [
        (
            item_word(rule),
            rule.provider or "any",
            ", ".join(word_of(channel_pb2.Channel.DESCRIPTOR, each).lower() for each in rule.channels),
            ", ".join([*(f"+{each}" for each in rule.prefixes), *rule.countries]) or "anywhere",
            f"{amount_text(rule.price.amount_micros)} {table.currency}",
        )
        for rule in rules
    ]
    columns = (
        Column("of", rare=True),
        Column("provider"),
        Column("channels", rare=True),
        Column("to"),
        Column("costs", right=True),
    )
    return Group(grid(columns, rows), "", about)
