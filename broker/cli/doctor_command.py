"""`waypost doctor`: what would keep a broker from running well here, told without running one."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from broker.cli.doctor.findings import Finding


def doctor(
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The data directory. (as the settings say, else waypost-data)"),
    ] = None,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings as TOML.")] = None,
    store: Annotated[
        str | None, typer.Option(metavar="URL", help="The store, as `waypost serve` takes it.")
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also read the whole store and check its integrity.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The findings as one JSON list.")] = False,
) -> int:
    """Check this host, the settings and the store; changes nothing, and needs no broker.

    Give it the --config, --data-dir and --store of `waypost serve`.

    Exit codes: 0 nothing failed (there may be warnings), 1 something did.
    """
    _silence_logs()
    from broker.cli.doctor.examination import examine

    findings = examine(config, data_dir, store, deep=deep)
    seen = _print_list(findings) if json else _print_lines(findings)
    return ExitCode.REFUSED if any(each.state == "fail" for each in seen) else ExitCode.OK


def _silence_logs() -> None:
    """What the broker's parts would log is told as findings."""
    import logging

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _print_list(findings: "Iterable[Finding]") -> "list[Finding]":
    import json as json_format
    from dataclasses import asdict

    seen = list(findings)
    print(json_format.dumps([asdict(each) for each in seen], ensure_ascii=False))
    return seen


def _print_lines(findings: "Iterable[Finding]") -> "list[Finding]":
    """Each as soon as it is known; at the end how many there are of each kind."""
    from broker.cli.finding_lines import finding_line, summary
    from broker.cli.tables import stdout_console

    console = stdout_console()
    seen = []
    for finding in findings:
        console.print(finding_line(finding), soft_wrap=True)
        seen.append(finding)
    console.print()
    console.print(summary(seen))
    return seen
