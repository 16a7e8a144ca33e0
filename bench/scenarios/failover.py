"""One of three providers fails: how much more is attempted, and what the others' messages notice of it.

The delivery runs in this process, over a store of its own, with providers that fail as upstreams do.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from statistics import quantiles

import structlog

from bench.measure import Line, Run
from bench.stage import Stage
from broker.domain.ids import format_id
from broker.domain.lifecycle import ENDS
from broker.storage.keeping import NewAccount, create_accounts
from broker.storage.migrate import load_migrations, migrate
from broker.storage.sqlite import SqliteEngine
from broker.storage.store import Store
from broker.testing.builders import NOW_US, phones
from broker.testing.faulty_provider import Fault, FaultyProvider
from broker.testing.running_delivery import RunningDelivery, running_delivery
from broker.testing.store_suite import ACCOUNTS

NAMES = ("acme", "west", "east")
CALL_MESSAGES = 30
CALL_EVERY_S = 0.03
LATENCY_S = 0.005


async def measure(stage: Stage) -> Sequence[Line]:
    """Attempts a message, and the 99th percentile of the others' way to their provider in milliseconds."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    messages = stage.scale.messages_failed_over
    calm_attempts, calm_ms = await _play(stage, None, messages)
    lines = []
    for fault in Fault:
        attempts, slow_ms = await _play(stage, fault, messages)
        name = fault.name.lower()
        lines += [
            Line("failover", f"{name}: attempts a message", "attempts", [attempts], "calm", [calm_attempts]),
            Line("failover", f"{name}: the others' p99", "ms", [slow_ms], "calm", [calm_ms]),
        ]
    return lines


async def _play(stage: Stage, fault: Fault | None, messages: int) -> tuple[Run, Run]:
    """Messages for all three instances, of which the first fails; until every one has ended."""
    engine = SqliteEngine(stage.new_data_dir())
    connection = engine.connect()
    migrate(connection, load_migrations(), NOW_US)
    connection.close()
    store = Store(engine)
    try:
        await store.write(create_accounts, [NewAccount(each, "bench", NOW_US) for each in ACCOUNTS], ACCOUNTS)
        providers = {name: FaultyProvider(latency_s=LATENCY_S, batch_max=50) for name in NAMES}
        providers["acme"].fault = fault
        async with running_delivery(store, providers) as running:
            sent = await _send_all(running, messages)
            while not set((await running.bench.states(list(sent))).values()) <= ENDS:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
    finally:
        await store.close()
    attempts = sum(each.attempts for each in providers.values()) / len(sent)
    waits_ms = [
        1e3 * (providers[first].taken_at[format_id(message_id)] - stored_at)
        for message_id, (first, stored_at) in sent.items()
        if first != "acme" and format_id(message_id) in providers[first].taken_at
    ]
    return Run(attempts), Run(quantiles(waits_ms, n=100)[98])


async def _send_all(running: RunningDelivery, messages: int) -> dict[int, tuple[str, float]]:
    """A steady load; for each message the instance that is its first candidate, and when it was stored."""
    sent: dict[int, tuple[str, float]] = {}
    for number in range(messages // CALL_MESSAGES):
        began = time.monotonic()
        order = NAMES[number % 3 :] + NAMES[: number % 3]
        stored = await running.send(recipients=phones(CALL_MESSAGES), candidates=order)
        sent |= dict.fromkeys(stored, (order[0], time.monotonic()))
        await asyncio.sleep(max(0.0, CALL_EVERY_S - (time.monotonic() - began)))
    return sent
