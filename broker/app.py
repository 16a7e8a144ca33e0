"""The composition root: the only file that knows everyone, and the life of a broker process.

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
import random
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import uvloop

from broker.api.convert.callbacks import callback_body, callback_parameters
from broker.api.convert.events import encode_event, join_frame
from broker.clock import SystemClock
from broker.delivery.callbacks import Callbacks
from broker.delivery.directory import Directory
from broker.delivery.dispatcher import Dispatcher, DispatchLimits
from broker.delivery.feed import Feed, FeedLimits
from broker.delivery.health_keeper import HealthKeeper
from broker.delivery.history import History
from broker.delivery.identities import Identities
from broker.delivery.indexer import Indexer
from broker.delivery.intake import Intake
from broker.delivery.janitor import Janitor
from broker.delivery.keys import Keys
from broker.delivery.lanes import Lanes
from broker.delivery.lending import Lender
from broker.delivery.poller import Poller
from broker.delivery.receipts import Receipts
from broker.delivery.redriving import Redriver
from broker.delivery.registry import Registry
from broker.delivery.rerouter import Rerouter
from broker.delivery.retention import Retention
from broker.delivery.route_hook import RouteHook
from broker.delivery.routes import Routes
from broker.delivery.templates import Templates
from broker.delivery.webhooks.request import Encoding
from broker.delivery.webhooks.works import build_webhooks
from broker.domain.access import Role
from broker.domain.decision import DeliveryPolicy
from broker.domain.ids import last_before_restart
from broker.domain.retry import RetryPolicy
from broker.domain.routes import Route, violations_of
from broker.listening import callback_base_of, check_listeners, listening, taken_http_port
from broker.metrics import Metrics
from broker.parts import Parts
from broker.plugins import PluginError, load_plugins
from broker.settings import DeliverySettings, FeedSettings, Settings, SettingsError
from broker.storage.engine import Engine
from broker.storage.keeping import Boot, NewAccount, boot, create_first_account, read_has_accounts
from broker.storage.migrate import load_migrations, migrate
from broker.storage.opening import open_engine
from broker.storage.questioning import release_leases
from broker.storage.store import Commit, Store
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


def open_store(settings: Settings, clock: SystemClock) -> tuple[Engine, Boot]:
    """The engine of the store: held for this process, on the newest schema, with this start counted."""
    try:
        engine = open_engine(settings.store.url.get_secret_value(), settings.data_dir)
    except ValueError as error:
        raise SettingsError(f"store.url {error}") from None
    try:
        connection = engine.connect()
        try:
            steps = migrate(connection, load_migrations(engine.dialect), clock.now_us())
            if steps:
                log.info("store.migrated", count=steps)
            (found,) = connection.write(lambda tx: boot(tx, [secrets.token_bytes(8)]), ())
        finally:
            connection.close()
    except BaseException:
        engine.close()
        raise
    return engine, found


def build_parts(settings: Settings, engine: Engine, found: Boot, clock: SystemClock) -> Parts:
    """Wire the parts. Nothing runs yet, and no provider was started."""
    metrics = Metrics()
    plugins = load_plugins()
    registry = Registry(plugins, settings.providers)
    of_settings = _routes_of(settings, registry)
    store = Store(engine, linger_s=settings.store.linger_s)
    last = last_before_restart(
        newest=found.newest_id, ceiling=found.id_ceiling, now_ms=clock.now_us() // 1_000
    )
    identities = Identities(store, clock, node=0, last=last)
    lanes = Lanes(
        registry,
        clock,
        metrics,
        in_flight_max=settings.delivery.in_flight_max,
        is_drained=registry.is_drained,
    )
    dispatcher, poller = _build_delivery(
        settings.delivery, store, registry, lanes, clock, found.boot, metrics
    )
    hook = RouteHook(plugins.hooks.get("waypost_route", ()), clock)
    templates = Templates(store, identities, clock, templates_max=settings.content.templates_max)
    routes = Routes(store, registry, clock, hook, of_settings=of_settings, standing_of=lanes.standing_of)
    receipts = Receipts(
        store,
        clock,
        metrics,
        spelling_of=registry.spelling_of,
        parked_max=settings.store.parked_receipts_max,
    )
    callbacks = Callbacks(store, registry, receipts)
    encoding = Encoding(callback_body, callback_parameters)
    webhooks = build_webhooks(
        settings.webhooks,
        store,
        identities,
        clock,
        fence=found.boot,
        encoding=encoding,
        chance=_new_chance(),
        metrics=metrics,
    )
    intake = Intake(
        store,
        identities,
        routes,
        templates,
        clock,
        units_max=settings.intake.units_max,
        request_id_memory_s=settings.intake.request_id_memory_s,
        style_classes=settings.content.style_classes,
        network=webhooks.book.network,
    )
    history = History(store, clock)
    parts = Parts(
        clock=clock,
        metrics=metrics,
        store=store,
        registry=registry,
        routes=routes,
        identities=identities,
        intake=intake,
        history=history,
        redriver=Redriver(store, intake, history),
        templates=templates,
        directory=Directory(
            store,
            identities,
            clock,
            contacts_max=settings.directory.contacts_max,
            groups_max=settings.directory.groups_max,
        ),
        feed=_build_feed(settings.feed, store, found.store_id),
        keys=Keys(store, clock),
        receipts=receipts,
        callbacks=callbacks,
        lender=Lender(store, clock, receipts, callbacks.url_of),
        lanes=lanes,
        dispatcher=dispatcher,
        poller=poller,
        rerouter=Rerouter(store, lanes, clock, hops_max=settings.delivery.hops_max, metrics=metrics),
        health_keeper=HealthKeeper(store, lanes, clock),
        janitor=Janitor(store, clock, receipt_memory_s=settings.store.receipt_memory_s, metrics=metrics),
        webhooks=webhooks,
        indexer=Indexer(store, clock),
        retention=Retention(
            store,
            clock,
            event_retention_s=settings.store.event_retention_s,
            message_retention_s=settings.store.message_retention_s,
        ),
    )
    registry.conduct_of = lanes.conduct_of
    store.on_commit(partial(_after_commit, parts))
    _watch(parts)
    return parts


def _routes_of(settings: Settings, registry: Registry) -> tuple[Route, ...] | None:
    """The routes in the settings, None where they name none. Raises SettingsError for rules they break."""
    if settings.routes is None:
        return None
    routes = tuple(each.route() for each in settings.routes)
    serving = {each.name: each.capabilities.channels for each in registry.all()}
    if violations := violations_of(routes, serving):
        raise SettingsError("\n".join(f"{each.field}: {each.rule}" for each in violations))
    return routes


def _build_delivery(
    delivery: DeliverySettings,
    store: Store,
    registry: Registry,
    lanes: Lanes,
    clock: SystemClock,
    fence: int,
    metrics: Metrics,
) -> tuple[Dispatcher, Poller]:
    policy = DeliveryPolicy(
        retry=RetryPolicy(
            attempts_max=delivery.attempts_max,
            hops_max=delivery.hops_max,
            base_s=delivery.retry_base_s,
            cap_s=delivery.retry_cap_s,
        ),
        receipt_overdue_s=delivery.receipt_overdue_s,
        doubt_first_s=delivery.doubt_first_s,
        question_cap_s=delivery.question_cap_s,
        crashes_max=delivery.crashes_max,
    )
    limits = DispatchLimits(delivery.batch_max, delivery.submit_timeout_s, delivery.lease_s)
    chance = _new_chance()
    dispatcher = Dispatcher(
        store,
        registry,
        lanes,
        clock,
        fence=fence,
        policy=policy,
        limits=limits,
        chance=chance,
        metrics=metrics,
    )
    poller = Poller(
        store,
        registry,
        clock,
        shut=lanes.shut,
        policy=policy,
        query_timeout_s=delivery.submit_timeout_s,
        lease_s=delivery.lease_s,
        chance=chance,
        metrics=metrics,
    )
    return dispatcher, poller


def _new_chance() -> Callable[[], float]:
    """Draws jitter. It only has to differ between processes, so the system's own source is not needed."""
    return random.Random(secrets.randbits(64)).random  # noqa: S311


