"""The life of a broker process.

Start: settings, plugins, store (locked, migrated, boot counted), identities, providers, delivery, and last
the listening socket, so that whoever can connect can be served. Stop, on SIGTERM or SIGINT: refuse new
calls, end the streams, let open attempts settle, stop the providers, commit and close the store.
"""

import asyncio
import contextlib
import gc
import importlib.metadata
import json as json_format
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import uvloop

from broker.clock import SystemClock
from broker.delivery.keys import KeyWish
from broker.delivery.pepper import write_private
from broker.delivery.registry import Instance
from broker.domain.access import Role
from broker.listening import callback_base_of, check_listeners, listening, taken_http_port
from broker.opening import open_store
from broker.parts import Parts
from broker.plugins import PluginError
from broker.settings import Settings, SettingsError
from broker.spi import Context
from broker.storage.keeping import (
    NewAccount,
    PepperMark,
    create_first_account,
    create_keys,
    keep_pepper_mark,
    read_first_account,
    read_has_accounts,
)
from broker.storage.questioning import release_leases
from broker.telemetry import configure_logging, places_of

log = structlog.get_logger("waypost")

VERSION = importlib.metadata.version("waypost-broker")
SWITCH_INTERVAL_S = 0.0005
"""The writer thread gives up the GIL at every step of SQLite; this is how long it waits to get it back."""

PROVIDER_START_S_MAX = 60.0
PROVIDER_STOP_S_MAX = 10.0


