"""Write docs/coverage.md: what of each system's document is exercised, by which test.

python tools/coverage.py          write it
python tools/coverage.py --check  fail when the committed one is not what the documents and tests make

The rows are in `plugins/<name>/tests/document.toml`; tests name those that they exercise with `@pytest.mark.covers`.
A row without a test must say `not_done`, and why; a test must not name a row that is not there.
"""

import argparse
import contextlib
import io
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "coverage.md"
KINDS = ("endpoint", "field", "code")

INTRODUCTION = """\
# What of each system is done

<!-- Written by `make protos` from plugins/*/tests: change document.toml or the tests there, not this page. -->

One row for every endpoint, field and code of the documents that the provider plugins are written from, with the
test that exercises it against the system's fake server or its mapping. What has no test is listed as not done, and why.
"""


class Mistaken(Exception):
    """Documents and tests do not go together; its text tells where."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that a document describes. `not_done` is why nothing exercises it; empty where something does."""

    id: str
    kind: str
    what: str
    not_done: str = ""


@dataclass(slots=True)
class Collected:
    """A pytest plugin that keeps which tests cover what: id of a row → names of tests, in their order."""

    tests: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Read the marks of what pytest found."""
        for item in items:
            name = item.nodeid.split("[")[0]
            for mark in item.iter_markers("covers"):
                for covered in mark.args:
                    self.tests[covered][name] = None


def systems() -> Iterator[str]:
    """Names of the plugins that come with a document."""
    for document in sorted(ROOT.glob("plugins/*/tests/document.toml")):
        yield document.parent.parent.name


def rows(system: str) -> list[Row]:
    """The rows of a system's document, in its order."""
    found = [Row(**row) for row in tomllib.loads(document(system).read_text())["row"]]
    for row in found:
        if row.kind not in KINDS:
            raise Mistaken(
                f"{document(system).relative_to(ROOT)}: {row.id} is of kind {row.kind!r}, which is none of {KINDS}"
            )
    if twice := [name for name, count in Counter(row.id for row in found).items() if count > 1]:
        raise Mistaken(f"{document(system).relative_to(ROOT)}: more than one row has the id {twice[0]!r}")
    return found


def document(system: str) -> Path:
    """Where a system's rows are."""
    return ROOT / "plugins" / system / "tests" / "document.toml"


def tests(system: str) -> Mapping[str, Sequence[str]]:
    """Which tests cover which rows of a system."""
    collected, said = Collected(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = pytest.main(
            [
                "--collect-only",
                "-m",
                "",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:xdist",
                str(document(system).parent),
            ],
            plugins=[collected],
        )
    if code != pytest.ExitCode.OK:
        raise Mistaken(f"the tests of plugins/{system} cannot be collected:\n{said.getvalue()}")
    return {covered: list(names) for covered, names in collected.tests.items()}


def compared(system: str) -> list[tuple[Row, Sequence[str]]]:
    """Each row with its tests; a row has tests or says why not, and never both."""
    covering, told = tests(system), rows(system)
    if unknown := sorted(covering.keys() - {row.id for row in told}):
        place = document(system).relative_to(ROOT)
        raise Mistaken(f"{covering[unknown[0]][0]} covers {unknown[0]!r}, which {place} does not have")
    for row in told:
        if bool(row.not_done) == bool(covering.get(row.id)):
            problem = "has tests and says `not_done`" if row.not_done else "has neither a test nor `not_done`"
            raise Mistaken(f"{document(system).relative_to(ROOT)}: {row.id} {problem}")
    return [(row, covering.get(row.id, ())) for row in told]


def section(system: str, told: Sequence[tuple[Row, Sequence[str]]]) -> Iterator[str]:
    """The lines about one system."""
    done = [(row, names) for row, names in told if names]
    left = [row for row, names in told if not names]
    yield f"## {system}"
    yield ""
    yield f"{len(done)} of {len(told)} rows are exercised; {len(left)} are not done."
    yield ""
    if left:
        yield "| Not done | Kind | What | Why |"
        yield "|---|---|---|---|"
        yield from (f"| `{row.id}` | {row.kind} | {cell(row.what)} | {cell(row.not_done)} |" for row in left)
        yield ""
    yield "| Row | Kind | What | Test |"
    yield "|---|---|---|---|"
    for row, names in done:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield f"| `{row.id}` | {row.kind} | {cell(row.what)} | `{shown(names[0])}`{more} |"
    yield ""


def cell(text: str) -> str:
    """A text that may stand in a table."""
    return text.replace("|", "\\|").replace("\n", " ").strip()


def shown(name: str) -> str:
    """A test by its file and its own name."""
    path, _, own = name.partition("::")
    return f"{Path(path).name}::{own}"


def page() -> str:
    """The whole page."""
    lines = [INTRODUCTION]
    for system in systems():
        lines += section(system, compared(system))
    return "\n".join(lines)


def main() -> int:
    """Run the script; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args()
    name = PAGE.relative_to(ROOT)
    try:
        made = page()
    except Mistaken as problem:
        print(f"coverage: {problem}", file=sys.stderr)
        return 1
    if not arguments.check:
        PAGE.write_text(made)
        print(f"coverage: wrote {name}")
        return 0
    if not PAGE.exists() or PAGE.read_text() != made:
        print(f"coverage: {name} is not current; run `make protos`", file=sys.stderr)
        return 1
    print(f"coverage: {name} is current")
    return 0


if __name__ == "__main__":
    sys.exit(main())