def _build_feed(feed: FeedSettings, store: Store, store_id: bytes) -> Feed:
    limits = FeedLimits(
        subscribers_max=feed.subscribers_max,
        cache_bytes_max=feed.cache_bytes_max,
        frame_events_max=feed.frame_events_max,
        frame_bytes_max=feed.frame_bytes_max,
    )
    return Feed(store, store_id, encode=encode_event, join=join_frame, limits=limits)


def _after_commit(parts: Parts, commit: Commit) -> None:
    """Wake whoever waits for what was committed, and count it."""
    parts.feed.hint(commit.accounts_with_events)
    parts.webhooks.follower.hint(commit.accounts_with_events)
    parts.indexer.hint(commit.accounts_with_events)
    if commit.work_is_due:
        parts.dispatcher.hint()
    parts.metrics.count_commit(commit.seconds, commit.calls, commit.facts)


def _watch(parts: Parts) -> None:
    """Gauges that are read when somebody looks."""
    store, feed, clock, metrics = parts.store, parts.feed, parts.clock, parts.metrics
    metrics.watch(
        "store_calls_waiting", "Writes whose commit has not come back", lambda: store.calls_in_flight
    )
    if store.checkpoints:
        janitor = parts.janitor
        metrics.watch("store_wal_pages", "Pages in the log at its last checkpoint", lambda: janitor.wal_pages)
    metrics.watch("subscribers", "Open Subscribe streams", lambda: feed.subscribers)
    metrics.watch("clock_jump_seconds", "Wall clock against the one followed", lambda: clock.jump_us / 1e6)
    metrics.watch(
        "webhook_calls_in_flight",
        "Calls to webhooks and callback URLs under way",
        lambda: parts.webhooks.sender.running,
    )
    for instance in parts.registry.all():
        metrics.in_flight.labels(instance.name).set_function(partial(getattr, instance, "in_flight"))
        metrics.throttle_limit.labels(instance.name).set_function(
            partial(parts.lanes.limit_of, instance.name)
        )


