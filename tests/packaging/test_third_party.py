"""What third parties rely on: our wheels in an environment of their own, and plugins that grew elsewhere.

The plugin `waypost-acme` is built from the blocks of docs/providers.md, in a folder outside of this tree, so the page
cannot say what does not work.
"""

import hmac
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import sysconfig
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from broker.testing.upstream import Answer, Request, Upstream
from waypost.v1 import (
    broker_service_pb2_grpc,
    channel_pb2,
    content_pb2,
    event_pb2,
    provider_service_pb2,
    provider_service_pb2_grpc,
    recipient_pb2,
    send_pb2,
    status_pb2,
    subscribe_pb2,
)

ROOT = Path(__file__).resolve().parents[2]
OURS = {"waypost": "clients/python", "waypost-broker": ".", "waypost-sandbox": "plugins/sandbox"}
FENCED_FILE = re.compile(r"^`([^`\n]+)`:\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WAIT_S = 30.0
CASES_MIN = 140
"""How many tests the page's plugin has at least: the suite was collected."""

FOREIGN_PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "waypost-{name}"
version = "0.0.7"
dependencies = ["waypost-broker"]

[project.entry-points.waypost]
{entry_point} = "waypost_{name}"

[tool.hatch.build.targets.wheel]
packages = ["waypost_{name}"]
"""
BROKEN_MODULE = 'raise RuntimeError("made for another broker")\n'
CLAIMS_ACME = """
from pydantic import BaseModel
from broker.spi import Channel, ProviderType, hookimpl

@hookimpl
def waypost_providers():
    return [ProviderType("acme", frozenset({Channel.SMS}), BaseModel, lambda settings: None)]
"""


def run(command: Iterable[str | Path], directory: Path, **environment: str) -> str:
    """What a command prints; it must succeed."""
    finished = subprocess.run(
        [str(each) for each in command],
        cwd=directory,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    return finished.stdout


def clean_environment(**more: str) -> dict[str, str]:
    """The environment of this process, without what would lead back into the tree or change the settings."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WAYPOST_"))
    }
    return inherited | more


def pip(*arguments: str | Path, directory: Path) -> str:
    """Run pip, which must not ask the network for anything."""
    quiet = ("--disable-pip-version-check", "--no-input", "--no-cache-dir")
    return run([sys.executable, "-m", "pip", *quiet, *arguments], directory)


def written(directory: Path, files: Mapping[str, str]) -> Path:
    """The directory, with these files in it."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return directory


def foreign_plugin(directory: Path, name: str, module: str, entry_point: str = "") -> Path:
    """A plugin of somebody else, as a project to build."""
    project = FOREIGN_PROJECT.format(name=name, entry_point=entry_point or name)
    return written(
        directory / f"waypost-{name}",
        {"pyproject.toml": project, f"waypost_{name}/__init__.py": module},
    )


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin of the page, as it stands there."""
    page = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    return written(tmp_path_factory.mktemp("elsewhere") / "waypost-acme", dict(FENCED_FILE.findall(page)))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory, acme: Path) -> Mapping[str, Path]:
    """Wheels by distribution: ours, acme, one that is broken, and two that claim acme's type."""
    directory = tmp_path_factory.mktemp("foreign")
    projects = [
        *(ROOT / place for place in OURS.values()),
        acme,
        foreign_plugin(directory, "broken", BROKEN_MODULE),
        foreign_plugin(directory, "rival", CLAIMS_ACME),
        foreign_plugin(directory, "namesake", CLAIMS_ACME, entry_point="acme"),
    ]
    target = tmp_path_factory.mktemp("wheels")
    options = ("--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", target)
    pip("wheel", *options, *projects, directory=directory)
    return {canonicalize_name(path.name.split("-")[0]): path for path in target.glob("*.whl")}