@dataclass(slots=True)
class Stop:
    """How the process is asked to end, and whether that is because something failed."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    exit_code: int = 0


async def open_first_account(parts: Parts, data_dir: Path) -> str | None:
    """A new store gets a default account and an admin key, which is answered and written to a file.

    The file comes first: if the process ends in between, the next start replaces it, and nobody is left
    with an account and no key.
    """
    if await parts.store.read(read_has_accounts):
        return None
    account_id, key_id = await parts.identities.take(2)
    account = NewAccount(account_id, "default", parts.clock.now_us())
    secret, key = parts.keys.draw(
        key_id, KeyWish(account_id, Role.ADMIN, description="made at the first start")
    )
    await asyncio.to_thread(write_private, data_dir / "admin.key", secret + "\n")
    await parts.store.write(create_first_account, [(account, key)], [account_id])
    return secret


async def check_pepper(settings: Settings, parts: Parts) -> str | None:
    """Raise SettingsError where the keys of the store were made with another pepper: none of them would work.

    Where the operator says that it is replaced, a new admin key of the oldest account is answered and written.
    """
    replaces = settings.keys.replace_pepper
    (before,) = await parts.store.write(keep_pepper_mark, [PepperMark(parts.pepper_mark, replaces)])
    if before in {"", parts.pepper_mark}:
        return None
    if not replaces:
        raise SettingsError(
            "keys.pepper_file: the keys of this store were made with another pepper; bring back the file (key.pepper "
            "of the data directory, where the setting names no other), or end all keys with keys.replace_pepper = true"
        )
    account_id = await parts.store.read(read_first_account)
    if account_id is None:
        return None
    (key_id,) = await parts.identities.take(1)
    wish = KeyWish(account_id, Role.ADMIN, description="made when the pepper was replaced")
    secret, key = parts.keys.draw(key_id, wish)
    await asyncio.to_thread(write_private, settings.data_dir / "admin.key", secret + "\n")
    await parts.store.write(create_keys, [key], [account_id])
    return secret


@contextlib.asynccontextmanager
async def running_delivery(
    settings: Settings, parts: Parts, stop: Stop, callback_base: str
) -> AsyncIterator[None]:
    """Providers started, and delivery running, for as long as the block does; then all of it drained.

    Callback addresses begin with `callback_base`; "" where no HTTP is served.
    """
    tasks: list[asyncio.Task[None]] = []
    started: list[Instance] = []
    try:
        lease_us = round(settings.delivery.lease_s * 1_000_000)
        await parts.routes.start()
        await parts.prices.start()
        await parts.credit.start()
        await parts.uploads.sweep()
        await parts.store.write(release_leases, [(parts.clock.now_us(), lease_us)])
        await parts.health_keeper.restore()
        await parts.callbacks.open(callback_base)
        await start_providers(parts.registry.all(), parts.lender.lend, started)
        jobs = [parts.identities.run(), parts.janitor.run(), parts.poller.run(), parts.health_keeper.run()]
        jobs += [
            parts.indexer.run(),
            parts.inbound.errands.run(),
            parts.inbound.keeper.run(),
            parts.usage_counter.run(),
            parts.retention.run(),
            *parts.webhooks.jobs(),
        ]
        jobs.append(parts.opt_in_forwarder.run())
        if not settings.delivery.paused:
            jobs += [parts.dispatcher.run(), parts.rerouter.run(), parts.upstream_broadcasts.run()]
        jobs.append(parts.expander.run())
        tasks += [asyncio.create_task(_watched(job, stop)) for job in jobs]
        yield
    finally:
        drain_s = settings.server.drain_s
        await asyncio.gather(parts.dispatcher.drain(drain_s), parts.webhooks.sender.drain(drain_s))
        if started:
            await parts.health_keeper.keep()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for instance in started:
            try:
                await asyncio.wait_for(instance.provider.stop(), PROVIDER_STOP_S_MAX)
            except Exception as error:  # noqa: BLE001 - one provider's failure must not keep the rest open
                log.error("provider.stop_failed", instance=instance.name, error=type(error).__name__)
        await parts.lender.close()
        await parts.store.close()


async def start_providers(
    instances: Iterable[Instance], lend: Callable[[Instance], Context], started: list[Instance]
) -> None:
    """Start them all at once; those that have started are in `started` also where this raises.

    The first failure ends the start of the others, and is raised as it is; one that takes too long is a PluginError.
    """

    async def start(instance: Instance) -> None:
        try:
            async with asyncio.timeout(PROVIDER_START_S_MAX):
                await instance.provider.start(lend(instance))
        except TimeoutError as error:
            raise PluginError(
                f"[providers.{instance.name}] did not start within {PROVIDER_START_S_MAX:g} s"
            ) from error
        started.append(instance)

    starting = [asyncio.create_task(start(instance)) for instance in instances]
    try:
        await asyncio.gather(*starting)
    finally:
        for task in starting:
            task.cancel()
        await asyncio.gather(*starting, return_exceptions=True)


async def _watched(job: Coroutine[Any, Any, None], stop: Stop) -> None:
    """Run a job that should never end; if it fails, stop the process rather than limp on without it."""
    try:
        await job
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        log.error("broker.job_failed", exception=type(error).__qualname__, at=places_of(error))
        stop.exit_code = 1
        stop.asked.set()
        raise


def _give_way(stop: Stop) -> None:
    """Another process has the store: this one can only confuse those who talk to it."""
    if not stop.asked.is_set():
        log.error("broker.store_lost")
        stop.exit_code = 1
        stop.asked.set()


@dataclass(frozen=True, slots=True)
class Ready:
    """What whoever started the broker wants to know. `admin_key` is set on the first start only."""

    address: str
    http_address: str | None
    data_dir: str
    store: str
    admin_key: str | None

    def lines(self, *, json: bool) -> str:
        """One JSON line for programs, a few lines for people."""
        if json:
            line: dict[str, object] = {
                "event": "ready",
                "address": self.address,
                "http_address": self.http_address,
                "data_dir": self.data_dir,
                "store": self.store,
                "version": VERSION,
                "pid": os.getpid(),
            }
            if self.admin_key:
                line["admin_key"] = self.admin_key
            return json_format.dumps(line) + "\n"
        text = f"Waypost {VERSION} serves gRPC on {self.address}, data in {self.data_dir}\n"
        if not self.store.endswith(self.data_dir):
            text += f"Messages in {self.store}\n"
        if self.http_address:
            text += f"HTTP health, metrics, callbacks and short links on {self.http_address}\n"
        if self.admin_key:
            text += f"Admin key (shown once, and kept in {self.data_dir}/admin.key): {self.admin_key}\n"
        return text


def run(settings: Settings, *, json: bool) -> int:
    """Run a broker until SIGTERM or SIGINT; answers the process's exit code.

    Raises SettingsError, PluginError, StoreLockedError, StoreUnfitError, MigrationError, BrokerError and OSError
    for what an operator can mend before anything was served. Takes up garbage collection where it was switched off
    for the import of this module.
    """
    gc.freeze()  # what was imported stays; to look for the 1.4 MB in it that do not takes 80 ms
    gc.enable()
    configure_logging(json=json or not sys.stderr.isatty())
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    check_listeners(settings.server)
    return uvloop.run(_serve(settings, json=json))


def _calm_garbage_collection() -> None:
    """Look for garbage less often, and never again at what the start made.

    Python's defaults look through everything every few thousand calls, which holds up each of them
    (measured: the 99th percentile of a busy Send was 50 ms, and 30 ms so).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


async def _serve(settings: Settings, *, json: bool) -> int:
    clock = SystemClock()
    with taken_http_port(settings.server) as http:
        engine, found = open_store(settings, clock)
        parts = Parts(settings, engine, found, clock)
        stop = Stop()
        parts.store.on_lost(partial(_give_way, stop))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.asked.set)
        async with running_delivery(settings, parts, stop, callback_base_of(settings.server, http)):
            admin_key = await check_pepper(settings, parts)
            admin_key = await open_first_account(parts, settings.data_dir) or admin_key
            async with listening(settings, parts, http) as address:
                http_address = None if http is None else http.address
                log.info("broker.ready", listen=address, http_listen=http_address, boot=found.boot)
                _calm_garbage_collection()
                ready = Ready(address, http_address, str(settings.data_dir), engine.place, admin_key)
                sys.stdout.write(ready.lines(json=json))
                sys.stdout.flush()
                await stop.asked.wait()
                log.info("broker.draining", seconds=settings.server.drain_s)
    log.info("broker.stopped")
    return stop.exit_code