async def open_first_account(parts: Parts, data_dir: Path) -> str | None:
    """A new store gets a default account and an admin key, which is answered and written to a file.

    The file comes first: if the process ends in between, the next start replaces it, and nobody is left
    with an account and no key.
    """
    if await parts.store.read(read_has_accounts):
        return None
    account_id, key_id = await parts.identities.take(2)
    account = NewAccount(account_id, "default", parts.clock.now_us())
    secret, key = parts.keys.draw(key_id, account_id, Role.ADMIN)
    await asyncio.to_thread(_write_private, data_dir / "admin.key", secret + "\n")
    await parts.store.write(create_first_account, [(account, key)], [account_id])
    return secret


def _write_private(path: Path, text: str) -> None:
    """A file that only its owner can read, on disk when this returns."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


@contextlib.asynccontextmanager
async def running_delivery(
    settings: Settings, parts: Parts, stop: Stop, callback_base: str
) -> AsyncIterator[None]:
    """Providers started, and delivery running, for as long as the block does; then all of it drained.

    Callback addresses begin with `callback_base`; "" where no HTTP is served.
    """
    tasks: list[asyncio.Task[None]] = []
    started = []
    try:
        lease_us = round(settings.delivery.lease_s * 1_000_000)
        await parts.routes.start()
        await parts.store.write(release_leases, [(parts.clock.now_us(), lease_us)])
        await parts.health_keeper.restore()
        await parts.callbacks.open(callback_base)
        for instance in parts.registry.all():
            try:
                async with asyncio.timeout(PROVIDER_START_S_MAX):
                    await instance.provider.start(parts.lender.lend(instance))
            except TimeoutError as error:
                raise PluginError(
                    f"[providers.{instance.name}] did not start within {PROVIDER_START_S_MAX:g} s"
                ) from error
            started.append(instance)
        jobs = [parts.identities.run(), parts.janitor.run(), parts.poller.run(), parts.health_keeper.run()]
        jobs += [parts.indexer.run(), parts.retention.run(), *parts.webhooks.jobs()]
        if not settings.delivery.paused:
            jobs += [parts.dispatcher.run(), parts.rerouter.run()]
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
            text += f"HTTP health, metrics and callbacks on {self.http_address}\n"
        if self.admin_key:
            text += f"Admin key (shown once, and kept in {self.data_dir}/admin.key): {self.admin_key}\n"
        return text


def run(settings: Settings, *, json: bool) -> int:
    """Run a broker until SIGTERM or SIGINT; answers the process's exit code.

    Raises SettingsError, PluginError, StoreLockedError, StoreUnfitError, MigrationError, BrokerError and OSError
    for what an operator can mend before anything was served.
    """
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
        parts = build_parts(settings, engine, found, clock)
        stop = Stop()
        parts.store.on_lost(partial(_give_way, stop))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.asked.set)
        async with running_delivery(settings, parts, stop, callback_base_of(settings.server, http)):
            admin_key = await open_first_account(parts, settings.data_dir)
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
