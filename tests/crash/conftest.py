"""A broker as a process of its own, which a test may kill at any moment and start again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

START = """
import json, sys
from pathlib import Path

from broker.app import run
from broker.settings import load_settings

sys.exit(run(load_settings(None, json.loads(sys.argv[1])), json=True))
"""
STOP_S_MAX = 30


class CrashBroker:
    """One data directory and, most of the time, a process that serves it on a free port."""

    def __init__(self, data_dir: Path, settings: dict[str, Any]) -> None:
        self.data_dir = data_dir
        self.address = ""
        self.key = ""
        self._settings = {"data_dir": str(data_dir), "server": {"listen": "127.0.0.1:0"}} | settings
        self._log = data_dir.with_suffix(".log")
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What every process so far wrote to standard error."""
        return self._log.read_text(encoding="utf-8")

    def start(self) -> None:
        """Start a process and wait until it serves."""
        self._spawn()
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the broker did not start:\n{self.log}"
        ready = json.loads(line)
        self.address = ready["address"]
        self.key = ready.get("admin_key", self.key)

    def start_and_kill(self, after_s: float) -> None:
        """Start a process and kill it a moment later, whether or not it serves by then."""
        self._spawn()
        time.sleep(after_s)
        self.kill()

    def kill(self) -> None:
        """Kill -9, and wait until the process is gone."""
        self._end(signal.SIGKILL)

    def ends_within(self, seconds: float) -> bool:
        """Whether the process ends by itself in this time."""
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        return True

    def stop(self) -> int:
        """Ask the process to end; its exit code."""
        return self._end(signal.SIGTERM)

    def close(self) -> None:
        """Let no process outlive the test."""
        if self._process is not None:
            self.kill()

    def _spawn(self) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, json.dumps(self._settings)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        process, self._process = self._process, None
        os.kill(process.pid, number)
        code = process.wait(STOP_S_MAX)
        assert process.stdout is not None
        process.stdout.close()
        return code


@pytest.fixture
def crash_broker(tmp_path: Path) -> Iterator[Callable[..., CrashBroker]]:
    """Makes brokers, not yet started; keywords are tables of the settings."""
    made: list[CrashBroker] = []

    def make(**settings: Any) -> CrashBroker:
        made.append(CrashBroker(tmp_path / f"broker-{len(made)}", settings))
        return made[-1]

    yield make
    for broker in made:
        broker.close()
