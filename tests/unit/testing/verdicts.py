"""Run the provider suite on the plugin of docs/providers.md with each defect, and write down what failed.

    python verdicts.py [--thorough] PAGE DIRECTORY [NAME ...]

makes a copy of the plugin for each defect in DIRECTORY (and one without, called `whole`), runs pytest once
over all of them, and writes DIRECTORY/verdicts.json. The whole one runs every case. The others run the cases
that should find the defect, until they have, and a few of the rest, other ones for each defect; with
--thorough, all that does not merely wait.
"""

import argparse
import gc
import json
import os
import re
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from defects import DEFECTS, Defect, defect

from broker.testing.provider_suite import leftovers, living

FENCED_FILE = re.compile(r"^`([^`\n]+)`:\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WHOLE = defect("whole", "", "", "")
ONE_IN = 20


def package_of(name: str) -> str:
    """The import name of a copy."""
    return f"acme_{name}"


def write_copy(page: dict[str, str], each: Defect, directory: Path) -> None:
    """The plugin's modules and tests as one package, with the defect in it."""
    package = package_of(each.name)
    home = directory / package
    home.mkdir()
    for path, text in page.items():
        if not path.endswith(".py"):
            continue
        if path == each.file:
            assert 1 == text.count(each.old), f"{each.name}: {text.count(each.old)} times in {path}"
            text = text.replace(each.old, each.new)
        text = text.replace("waypost_acme", package)
        if path.startswith("tests/"):
            text += f"\n\nTestAcme.time_limit_s = {each.time_limit_s}\n"
        (home / Path(path).name).write_text(text, encoding="utf-8")


class Verdicts:
    """Chooses what runs, and notes what failed."""

    def __init__(self, chosen: list[Defect], *, thorough: bool) -> None:
        self.failed: defaultdict[str, set[str]] = defaultdict(set)
        self.passed: defaultdict[str, int] = defaultdict(int)
        self._expected = {package_of(each.name): each.fails for each in chosen}
        self._thorough = thorough

    def pytest_pycollect_makeitem(self, collector: Any, name: str, obj: Any) -> list[Any] | None:
        """Leave out the cases that are not to run, before their values are counted up."""
        if not name.startswith("test_") or self._runs(collector, name, obj):
            return None
        return []

    def _runs(self, collector: Any, case: str, function: Any) -> bool:
        package = collector.path.parent.name
        if not isinstance(collector, pytest.Class):
            return False
        if package == package_of(WHOLE.name) or case in self._expected[package]:
            return True
        if getattr(function, "waits", False):
            return False
        return self._thorough or zlib.crc32(f"{package}/{case}".encode()) % ONE_IN == 0

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Of a case that should pass, the first value will do."""
        items[:] = [item for item in items if self._thorough or self._may_tell(item)]
        gc.freeze()  # thousands of items would slow down each case that looks for what is left behind

    def _may_tell(self, item: Any) -> bool:
        package = item.path.parent.name
        first = not hasattr(item, "callspec") or not any(item.callspec.indices.values())
        return first or package == package_of(WHOLE.name) or item.originalname in self._expected[package]

    def pytest_runtest_setup(self, item: Any) -> None:
        """A case that has failed with one value need not fail with the next; one that will does so soon."""
        package, case = item.path.parent.name, item.originalname
        if case in self.failed[package]:
            pytest.skip("has failed already")
        fails = case in self._expected[package]
        leftovers.WAIT_S = living.ENDED_S = 0.3 if fails else 5.0
        living.HELD_S_MAX = 0.5 if fails else 5.0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: Any) -> Iterator[None]:
        """Note it, whatever part of the test it was."""
        report = yield
        package = item.path.parent.name
        if report.failed:
            self.failed[package].add(item.originalname)
        elif report.when == "call" and report.passed:
            self.passed[package] += 1
        return report


def main(page: Path, directory: Path, names: list[str], *, thorough: bool) -> int:
    """Run it; the exit code is pytest's own only where pytest could not run."""
    blocks = dict(FENCED_FILE.findall(page.read_text(encoding="utf-8")))
    chosen = [each for each in (WHOLE, *DEFECTS) if not names or each.name in names]
    for each in chosen:
        write_copy(blocks, each, directory)
    sys.path.insert(0, str(directory))
    # No plugin but what pytest brings, as in the environment of an author who installed nothing else.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    verdicts = Verdicts(chosen, thorough=thorough)
    options = ["-q", "--no-header", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib"]
    code = pytest.main([*options, "--rootdir", str(directory), str(directory)], plugins=[verdicts])
    document = {
        each.name: {
            "failed": sorted(verdicts.failed[package_of(each.name)]),
            "passed": verdicts.passed[package_of(each.name)],
        }
        for each in chosen
    }
    (directory / "verdicts.json").write_text(json.dumps(document, indent=1))
    return 0 if code in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED} else int(code)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--thorough", action="store_true")
    given = parser.parse_args()
    sys.exit(main(given.page, given.directory, given.names, thorough=given.thorough))