@dataclass(frozen=True)
class Installation:
    """A virtual environment with the broker, the sandbox, acme and a broken plugin."""

    directory: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.directory / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Where its packages are."""
        (found,) = self.directory.glob("lib/python*/site-packages")
        return found

    @property
    def waypost(self) -> Path:
        """The command, as the broker's wheel brought it."""
        return self.directory / "bin" / "waypost"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheels: Mapping[str, Path]) -> Installation:
    """A fresh environment: wheels, and of other packages only what the wheels declare to need."""
    directory = tmp_path_factory.mktemp("fresh")
    run([sys.executable, "-m", "venv", "--without-pip", "venv"], directory)
    installation = Installation(directory / "venv")
    chosen = [wheels[name] for name in (*OURS, "waypost-acme", "waypost-broken")]
    install(chosen, directory, "--python", installation.python)
    link_requirements(installation.site_packages)
    return installation


def install(chosen: Iterable[Path], directory: Path, *where: str | Path, target: Path | None = None) -> None:
    """Install wheels, and nothing that they need."""
    into = () if target is None else ("--target", target)
    pip(*where, "install", "--no-index", "--no-deps", "--no-compile", *into, *chosen, directory=directory)


def link_requirements(site_packages: Path) -> None:
    """Link into an environment what its distributions require, and what that requires, from this one."""
    of_the_wheels = list(importlib.metadata.distributions(path=[str(site_packages)]))
    present: set[str] = {canonicalize_name(each.name) for each in of_the_wheels}
    waiting = [name for each in of_the_wheels for name in required_by(each)]
    while waiting:
        name = waiting.pop()
        if name in present:
            continue
        present.add(name)
        distribution = importlib.metadata.distribution(name)
        waiting += required_by(distribution)
        for top in {path.parts[0] for path in distribution.files or () if path.parts[0] != ".."}:
            link = site_packages / top
            if top != "__pycache__" and not link.exists():
                link.symlink_to(Path(sysconfig.get_path("platlib")) / top)


def required_by(distribution: importlib.metadata.Distribution) -> list[str]:
    """The names of what a distribution needs here, without extras."""
    parsed = map(Requirement, distribution.requires or ())
    return [
        canonicalize_name(each.name)
        for each in parsed
        if each.marker is None or each.marker.evaluate({"extra": ""})
    ]


@dataclass(frozen=True)
class Broker:
    """A broker that is serving, and a client's side of it."""

    address: str
    key: str
    directory: Path

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What each call carries."""
        return (("authorization", f"Bearer {self.key}"),)


Serve = Callable[..., AbstractContextManager[Broker]]
"""Starts a broker: the settings as TOML, and variables of its environment by name."""


@pytest.fixture
def serve(installed: Installation, tmp_path: Path) -> Serve:
    """Start the installed broker on given settings, for as long as a block lasts."""

    @contextmanager
    def serving(settings: str, **environment: str) -> Iterator[Broker]:
        log = tmp_path / "log"
        with (
            log.open("w") as stderr,
            subprocess.Popen(
                serve_command(installed, tmp_path, settings),
                cwd=tmp_path,
                env=clean_environment(**environment),
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            ) as process,
        ):
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                assert line, log.read_text()
                ready = json.loads(line)
                yield Broker(ready["address"], ready["admin_key"], tmp_path)
            finally:
                process.terminate()
                process.wait(WAIT_S)
        assert 0 == process.returncode, log.read_text()

    return serving


def serve_command(installed: Installation, directory: Path, settings: str) -> list[str]:
    """How an operator starts it."""
    config = directory / "waypost.toml"
    config.write_text(settings, encoding="utf-8")
    return [
        str(installed.waypost),
        "serve",
        *("--config", str(config)),
        *("--data-dir", str(directory / "data")),
        *("--listen", "127.0.0.1:0"),
        "--json",
    ]


@dataclass(frozen=True)
class Ended:
    """A start that came to nothing, and what it said."""

    exit_code: int
    stdout: str
    stderr: str


def refused_start(installed: Installation, directory: Path, settings: str, **environment: str) -> Ended:
    """A start that should end by itself; one that serves all the same is stopped."""
    log = directory / "log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            serve_command(installed, directory, settings),
            cwd=directory,
            env=clean_environment(**environment),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        line = process.stdout.readline()
        if line:
            process.terminate()
        exit_code = process.wait(WAIT_S)
    return Ended(exit_code, line, log.read_text())


def providers_of(broker: Broker) -> provider_service_pb2.ListProvidersResponse:
    """What ListProviders answers."""
    with grpc.insecure_channel(broker.address) as channel:
        stub = provider_service_pb2_grpc.ProviderServiceStub(channel)
        return stub.ListProviders(
            provider_service_pb2.ListProvidersRequest(), metadata=broker.metadata, timeout=WAIT_S
        )


def send(broker: Broker, text: str) -> str:
    """Send a text; answers the message's id."""
    with grpc.insecure_channel(broker.address) as channel:
        response = broker_service_pb2_grpc.BrokerServiceStub(channel).Send(
            send_pb2.SendRequest(
                recipients=[recipient_pb2.Recipient(phone_number="+447700900123")],
                content=content_pb2.Content(sms=content_pb2.SmsContent(text=text)),
            ),
            metadata=broker.metadata,
            timeout=WAIT_S,
        )
    (result,) = response.results
    assert status_pb2.MESSAGE_STATUS_ACCEPTED == result.status
    return result.message_id


