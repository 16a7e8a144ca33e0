"""The kit's pytest plugin: fixtures for tests of a provider.

It comes with the broker's distribution and is always loaded, so it imports pytest and nothing else; what a
fixture needs is imported when a test asks for it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from broker.testing.broker_process import BrokerProcess
    from broker.testing.clock import ManualClock
    from broker.testing.lending import Lent, Reports
    from broker.testing.upstream import Upstream


@pytest.fixture
def upstream() -> "Iterator[Upstream]":
    """A fake upstream on a loopback port: set `upstream.answer`, plan faults with `upstream.fail`."""
    from broker.testing.upstream import Upstream

    with Upstream() as running:
        yield running
    if running.defects:
        raise AssertionError("the upstream's answer raised") from running.defects[0]


@pytest.fixture
def clock() -> "ManualClock":
    """A clock that stands still until the test says `clock.advance(seconds)`."""
    from broker.testing.clock import ManualClock

    return ManualClock()


@pytest.fixture
def reports() -> "Reports":
    """What the provider under test reported: `reports.facts`; it raises while `reports.failures_left`."""
    from broker.testing.lending import Reports

    return Reports()


@pytest.fixture
def lent(clock: "ManualClock", reports: "Reports") -> "Lent":
    """All that a provider is started with: the clock and the reports of this test, a log, keepsakes."""
    from broker.testing.lending import Lent

    return Lent(clock=clock, reports=reports)


@pytest.fixture
def running_provider(lent: "Lent") -> Callable[..., Any]:
    """Run a provider for a block.

    As in `async with running_provider(ACME, {"url": upstream.url}) as acme`.

    `await acme.submit(message)` and its like call it; it has this test's `clock` and `reports`.
    """
    from functools import partial

    from broker.testing.running import running_provider as run

    return partial(run, lent=lent)


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Callable[..., BrokerProcess]]":
    """Start a real broker with provider instances: `broker(acme={"type": "acme", "url": upstream.url})`.

    It is a process of its own with a data directory of its own, and gone after the test. See BrokerProcess.
    """
    from broker.testing.broker_process import BrokerProcess

    with ExitStack() as running:

        def start(settings: dict[str, Any] | None = None, **providers: dict[str, Any]) -> BrokerProcess:
            directory: Path = tmp_path_factory.mktemp("broker")
            return running.enter_context(BrokerProcess(directory, providers, settings or {}))

        yield start
