"""`waypost usage`: what was sent, counted, as a chart, a table, CSV or JSON."""

import asyncio
import csv
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

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
    from waypost.v1 import usage_pb2


class DimensionName(StrEnum):
    """What counts are split by, as it is written on the command line."""

    DAY = "day"
    ACCOUNT = "account"
    CHANNEL = "channel"
    PROVIDER = "provider"
    CAMPAIGN = "campaign"
    TAG = "tag"
    COUNTRY = "country"
    STATUS = "status"


class UnitName(StrEnum):
    """What is counted, as it is written on the command line."""

    MESSAGES = "messages"
    UNITS = "units"
    CREDITS = "credits"


def usage(
    since: Annotated[
        str, typer.Option("--from", metavar="DAY", help="First day, as 2026-03-01; else 29 days before --to.")
    ] = "",
    until: Annotated[str, typer.Option("--to", metavar="DAY", help="Last day, included; else today.")] = "",
    by: Annotated[
        list[DimensionName] | None,
        typer.Option(help="Split by it; several times to split further. Else by day."),
    ] = None,
    unit: Annotated[UnitName, typer.Option(help="What to count.")] = UnitName.MESSAGES,
    time_zone: Annotated[str, typer.Option(metavar="ZONE", help="Of the days, as Europe/Berlin.")] = "UTC",
    account: Annotated[
        list[str] | None, typer.Option(metavar="ACCOUNT_ID", help="An account that the key may act for.")
    ] = None,
    refunded: Annotated[bool, typer.Option("--refunded", help="Also what was refunded.")] = False,
    opted_out: Annotated[
        bool, typer.Option("--opted-out", help="Also what was refused for recipients who opted out.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV, with a header.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Each row as one JSON line, after one for the total.")
    ] = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Count what was sent, and draw it.

    waypost usage --by country --by status --from 2026-03-01
    waypost usage --by day --unit units --csv > usage.csv
    """
    if as_csv and json:
        raise UsageError("--csv and --json contradict each other")

    from broker.cli.connection import Target
    from waypost.v1 import usage_pb2

    split = by or [DimensionName.DAY]
    request = usage_pb2.UsageRequest(
        start_date=since,
        end_date=until,
        group_by=[usage_pb2.UsageDimension.Value(f"USAGE_DIMENSION_{each.name}") for each in split],
        unit=usage_pb2.UsageUnit.Value(f"USAGE_UNIT_{unit.name}"),
        time_zone=time_zone,
        include_refunded=refunded,
        include_opted_out=opted_out,
        account_ids=account,
    )
    response = asyncio.run(_count(Target(target, key, data_dir, tls, tls_ca), request))
    if json:
        _print_json(split, response)
    elif as_csv:
        _print_csv(split, unit, response)
    else:
        from broker.cli.tables import stdout_console
        from broker.cli.usage_chart import usage_chart

        stdout_console().print(usage_chart(split, unit, response))
    return ExitCode.OK


async def _count(target: "Target", request: "usage_pb2.UsageRequest") -> "usage_pb2.UsageResponse":
    import grpc.aio

    from broker.cli.connection import CALL_TIMEOUT_S, connected, fail

    async with connected(target) as connection:
        try:
            return await connection.broker.Usage(
                request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            fail(error, connection.address)


def _print_json(split: Sequence[DimensionName], response: "usage_pb2.UsageResponse") -> None:
    from broker.cli.json_lines import print_line

    print_line({"total": response.total})
    for row in response.rows:
        print_line({**dict(zip(split, row.group, strict=True)), "count": row.count})


def _print_csv(split: Sequence[DimensionName], unit: UnitName, response: "usage_pb2.UsageResponse") -> None:
    """Credits are written as they are counted: in micros."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*split, "credit_micros" if unit is UnitName.CREDITS else unit])
    writer.writerows([*map(_as_text, row.group), row.count] for row in response.rows)


def _as_text(value: str) -> str:
    """A cell that no spreadsheet takes for a formula: names of campaigns and tags come from anywhere."""
    return f"'{value}" if value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value
