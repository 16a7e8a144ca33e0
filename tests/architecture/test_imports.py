"""The house rules that import-linter cannot state: about the standard library, plugins and files."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BROKER = ROOT / "broker"
PLUGINS = ROOT / "plugins"
FILE_LINES_MAX = 500

# Of the standard library, what brings input, output, a clock, randomness or concurrency of its own.
IMPURE = frozenset({
    *("asyncio", "concurrent", "multiprocessing", "queue", "sched", "selectors", "signal", "threading"),
    *("ftplib", "http", "imaplib", "smtplib", "socket", "socketserver", "ssl", "urllib"),
    *(
        "fileinput",
        "glob",
        "io",
        "logging",
        "os",
        "pathlib",
        "shutil",
        "sqlite3",
        "subprocess",
        "tempfile",
    ),
    *("random", "secrets", "time", "uuid"),
})
DOMAIN_ALLOWS = (sys.stdlib_module_names - IMPURE) | {"broker", "gsmcodecs", "phonenumbers", "regex"}
PROTOBUF_HOMES = ("api", "cli", "testing")
VAGUE_NAMES = frozenset({
    "base",
    "common",
    "helper",
    "helpers",
    "manager",
    "managers",
    "misc",
    "util",
    "utils",
})
STATEMENT = re.compile(
    r"\b(SELECT\s.*\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s.*\sSET|DELETE\s+FROM|(CREATE|ALTER|DROP)\s+TABLE)\s",
    re.DOTALL,
)


def modules_below(directory: Path) -> list[Path]:
    """Every Python file below a directory."""
    return sorted(path for path in directory.rglob("*.py") if ".venv" not in path.parts)


def imports_of(path: Path) -> Iterator[str]:
    """Dotted names that a file imports, wherever in it; `from a import b` gives a.b."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            prefix = "." * node.level + (node.module or "")
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


def texts_of(path: Path) -> Iterator[str]:
    """The strings of a file that are values, so without docstrings and other bare strings."""
    tree = ast.parse(path.read_bytes())
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.value


def within(name: str, package: str) -> bool:
    """Whether a dotted name is the package or something in it."""
    return name == package or name.startswith(f"{package}.")


def in_each(paths: list[Path]) -> pytest.MarkDecorator:
    """Run the test once for each file, under its name."""
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.relative_to(ROOT).as_posix())


SERVER = modules_below(BROKER)
DOMAIN = modules_below(BROKER / "domain")
OUTSIDE_PROTOBUF_HOMES = [path for path in SERVER if path.relative_to(BROKER).parts[0] not in PROTOBUF_HOMES]
PLUGIN_SOURCES = [path for plugin in sorted(PLUGINS.iterdir()) for path in modules_below(plugin / "src")]
PLUGINS_MAY_ALSO = {"fake": "broker.testing", "commands": "waypost"}
PLUGIN_TESTS = [path for plugin in sorted(PLUGINS.iterdir()) for path in modules_below(plugin / "tests")]


@in_each(DOMAIN)
def test_the_domain_imports_only_what_is_pure(path: Path) -> None:
    """No I/O, clock or randomness: those are arguments, so that every rule can be tested by value."""
    assert [] == [name for name in imports_of(path) if name.split(".")[0] not in DOMAIN_ALLOWS]


@in_each(OUTSIDE_PROTOBUF_HOMES)
def test_generated_modules_stop_at_the_edge(path: Path) -> None:
    """Beyond api/ and cli/ nobody meets protobuf: what is stored and decided has types of its own."""
    assert [] == [name for name in imports_of(path) if re.search(r"_pb2(_grpc)?\b", name)]


@in_each(SERVER)
def test_the_broker_imports_no_plugin(path: Path) -> None:
    """Plugins are found through their entry points only."""
    assert [] == [name for name in imports_of(path) if name.startswith("waypost_")]


@in_each(PLUGIN_SOURCES)
def test_a_plugin_imports_only_the_contract_of_the_broker(path: Path) -> None:
    """`broker.spi` is all that may not change under a plugin.

    The fake that it ships may also use the kit, and its programs are clients of the broker, as any other.
    """
    ours = [name for name in imports_of(path) if within(name, "broker") or within(name, "waypost")]
    more = [allowed for directory, allowed in PLUGINS_MAY_ALSO.items() if directory in path.parts]
    assert [] == [name for name in ours if not any(within(name, each) for each in ("broker.spi", *more))]


@in_each(PLUGIN_TESTS)
def test_a_plugins_tests_import_only_the_contract_and_the_kit(path: Path) -> None:
    """A plugin that lives elsewhere can be tested with what is public."""
    ours = [name for name in imports_of(path) if within(name, "broker")]
    assert [] == [name for name in ours if not (within(name, "broker.spi") or within(name, "broker.testing"))]


@in_each(SERVER)
def test_a_file_fits_a_sitting(path: Path) -> None:
    """Who reads a file reads all of it."""
    assert len(path.read_text().splitlines()) <= FILE_LINES_MAX


@in_each(SERVER + PLUGIN_SOURCES)
def test_a_module_is_named_for_what_it_is(path: Path) -> None:
    """A name like utils says nothing and gathers everything."""
    names = {part.strip("_") for part in path.relative_to(ROOT).with_suffix("").parts}
    assert set() == names & VAGUE_NAMES


@in_each(SERVER)
def test_sql_is_written_in_sql_files(path: Path) -> None:
    """Statements have names and can be read, planned and overridden for each engine."""
    assert [] == [text for text in texts_of(path) if STATEMENT.search(text)]
