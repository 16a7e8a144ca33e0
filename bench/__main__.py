"""`make bench`: measure the broker beside references, on this host only and in a directory that goes away."""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from bench.report import Report
from bench.scale import FULL, NORMAL, QUICK, Scale
from bench.scenarios import ENGINES, SCENARIOS
from bench.stage import Stage, stage


def main() -> int:
    """Run it; 0 unless a scenario could not run."""
    options = _options(sys.argv[1:])
    scale = QUICK if options.quick else FULL if options.full else NORMAL
    if options.callers:
        scale = replace(scale, callers=options.callers)
    if options.messages_listed:
        scale = replace(scale, messages_listed=options.messages_listed, scenario_s_max=FULL.scenario_s_max)
    console = Console(width=None if sys.stdout.isatty() else 190)
    report = Report(console)
    report.start()
    names = options.only or [name for name in SCENARIOS if name != ENGINES or options.store]
    whole = True
    with tempfile.TemporaryDirectory(prefix="waypost-bench-", dir=options.dir) as directory:
        try:
            whole = asyncio.run(_run(scale, names, Path(directory), options.store, report))
        except (KeyboardInterrupt, asyncio.CancelledError):
            whole = False
    report.show()
    if options.json:
        options.json.write_text(json.dumps(report.as_json(), indent=1) + "\n")
    return 0 if whole else 1


async def _run(scale: Scale, names: Sequence[str], directory: Path, store_url: str, report: Report) -> bool:
    """Whether every scenario could run. After a failure the others get new processes."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    waiting = deque(names)
    whole = True
    while waiting:
        async with stage(scale, directory, store_url) as here:
            good = True
            while waiting and good:
                good = await _measure(waiting.popleft(), here, report)
            whole = whole and good
    return whole


async def _measure(name: str, here: Stage, report: Report) -> bool:
    """Whether one scenario could run."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(here.scale.scenario_s_max):
            lines = await SCENARIOS[name](here)
    except Exception as error:  # noqa: BLE001 - the others can still run
        report.fail(name, error)
        return False
    report.add(name, lines, time.monotonic() - began)
    return True


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="one short round, in a minute and a half")
    size.add_argument(
        "--full", action="store_true", help="10 million messages stored, not 4, and a million recipients"
    )
    parser.add_argument("--only", action="append", choices=SCENARIOS, help="this scenario; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run to a file as well")
    parser.add_argument("--callers", type=int, metavar="N", help="load processes (1 by default)")
    parser.add_argument(
        "--messages-listed",
        type=int,
        metavar="N",
        help="messages in the store of `listing` (1 million by default)",
    )
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where stores are made; its disk is measured")
    parser.add_argument(
        "--store", default="", metavar="URL", help="a PostgreSQL database, to compare it as well"
    )
    options = parser.parse_args(arguments)
    if ENGINES in (options.only or ()) and not options.store:
        parser.error(f"{ENGINES} needs --store URL")
    return options


if __name__ == "__main__":
    sys.exit(main())
