"""Provider instances start together, a start that fails leaves none behind, and garbage is collected again."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from broker import app
from broker.delivery.registry import Instance
from broker.plugins import PluginError
from broker.spi import Context
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry


class Starting(ScriptedProvider):
    """Starts as it is told to: it waits for `wait`, or raises `error`. Keeps whether it was cancelled."""

    def __init__(self, wait: Any = None, error: Exception | None = None) -> None:
        super().__init__()
        self._wait = wait
        self._error = error
        self.cancelled = False

    async def start(self, context: Context) -> None:
        """Once what it waits for is there."""
        try:
            if self._wait is not None:
                await self._wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self._error is not None:
            raise self._error


async def start(started: list[Instance], **providers: ScriptedProvider) -> None:
    """As the broker does; no context is needed here."""
    await app.start_providers(scripted_registry(**providers).all(), lambda _instance: None, started)


async def test_instances_start_together() -> None:
    """Each here waits until the other has begun."""
    both = asyncio.Barrier(2)
    started: list[Instance] = []
    await start(started, one=Starting(both.wait), other=Starting(both.wait))
    assert {"one", "other"} == {each.name for each in started}


async def test_the_first_failure_ends_the_start_of_the_others() -> None:
    """It is raised as it is, and who had started is known, to be stopped."""
    hanging = Starting(asyncio.Event().wait)
    started: list[Instance] = []
    failing = Starting(lambda: asyncio.sleep(0), ValueError("no such account"))
    with pytest.raises(ValueError, match="no such account"):
        await start(started, quick=Starting(), hanging=hanging, failing=failing)
    assert ["quick"] == [each.name for each in started]
    assert hanging.cancelled


async def test_one_that_never_starts_is_named(monkeypatch) -> None:
    """With how long it was waited for."""
    monkeypatch.setattr(app, "PROVIDER_START_S_MAX", 0.01)
    started: list[Instance] = []
    with pytest.raises(PluginError, match=r"\[providers.hanging\] did not start within 0.01 s"):
        await start(started, hanging=Starting(asyncio.Event().wait))
    assert [] == started


def test_garbage_is_collected_once_the_broker_runs() -> None:
    """The command switches it off for the imports; here the run ends at its first rule."""
    program = """
import gc
gc.disable()
from broker import app
from broker.settings import Settings, SettingsError
try:
    app.run(Settings(server={"listen": "0.0.0.0:0"}), json=True)
except SettingsError:
    print(gc.isenabled())
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "True\n" == ran.stdout
