"""What a run found, as a table for people and as JSON for programs."""

import importlib.metadata
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from statistics import median
from typing import Any

import apsw
from rich.console import Console
from rich.table import Table

from bench.measure import Line, Run, ServerTime, middle
from bench.procfs import Usage, usable_cores

BUSY = 85.0
"""Percent of a core from which on somebody is called the bottleneck."""

OTHERS_MAX = 20.0
"""Percent of a core beyond which other people's work is in our figures."""

LEGEND = (
    "server/loop/caller: percent of a core that the broker, its event loop and the busiest load process used."
    " µs: CPU time of the loop, and of all the server's threads, for each operation."
)

PACKAGES = ("grpcio", "protobuf", "uvloop", "apsw")


def machine() -> dict[str, Any]:
    """What the figures depend on; nothing that names this machine."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {
        "cores": usable_cores(),
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        **versions,
    }


def bottleneck(run: Run) -> str:
    """Who had no time left in a run, as far as CPU time tells."""
    usage = run.usage
    if usage is None:
        return ""
    shares = {
        "server's loop": usage.server_loop,
        "server's store": usage.server - usage.server_loop,
        "server's GIL": usage.server,  # both together, where one interpreter runs them in turns
        "caller": usage.busiest_caller,
        "all cores": (usage.server + usage.callers + usage.others) / usable_cores(),
    }
    return next((who for who, share in shares.items() if share >= BUSY), "waiting")


class Report:
    """Collects lines for the table and the JSON, and says how far the run is."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lines: list[Line] = []
        self._failures: dict[str, str] = {}
        self._began = datetime.now(UTC)

    def start(self) -> None:
        """Print what it runs on."""
        facts = "  ".join(f"{name} {version}" for name, version in machine().items())
        self._console.print(facts, highlight=False, soft_wrap=True)

    def add(self, scenario: str, lines: Sequence[Line], seconds: float) -> None:
        """Keep a scenario's lines, and say that it is done."""
        self._lines += lines
        self._console.print(f"{scenario}: {seconds:.0f} s", style="dim", highlight=False)

    def fail(self, scenario: str, error: Exception) -> None:
        """Say that a scenario could not run."""
        said = str(error) or type(error).__name__
        self._failures[scenario] = said
        self._console.print(f"{scenario} could not run: {said}", style="red", markup=False, highlight=False)

    def show(self) -> None:
        """Print the table."""
        self._console.print(_table(self._lines))
        self._console.print(LEGEND, highlight=False)
        others = [run.usage.others for line in self._lines for run in line.ours if run.usage is not None]
        if others and median(others) > OTHERS_MAX:
            self._console.print(
                f"Others took {median(others):.0f} % of a core ({max(others):.0f} % at most): rates and ratios"
                " are those of a contended machine. The µs hold.",
                style="yellow",
                highlight=False,
            )

    def as_json(self) -> dict[str, Any]:
        """Everything, with each run."""
        return {
            "began": self._began.isoformat(timespec="seconds"),
            "machine": machine(),
            "lines": [_line_json(line) for line in self._lines],
            "could_not_run": self._failures,
        }


def _table(lines: Sequence[Line]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("what")
    for name in ("ours", "reference"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("unit")
    table.add_column("against")
    table.add_column("ratio", no_wrap=True)
    table.add_column("goal", no_wrap=True)
    table.add_column("server/loop/caller", no_wrap=True, justify="right")
    table.add_column("µs, ours", no_wrap=True, justify="right")
    table.add_column("µs, ref.", no_wrap=True, justify="right")
    table.add_column("bottleneck")
    previous = ""
    for line in lines:
        if previous and line.scenario != previous:
            table.add_row()
        previous = line.scenario
        table.add_row(*_cells(line))
    return table


def _cells(line: Line) -> list[str]:
    reference = _figure(middle(line.reference)) if line.reference else ""
    return [
        line.what,
        _figure(middle(line.ours)),
        reference,
        line.unit,
        line.against,
        _ratio(line),
        _verdict(line),
        _usage_text(line.ours),
        _server_us_text(line.ours),
        _server_us_text(line.reference),
        bottleneck(_middle_run(line.ours)),
    ]


def _ratio(line: Line) -> str:
    ratios = line.ratios
    if not ratios:
        return ""
    return f"{median(ratios):.2f} [{min(ratios):.2f}-{max(ratios):.2f}]".replace("[", "\\[")


def _verdict(line: Line) -> str:
    if line.goal is None:
        return ""
    return f"[green]{line.goal} met[/]" if line.met else f"[red]{line.goal} not met[/]"


def _figure(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 20 else f"{figure:.2f}"


def _middle_run(runs: Sequence[Run]) -> Run:
    return sorted(runs, key=lambda run: run.figure)[len(runs) // 2]


def _usage_text(runs: Sequence[Run]) -> str:
    usages = [run.usage for run in runs if run.usage is not None]
    if not usages:
        return ""
    return "/".join(f"{median(getattr(each, name) for each in usages):.0f}" for name in _SHOWN)


_SHOWN = ("server", "server_loop", "busiest_caller")


def _server_us_text(runs: Sequence[Run]) -> str:
    spent = _server_us(runs)
    return "" if spent is None else f"{spent.loop:.3g} of {spent.all:.3g}"


def _server_us(runs: Sequence[Run]) -> ServerTime | None:
    spent = [each for run in runs if (each := run.server_us) is not None]
    if not spent:
        return None
    return ServerTime(median(each.all for each in spent), median(each.loop for each in spent))


def _line_json(line: Line) -> dict[str, Any]:
    ratios = line.ratios
    return {
        "scenario": line.scenario,
        "what": line.what.strip(),
        "unit": line.unit,
        "ours": _runs_json(line.ours),
        "against": line.against or None,
        "reference": _runs_json(line.reference) if line.reference else None,
        "ratio": {"median": median(ratios), "min": min(ratios), "max": max(ratios)} if ratios else None,
        "goal": str(line.goal) if line.goal else None,
        "met": line.met,
        "bottleneck": bottleneck(_middle_run(line.ours)) or None,
    }


def _runs_json(runs: Sequence[Run]) -> dict[str, Any]:
    spent = _server_us(runs)
    return {
        "median": middle(runs),
        "server_us": None if spent is None else asdict(spent),
        "runs": [{"figure": run.figure, "usage": _usage_json(run.usage)} for run in runs],
    }


def _usage_json(usage: Usage | None) -> dict[str, float] | None:
    return None if usage is None else {name: round(each, 3) for name, each in asdict(usage).items()}
