"""A real broker: `waypost serve` in a process of its own, spoken to over its port.

`broker` is one for the whole session, with the default settings; what a test does to it stays, so tests
tell their own messages apart by id or reference. `broker_factory()` starts one for a test alone, with
settings as TOML text, as a dictionary, or by name: `broker_factory(delivery={"paused": True})`. Every one
of them has to exit with 0 on SIGTERM.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

STOP_S_MAX = 60
PRIVATE = re.compile(
    r"wp[ku]?_[0-9A-Z]{13}_\w+|whsec_\w+|Bearer \w+|\+[1-9]\d{9,14}|[\w.+-]+@[\w-]+\.(?:org|com|example|test)"
)
"""Keys, secrets, numbers and mailboxes: what no broker of any test may have written into its log."""

Config = str | Mapping[str, Any] | None
BrokerFactory = Callable[..., "Broker"]


class Broker:
    """A running broker. `address` stays the same over restarts; `ready` is its line, `log` what it logged."""

    def __init__(self, directory: Path, config: Config = None) -> None:
        self.data_dir = directory / "data"
        self.log = directory / "broker.log"
        self.address = "127.0.0.1:0"
        self.ready: dict[str, Any] = {}
        self._arguments: list[str] = []
        if config is not None:
            path = directory / "waypost.toml"
            path.write_text(config if isinstance(config, str) else toml_of(config))
            self._arguments = ["--config", str(path)]
        self.start()

    @property
    def key(self) -> str:
        """The admin key, as an operator finds it."""
        return (self.data_dir / "admin.key").read_text().strip()

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which the command line talks to this broker."""
        return {**clean_environment(), "WAYPOST_TARGET": self.address, "WAYPOST_KEY": self.key}

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process.poll() is None

    def start(self) -> None:
        """Start the process and wait until it says that it is ready."""
        command = [sys.executable, "-m", "broker", "serve", "--json", "--listen", self.address]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*command, "--data-dir", str(self.data_dir), *self._arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                env=clean_environment(),
                text=True,
            )
        line = self.process.stdout.readline()
        if not line:
            self.kill()
            pytest.fail(f"the broker did not start:\n{self.log.read_text()}")
        self.ready = json.loads(line)
        self.address = self.ready["address"]

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.terminate()
        try:
            return self._waited(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"the broker did not stop on SIGTERM:\n{self.log.read_text()}")

    def kill(self) -> None:
        """SIGKILL: nothing of the process gets a chance to tidy up."""
        self.process.kill()
        self._waited(STOP_S_MAX)

    def restart(self) -> None:
        """Start again on the same data and the same port; a process that still runs drains first."""
        if self.running:
            assert 0 == self.stop(), self.log.read_text()
        self.start()

    def _waited(self, seconds: float) -> int:
        code = self.process.wait(seconds)
        self.process.stdout.close()
        assert [] == PRIVATE.findall(self.log.read_text()), "a log line with what nobody may read there"
        return code


def clean_environment() -> dict[str, str]:
    """Our environment without settings that whoever runs the tests may have."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WAYPOST_")}


def toml_of(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> str:
    """Settings as TOML: strings, numbers, booleans, lists of them, and tables."""
    values = [
        f"{name} = {json.dumps(value)}" for name, value in table.items() if not isinstance(value, Mapping)
    ]
    lines = [f"[{'.'.join(path)}]", *values] if path and values else values
    tables = [toml_of(value, (*path, name)) for name, value in table.items() if isinstance(value, Mapping)]
    return "\n".join([*lines, *tables])


@pytest.fixture
def broker_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerFactory]:
    """Starts brokers for one test; those that still run at its end have to stop as asked."""
    started: list[Broker] = []

    def start(config: Config = None, **settings: Any) -> Broker:
        started.append(Broker(tmp_path_factory.mktemp("broker"), config or settings or None))
        return started[-1]

    yield start
    failed = [each.log.read_text() for each in started if each.running and each.stop() != 0]
    assert [] == failed


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for the session."""
    started = Broker(tmp_path_factory.mktemp("broker"))
    yield started
    assert 0 == started.stop(), started.log.read_text()


@pytest.fixture(scope="module")
def module_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for the tests of a file, which fill its store."""
    started = Broker(tmp_path_factory.mktemp("broker"))
    yield started
    assert 0 == started.stop(), started.log.read_text()


@pytest.fixture(scope="session")
def calling_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Another one for the session: it may call this host, and comes back soon to whoever was down."""
    webhooks = {
        "allow_networks": ["127.0.0.0/8"],
        "retry_base_s": 0.1,
        "retry_cap_s": 0.3,
        "hold_base_s": 0.1,
        "hold_cap_s": 0.3,
    }
    started = Broker(tmp_path_factory.mktemp("calling"), {"webhooks": webhooks})
    yield started
    assert 0 == started.stop(), started.log.read_text()


@pytest.fixture(scope="module")
def paused_broker_of_three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for a module: it hands nothing over, and has the instances cheap, good and spare."""
    providers = {name: {"type": "sandbox"} for name in ("cheap", "good", "spare")}
    config = {"delivery": {"paused": True}, "providers": providers}
    started = Broker(tmp_path_factory.mktemp("broker"), config)
    yield started
    assert 0 == started.stop(), started.log.read_text()
