"""What everything else stands on: the store, who is who, and what holds for them."""

import random
import secrets
from collections.abc import Callable
from functools import cached_property

from broker.api.convert.callbacks import callback_body, callback_parameters
from broker.clock import SystemClock
from broker.delivery.accounts import Accounts
from broker.delivery.credits import Credits
from broker.delivery.directory import Directory
from broker.delivery.history import History
from broker.delivery.identities import Identities
from broker.delivery.keys import Keys
from broker.delivery.links import Links
from broker.delivery.payments import payments_of
from broker.delivery.pepper import mark_of
from broker.delivery.policies import Policies
from broker.delivery.prices import PriceBook
from broker.delivery.registry import Registry
from broker.delivery.senders import Senders
from broker.delivery.templates import Templates
from broker.delivery.webhooks.request import Encoding
from broker.delivery.webhooks.works import WebhookWorks, build_webhooks
from broker.domain.ids import last_before_restart
from broker.domain.prices import PriceList
from broker.metrics import Metrics
from broker.opening import pepper_of, routes_of
from broker.plugins import BoundHook, load_plugins
from broker.settings import Settings
from broker.storage.engine import Engine
from broker.storage.keeping import Boot
from broker.storage.store import Store
from broker.telemetry import mark_addresses_with


class Foundation:
    """The lowest parts, and what they were made from. Make it within the event loop that it works in.

    Raises SettingsError and PluginError for what the settings or the plugins have wrong.
    """

    def __init__(self, settings: Settings, engine: Engine, found: Boot, clock: SystemClock) -> None:
        self.settings = settings
        self.found = found
        self.clock = clock
        self.metrics = Metrics()
        self.plugins = load_plugins()
        self.registry = Registry(self.plugins, settings.providers)
        self.routes_of_settings = routes_of(settings, self.registry)
        self.pepper = pepper_of(settings)
        self.pepper_mark = mark_of(self.pepper)
        mark_addresses_with(self.pepper)
        types = frozenset(each.type for each in self.registry.all())
        self._payments = payments_of(settings.payments, self.plugins, types)
        # Whatever may be wrong was found by now: from here on something has to be closed.
        self.store = Store(engine, linger_s=settings.store.linger_s)

    def hooks(self, name: str) -> tuple[BoundHook, ...]:
        """Those of the plugins that have this one."""
        return tuple(self.plugins.hooks.get(name, ()))

    def new_chance(self) -> Callable[[], float]:
        """Draws jitter. It only has to differ between processes, so the system's own source is not needed."""
        return random.Random(secrets.randbits(64)).random  # noqa: S311

    @cached_property
    def identities(self) -> Identities:
        """Hands out ids."""
        now_ms = self.clock.now_us() // 1_000
        last = last_before_restart(newest=self.found.newest_id, ceiling=self.found.id_ceiling, now_ms=now_ms)
        return Identities(self.store, self.clock, node=0, last=last)

    @cached_property
    def keys(self) -> Keys:
        """Knows callers by their keys."""
        return Keys(self.store, self.clock, self.pepper)

    @cached_property
    def accounts(self) -> Accounts:
        """The accounts and their keys, as callers administer them."""
        accounts_max = self.settings.accounts.accounts_max
        return Accounts(self.store, self.identities, self.clock, accounts_max=accounts_max)

    @cached_property
    def policies(self) -> Policies:
        """What holds for an account."""
        return Policies(self.store, self.clock)

    @cached_property
    def prices(self) -> PriceBook:
        """What messages cost."""
        return PriceBook(self.store, self.registry, self.clock, self.settings.credits.currency)

    def prices_now(self) -> PriceList:
        """Those in force."""
        return self.prices.prices

    @cached_property
    def credit(self) -> Credits:
        """What accounts have bought."""
        return Credits(
            self.store,
            self.identities,
            self.clock,
            self._payments,
            currency=self.settings.credits.currency,
            purchase_micros_min=self.settings.credits.purchase_micros_min,
        )

    @cached_property
    def senders(self) -> Senders:
        """Who messages may be from."""
        providers = frozenset(each.name for each in self.registry.all())
        return Senders(self.store, self.identities, self.clock, providers=providers)

    @cached_property
    def directory(self) -> Directory:
        """The contacts and groups."""
        limits = self.settings.directory
        return Directory(
            self.store,
            self.identities,
            self.clock,
            contacts_max=limits.contacts_max,
            groups_max=limits.groups_max,
        )

    @cached_property
    def templates(self) -> Templates:
        """Stored content."""
        templates_max = self.settings.content.templates_max
        return Templates(self.store, self.identities, self.clock, templates_max=templates_max)

    @cached_property
    def history(self) -> History:
        """What became of messages."""
        return History(self.store, self.clock)

    @cached_property
    def links(self) -> Links:
        """Where short links lead."""
        return Links(self.store, self.clock)

    @cached_property
    def webhooks(self) -> WebhookWorks:
        """Calls the URLs of callers."""
        return build_webhooks(
            self.settings.webhooks,
            self.store,
            self.identities,
            self.clock,
            fence=self.found.boot,
            encoding=Encoding(callback_body, callback_parameters),
            chance=self.new_chance(),
            metrics=self.metrics,
        )
