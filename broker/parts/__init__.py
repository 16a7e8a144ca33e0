"""The parts of a broker, each wired when it is first asked for. Only this package knows everyone.

It is built in storeys, and a part knows those of its own and of the lower ones. Nothing runs yet, and no provider was
started: that is `app`'s.
"""

from functools import cached_property, partial

from broker.api.convert.events import encode_event, join_frame
from broker.clock import SystemClock
from broker.delivery.feed import Feed, FeedLimits
from broker.delivery.janitor import Janitor
from broker.delivery.log_follower import COUNTING, INDEXING, LogFollower
from broker.delivery.retention import Retention
from broker.delivery.usage import UsageReports
from broker.domain.vocabulary import EventKind
from broker.parts.sending import Sending
from broker.settings import Settings
from broker.storage.engine import Engine
from broker.storage.keeping import Boot
from broker.storage.store import Commit


class Parts(Sending):
    """All that works over one open store, with what tells of it and what keeps house."""

    def __init__(self, settings: Settings, engine: Engine, found: Boot, clock: SystemClock) -> None:
        super().__init__(settings, engine, found, clock)
        self.registry.conduct_of = self.lanes.conduct_of
        self.store.on_commit(self._after_commit)
        self._watch()

    @cached_property
    def feed(self) -> Feed:
        """Streams events to subscribers."""
        feed = self.settings.feed
        limits = FeedLimits(
            subscribers_max=feed.subscribers_max,
            cache_bytes_max=feed.cache_bytes_max,
            frame_events_max=feed.frame_events_max,
            frame_bytes_max=feed.frame_bytes_max,
        )
        return Feed(self.store, self.found.store_id, encode=encode_event, join=join_frame, limits=limits)

    @cached_property
    def indexer(self) -> LogFollower:
        """Keeps the index that lists are read from."""
        return LogFollower(self.store, self.clock, INDEXING)

    @cached_property
    def usage_counter(self) -> LogFollower:
        """Counts what was sent."""
        return LogFollower(self.store, self.clock, COUNTING)

    @cached_property
    def usage(self) -> UsageReports:
        """What was sent, counted."""
        return UsageReports(self.store)

    @cached_property
    def janitor(self) -> Janitor:
        """Moves the log of the store, and forgets what is past use."""
        memory_s = self.settings.store.receipt_memory_s
        return Janitor(self.store, self.clock, receipt_memory_s=memory_s, metrics=self.metrics)

    @cached_property
    def retention(self) -> Retention:
        """Removes what is older than it should be kept."""
        store = self.settings.store
        return Retention(
            self.store,
            self.clock,
            event_retention_s=store.event_retention_s,
            message_retention_s=store.message_retention_s,
            ledger_retention_s=store.ledger_retention_s,
        )

    def _after_commit(self, commit: Commit) -> None:
        """Wake whoever waits for what was committed, and count it."""
        self.feed.hint(commit.accounts_with_events)
        self.webhooks.follower.hint(commit.accounts_with_events)
        self.indexer.hint(commit.accounts_with_events)
        if "RECEIVED" in commit.facts:
            self.inbound.errands.hint()
        self.usage_counter.hint(commit.accounts_with_events)
        if commit.facts.get(EventKind.OPT_IN.name):
            self.opt_in_forwarder.hint()
        if commit.work_is_due:
            self.dispatcher.hint()
        self.metrics.count_commit(commit.seconds, commit.calls, commit.facts)

    def _watch(self) -> None:
        """Gauges that are read when somebody looks."""
        watch, store, metrics = self.metrics.watch, self.store, self.metrics
        watch("store_calls_waiting", "Writes whose commit has not come back", lambda: store.calls_in_flight)
        if store.checkpoints:
            watch(
                "store_wal_pages", "Pages in the log at its last checkpoint", lambda: self.janitor.wal_pages
            )
        watch("subscribers", "Open Subscribe streams", lambda: self.feed.subscribers)
        watch("clock_jump_seconds", "Wall clock against the one followed", lambda: self.clock.jump_us / 1e6)
        watch(
            "webhook_calls_in_flight",
            "Calls to webhooks and callback URLs under way",
            lambda: self.webhooks.sender.running,
        )
        for instance in self.registry.all():
            name = instance.name
            metrics.in_flight.labels(name).set_function(partial(getattr, instance, "in_flight"))
            metrics.throttle_limit.labels(name).set_function(partial(self.lanes.limit_of, name))