def end_of(broker: Broker, message_id: str) -> event_pb2.MessageEvent:
    """The event with which a message ends."""
    request = subscribe_pb2.SubscribeRequest(
        from_beginning=Empty(), filter=subscribe_pb2.EventFilter(message_ids=[message_id])
    )
    with grpc.insecure_channel(broker.address) as channel:
        frames = broker_service_pb2_grpc.BrokerServiceStub(channel).Subscribe(
            request, metadata=broker.metadata, timeout=WAIT_S
        )
        return next(event.message for frame in frames for event in frame.events if event.message.end)


def request_of(upstream: Upstream) -> Request:
    """The first request that came, or soon will."""
    deadline = time.monotonic() + WAIT_S
    while not upstream.requests:
        assert time.monotonic() < deadline, "no request came to the upstream"
        time.sleep(0.01)
    return upstream.requests[0]


def call_back(address: str, body: bytes, secret: str) -> None:
    """Report as the upstream does, signed; it has to be acknowledged."""
    signature = hmac.new(secret.encode(), body, "sha256").hexdigest()
    request = urllib.request.Request(address, body, {"X-Acme-Signature": signature})
    with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
        assert 200 == answer.status


def test_the_wheels_hold_what_the_programs_need_and_no_tests(wheels: Mapping[str, Path]) -> None:
    """SQL and type markers are in; tests, tools and caches are not."""
    contents = {name: ZipFile(wheels[name]).namelist() for name in OURS}
    statements = [name for name in contents["waypost-broker"] if name.endswith(".sql")]
    in_the_tree = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("broker/**/*.sql")]
    assert sorted(in_the_tree) == sorted(statements)
    assert "waypost/v1/send_pb2.pyi" in contents["waypost"]
    tests = re.compile(r"(^|/)(tests|test_\w+\.py|conftest\.py|__pycache__)(/|$)")
    assert [] == [name for names in contents.values() for name in names if tests.search(name)]


@pytest.mark.parametrize(
    ("distribution", "package"),
    [("waypost", "waypost"), ("waypost-broker", "broker"), ("waypost-sandbox", "waypost_sandbox")],
)
def test_the_types_come_with_the_wheel(wheels: Mapping[str, Path], distribution: str, package: str) -> None:
    """Without py.typed a plugin's author gets no help from mypy, least of all from broker.spi."""
    assert f"{package}/py.typed" in ZipFile(wheels[distribution]).namelist()


def test_every_package_comes_from_its_wheel(installed: Installation, tmp_path: Path) -> None:
    """Nothing of the source tree is in reach, so nothing can be missing from the wheels unseen."""
    modules = ("broker", "waypost", "waypost_sandbox", "waypost_acme")
    program = f"import {', '.join(modules)}\nfor each in ({', '.join(modules)}): print(each.__file__)"
    homes = [Path(line) for line in run([installed.python, "-c", program], tmp_path).splitlines()]
    assert [installed.site_packages / name / "__init__.py" for name in modules] == homes


def test_the_declared_requirements_fit_together(installed: Installation, tmp_path: Path) -> None:
    """The environment was filled from what the wheels declare; pip agrees that it is whole."""
    assert "No broken requirements found." in pip("--python", installed.python, "check", directory=tmp_path)


