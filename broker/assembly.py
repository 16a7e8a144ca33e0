"""The composition: from settings to parts that know each other. The only file that knows everyone."""

import random
import secrets
from collections.abc import Callable
from functools import partial

import structlog

from broker.api.convert.broadcasts import stored_wish
from broker.api.convert.callbacks import callback_body, callback_parameters
from broker.api.convert.events import encode_event, join_frame
from broker.clock import SystemClock
from broker.delivery.accounts import Accounts
from broker.delivery.admit_hook import AdmitHook
from broker.delivery.broadcasts.control import Broadcasts
from broker.delivery.broadcasts.expander import Expander
from broker.delivery.broadcasts.uploads import Uploads
from broker.delivery.broadcasts.upstream import UpstreamBroadcasts
from broker.delivery.callbacks import Callbacks
from broker.delivery.consents import Consents
from broker.delivery.credits import Credits
from broker.delivery.directory import Directory
from broker.delivery.dispatcher import Dispatcher, DispatchLimits
from broker.delivery.feed import Feed, FeedLimits
from broker.delivery.health_keeper import HealthKeeper
from broker.delivery.history import History
from broker.delivery.identities import Identities
from broker.delivery.inbound_works import build_inbound_works, build_inbox
from broker.delivery.intake import Intake
from broker.delivery.janitor import Janitor
from broker.delivery.keys import Keys
from broker.delivery.keywords import Keywords
from broker.delivery.lanes import Lanes
from broker.delivery.lending import Lender
from broker.delivery.links import Links
from broker.delivery.log_follower import COUNTING, INDEXING, LogFollower
from broker.delivery.opt_in_forwarder import OptInForwarder
from broker.delivery.payments import payments_of
from broker.delivery.pepper import BYTES, FILE_NAME, found_or_drawn_pepper, mark_of, read_pepper
from broker.delivery.policies import Policies
from broker.delivery.poller import Poller
from broker.delivery.prices import PriceBook
from broker.delivery.receipts import Receipts
from broker.delivery.redriving import Redriver
from broker.delivery.registry import Registry
from broker.delivery.reports import Reports
from broker.delivery.rerouter import Rerouter
from broker.delivery.retention import Retention
from broker.delivery.route_hook import RouteHook
from broker.delivery.routes import Routes
from broker.delivery.senders import Senders
from broker.delivery.templates import Templates
from broker.delivery.upstream_keywords import UpstreamKeywords
from broker.delivery.usage import UsageReports
from broker.delivery.webhooks.request import Encoding
from broker.delivery.webhooks.works import build_webhooks
from broker.domain.decision import DeliveryPolicy
from broker.domain.ids import last_before_restart
from broker.domain.links import CODE_BITS
from broker.domain.retry import RetryPolicy
from broker.domain.routes import Route, violations_of
from broker.domain.vocabulary import EventKind
from broker.metrics import Metrics
from broker.parts import Parts
from broker.plugins import Plugins, load_plugins
from broker.settings import DeliverySettings, FeedSettings, Settings, SettingsError
from broker.storage.engine import Engine
from broker.storage.keeping import Boot, boot
from broker.storage.migrate import load_migrations, migrate
from broker.storage.opening import open_engine
from broker.storage.store import Commit, Store
from broker.telemetry import mark_addresses_with