def test_the_plugins_own_tests_pass(installed: Installation, acme: Path) -> None:
    """As the page shows them: the suite of every provider, and once through a real broker, without a warning."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib"]
    strict = ["-W", "error", "-o", "asyncio_default_fixture_loop_scope=function", "--rootdir", acme]
    environment = {"PYTHONPATH": str(installed.site_packages), "PYTHONDONTWRITEBYTECODE": "1"}
    told = run([*command, *strict, "tests"], acme, **environment)
    assert int(re.findall(r"(\d+) passed", told)[0]) > CASES_MIN


def test_a_plugin_from_elsewhere_delivers(serve: Serve) -> None:
    """From Send over an upstream and its callback to DELIVERED; its secret came from the environment."""
    with Upstream(lambda _request: Answer.of_json({"results": [{"id": "acme-1"}]})) as upstream:
        settings = f'[server]\nhttp_listen = "127.0.0.1:0"\n[providers.acme]\ntype = "acme"\nurl = "{upstream.url}"\n'
        with serve(settings, WAYPOST_PROVIDERS__ACME__TOKEN="xyzzy") as broker:
            message_id = send(broker, "Hello from elsewhere")
            asked = request_of(upstream)
            (handed_over,) = asked.json["messages"]
            assert "Bearer xyzzy" == asked.headers["authorization"]
            assert ("+447700900123", "Hello from elsewhere") == (handed_over["to"], handed_over["text"])
            call_back(asked.json["report_to"], b'{"id": "acme-1", "status": "delivered"}', "xyzzy")
            end = end_of(broker, message_id)
    assert (status_pb2.MESSAGE_STATUS_DELIVERED, "acme") == (end.status, end.provider)
    assert "xyzzy" not in (broker.directory / "log").read_text()


def test_a_broken_plugin_is_listed_and_harms_nobody(
    serve: Serve,
) -> None:
    """The types show who ships what, and why one of them cannot be used."""
    with serve(
        '[providers.main]\ntype = "acme"\ntoken = "xyzzy"\n[providers.spare]\ntype = "sandbox"\n'
    ) as broker:
        answer = providers_of(broker)
    assert [("main", "acme"), ("spare", "sandbox")] == [(each.name, each.type) for each in answer.providers]
    assert [channel_pb2.CHANNEL_SMS] == list(answer.providers[0].capabilities.channels)
    types = {each.name: each for each in answer.types}
    assert {"acme", "broken", "sandbox"} == types.keys()
    assert ("waypost-acme", "1.2.3", "") == (
        types["acme"].distribution,
        types["acme"].version,
        types["acme"].error,
    )
    assert ("waypost-broken", "0.0.7") == (types["broken"].distribution, types["broken"].version)
    assert "made for another broker" in types["broken"].error


def test_settings_that_name_a_broken_plugin_stop_the_start(installed: Installation, tmp_path: Path) -> None:
    """With the plugin's own traceback, and before anything was served."""
    finished = refused_start(installed, tmp_path, '[providers.main]\ntype = "broken"\n')
    assert ("", True) == (finished.stdout, finished.exit_code > 0)
    assert "[providers.main] needs plugin waypost-broken" in finished.stderr
    assert "Traceback (most recent call last)" in finished.stderr
    assert "RuntimeError: made for another broker" in finished.stderr


@pytest.mark.parametrize("claimant", ["waypost-rival", "waypost-namesake"])
def test_two_plugins_that_claim_one_type_stop_the_start(
    installed: Installation, wheels: Mapping[str, Path], tmp_path: Path, claimant: str
) -> None:
    """Under another entry-point name or the same one: which of them is meant must not be left to chance."""
    target = tmp_path / "more"
    install([wheels[claimant]], tmp_path, target=target)
    finished = refused_start(
        installed, tmp_path, '[providers.main]\ntype = "sandbox"\n', PYTHONPATH=str(target)
    )
    assert ("", True) == (finished.stdout, finished.exit_code > 0)
    assert "'acme' is claimed by" in finished.stderr
    assert "waypost-acme" in finished.stderr
    assert claimant in finished.stderr