log = structlog.get_logger("waypost")


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
    pepper = _pepper_of(settings)
    mark_addresses_with(pepper)
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
    policies = Policies(store, clock)
    prices = PriceBook(store, registry, clock, settings.credits.currency)
    credit = _build_credit(settings, store, identities, registry, clock, plugins)
    templates = Templates(store, identities, clock, templates_max=settings.content.templates_max)
    senders = Senders(store, identities, clock, providers=frozenset(each.name for each in registry.all()))
    routes = Routes(store, registry, clock, hook, of_settings=of_settings, standing_of=lanes.standing_of)
    receipts = Receipts(
        store,
        clock,
        metrics,
        spelling_of=registry.spelling_of,
        parked_max=settings.store.parked_receipts_max,
    )
    inbound_hooks = plugins.hooks.get("waypost_inbound", ())
    inbox = build_inbox(
        settings.inbound,
        store,
        identities,
        registry,
        clock,
        metrics,
        contacts_max=settings.directory.contacts_max,
        hooks=inbound_hooks,
    )
    reports = Reports(receipts, inbox)
    callbacks = Callbacks(store, registry, reports)
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
        policies,
        senders,
        clock,
        units_max=settings.intake.units_max,
        request_id_memory_s=settings.intake.request_id_memory_s,
        style_classes=settings.content.style_classes,
        network=webhooks.book.network,
        admit=AdmitHook(plugins.hooks.get("waypost_admit", ()), clock),
        prices_now=lambda: prices.prices,
        draw_code=partial(secrets.randbits, CODE_BITS),
    )
    inbound = build_inbound_works(
        settings.inbound, store, intake, policies, registry, clock, metrics, inbound_hooks
    )
    webhooks.sender.answered = inbound.waiting
    broadcasts, expander, upstream_broadcasts = _build_broadcasts(
        settings, store, identities, intake, policies, clock, registry
    )
    history = History(store, clock)
    forwarder = OptInForwarder(
        store,
        registry,
        clock,
        timeout_s=settings.delivery.submit_timeout_s,
        lease_s=settings.delivery.lease_s,
    )
    parts = Parts(
        clock=clock,
        metrics=metrics,
        store=store,
        registry=registry,
        routes=routes,
        prices=prices,
        credit=credit,
        identities=identities,
        intake=intake,
        broadcasts=broadcasts,
        expander=expander,
        upstream_broadcasts=upstream_broadcasts,
        uploads=Uploads(
            store,
            identities,
            policies,
            clock,
            bytes_max=settings.broadcasts.file_bytes_max,
            rows_max=settings.broadcasts.file_rows_max,
        ),
        history=history,
        redriver=Redriver(store, intake, history),
        templates=templates,
        consents=Consents(store, forwarder, clock),
        opt_in_forwarder=forwarder,
        senders=senders,
        directory=Directory(
            store,
            identities,
            clock,
            contacts_max=settings.directory.contacts_max,
            groups_max=settings.directory.groups_max,
        ),
        feed=_build_feed(settings.feed, store, found.store_id),
        keys=Keys(store, clock, pepper),
        pepper_mark=mark_of(pepper),
        accounts=Accounts(store, identities, clock, accounts_max=settings.accounts.accounts_max),
        receipts=receipts,
        callbacks=callbacks,
        lender=Lender(store, clock, reports, callbacks.url_of),
        lanes=lanes,
        dispatcher=dispatcher,
        poller=poller,
        rerouter=Rerouter(store, lanes, clock, hops_max=settings.delivery.hops_max, metrics=metrics),
        health_keeper=HealthKeeper(store, lanes, clock),
        janitor=Janitor(store, clock, receipt_memory_s=settings.store.receipt_memory_s, metrics=metrics),
        webhooks=webhooks,
        inbound=inbound,
        keywords=Keywords(
            store,
            clock,
            policies,
            network=webhooks.book.network,
            prices_now=lambda: prices.prices,
            upstream=UpstreamKeywords(registry),
        ),
        indexer=LogFollower(store, clock, INDEXING),
        usage_counter=LogFollower(store, clock, COUNTING),
        usage=UsageReports(store),
        links=Links(store, clock),
        policies=policies,
        retention=Retention(
            store,
            clock,
            event_retention_s=settings.store.event_retention_s,
            message_retention_s=settings.store.message_retention_s,
            ledger_retention_s=settings.store.ledger_retention_s,
        ),
    )
    registry.conduct_of = lanes.conduct_of
    store.on_commit(partial(_after_commit, parts))
    _watch(parts)
    return parts


def _build_credit(
    settings: Settings,
    store: Store,
    identities: Identities,
    registry: Registry,
    clock: SystemClock,
    plugins: Plugins,
) -> Credits:
    provider_types = frozenset(each.type for each in registry.all())
    return Credits(
        store,
        identities,
        clock,
        payments_of(settings.payments, plugins, provider_types),
        currency=settings.credits.currency,
        purchase_micros_min=settings.credits.purchase_micros_min,
    )


def _build_broadcasts(
    settings: Settings,
    store: Store,
    identities: Identities,
    intake: Intake,
    policies: Policies,
    clock: SystemClock,
    registry: Registry,
) -> tuple[Broadcasts, Expander, UpstreamBroadcasts]:
    expander = Expander(
        store,
        identities,
        intake,
        policies,
        clock,
        decode=stored_wish,
        batch_max=settings.broadcasts.batch_max,
        ahead_max=settings.broadcasts.ahead_max,
    )
    upstream = UpstreamBroadcasts(
        store,
        registry,
        clock,
        plan=expander.plan,
        wish=expander.wish,
        timeout_s=settings.delivery.submit_timeout_s,
        poll_s=settings.broadcasts.upstream_poll_s,
    )

    def hint() -> None:
        expander.hint()
        upstream.hint()

    broadcasts = Broadcasts(
        store,
        identities,
        intake,
        clock,
        upstream,
        request_id_memory_s=settings.intake.request_id_memory_s,
        active_max=settings.broadcasts.active_max,
        hint=hint,
    )
    return broadcasts, expander, upstream


def _routes_of(settings: Settings, registry: Registry) -> tuple[Route, ...] | None:
    """The routes in the settings, None where they name none. Raises SettingsError for rules they break."""
    if settings.routes is None:
        return None
    routes = tuple(each.route() for each in settings.routes)
    serving = {each.name: each.capabilities.channels for each in registry.all()}
    if violations := violations_of(routes, serving):
        raise SettingsError("\n".join(f"{each.field}: {each.rule}" for each in violations))
    return routes


def _pepper_of(settings: Settings) -> bytes:
    """What the hashes of keys are made with. Raises SettingsError for a file without one."""
    path = settings.keys.pepper_file
    try:
        return found_or_drawn_pepper(settings.data_dir) if path is None else read_pepper(path)
    except OSError as error:
        raise SettingsError(f"keys.pepper_file: {error.filename}: {error.strerror}") from error
    except ValueError:
        where = settings.data_dir / FILE_NAME if path is None else path
        raise SettingsError(f"keys.pepper_file: {where} must hold {2 * BYTES} hexadecimal digits") from None


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
    if "RECEIVED" in commit.facts:
        parts.inbound.errands.hint()
    parts.usage_counter.hint(commit.accounts_with_events)
    if commit.facts.get(EventKind.OPT_IN.name):
        parts.opt_in_forwarder.hint()
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
