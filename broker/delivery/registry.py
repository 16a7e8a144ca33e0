"""The configured provider instances: which there are, which serve a channel, and how busy they are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from broker.domain.health import HealthView
from broker.domain.routing import Carrier
from broker.domain.throttle import ThrottleView
from broker.domain.vocabulary import Channel
from broker.plugins import Plugins
from broker.settings import InstanceSettings, instance_settings
from broker.spi import Capabilities, Idempotency, IdSpelling, Provider, ReceiptMode, TextProfile


@dataclass(frozen=True, slots=True)
class Conduct:
    """How an instance is doing, and how fast it is given messages."""

    health: HealthView
    throttle: ThrottleView


@dataclass(frozen=True, slots=True)
class InstanceView:
    """A configured instance as an operator sees it. `conduct` is None where nobody watches it."""

    name: str
    type: str
    capabilities: Capabilities
    drained: bool
    in_flight: int
    conduct: Conduct | None = None


@dataclass(frozen=True, slots=True)
class TypeView:
    """An installed provider type, or a plugin that is broken (`error` is its traceback)."""

    name: str
    distribution: str
    version: str
    channels: frozenset[Channel]
    error: str


@dataclass(slots=True)
class Instance:
    """A running provider. `in_flight` counts its attempts without an outcome in this process.

    `settings` are the broker's own about it.
    """

    name: str
    type: str
    provider: Provider
    capabilities: Capabilities
    settings: InstanceSettings
    in_flight: int = 0

    @property
    def gives_receipts(self) -> bool:
        """Whether what it takes is reported on later."""
        return self.capabilities.receipts is not ReceiptMode.NONE

    @property
    def keeps_keys(self) -> bool:
        """Whether it ignores a message that it took before."""
        return self.capabilities.idempotency is Idempotency.KEY


class Registry:
    """The instances in the order of the settings, which is the order of preference."""

    def __init__(self, plugins: Plugins, tables: Mapping[str, Mapping[str, object]]) -> None:
        self._plugins = plugins
        self.conduct_of: Callable[[str], Conduct | None] = lambda _name: None
        """Whoever watches the instances sets it once."""

        self._instances: dict[str, Instance] = {}
        for name, table in tables.items():
            provider = plugins.create(name, table)
            self._instances[name] = Instance(
                name, str(table["type"]), provider, provider.capabilities, instance_settings(name, table)
            )
        self._drained: frozenset[str] = frozenset()
        self._serving = {
            channel: tuple(
                name for name, each in self._instances.items() if channel in each.capabilities.channels
            )
            for channel in Channel
        }

    def get(self, name: str) -> Instance | None:
        """An instance by name."""
        return self._instances.get(name)

    def all(self) -> list[Instance]:
        """Every instance."""
        return list(self._instances.values())

    def route(self, channel: Channel, pinned: str) -> str | None:
        """The instance for a channel: the pinned one if it serves it, else the first that does."""
        serving = self._serving[channel]
        if not pinned:
            return next(iter(serving), None)
        return pinned if pinned in serving else None

    def sandbox_route(self, channel: Channel, pinned: str) -> str | None:
        """The same of those that reach nobody. One that is pinned and reaches somebody is as good as none."""
        serving = [each for each in self._serving[channel] if self._instances[each].capabilities.sandbox]
        if not pinned:
            return next(iter(serving), None)
        return pinned if pinned in serving else None

    def carriers(self) -> list[Carrier]:
        """The instances as routing sees them, in the order of the settings."""
        return [
            Carrier(
                each.name,
                each.capabilities.channels,
                content=each.capabilities.content,
                restricted_text=each.capabilities.text_profile is TextProfile.RESTRICTED,
                drained=each.name in self._drained,
                sandbox=each.capabilities.sandbox,
            )
            for each in self._instances.values()
        ]

    def is_drained(self, name: str) -> bool:
        """Whether an instance gets no messages for now."""
        return name in self._drained

    def drain_only(self, names: frozenset[str]) -> None:
        """These are drained from now on, and no others."""
        self._drained = names

    def view(self, name: str) -> InstanceView | None:
        """An instance as an operator sees it."""
        each = self._instances.get(name)
        if each is None:
            return None
        return InstanceView(
            name,
            each.type,
            each.capabilities,
            drained=name in self._drained,
            in_flight=each.in_flight,
            conduct=self.conduct_of(name),
        )

    def can_ask(self, name: str) -> bool:
        """Whether an instance can be asked what became of a message."""
        instance = self._instances.get(name)
        return instance is not None and instance.capabilities.query

    def restricted(self, name: str) -> bool:
        """Whether an instance carries the restricted text profile alone."""
        instance = self._instances.get(name)
        return instance is not None and instance.capabilities.text_profile is TextProfile.RESTRICTED

    def spelling_of(self, name: str) -> IdSpelling:
        """How an instance's receipts may spell ids."""
        instance = self._instances.get(name)
        return IdSpelling.EXACT if instance is None else instance.capabilities.receipt_ids

    def inbound_account_of(self, name: str) -> int | None:
        """The account that the settings name for what comes in through an instance."""
        instance = self._instances.get(name)
        return None if instance is None else instance.settings.inbound_account_id

    def keeps_keys(self, name: str) -> bool:
        """Whether an instance ignores a message that it took before."""
        instance = self._instances.get(name)
        return instance is not None and instance.keeps_keys

    @property
    def instances(self) -> Sequence[InstanceView]:
        """What an operator sees, by name."""
        return [view for name in sorted(self._instances) if (view := self.view(name))]

    @property
    def types(self) -> Sequence[TypeView]:
        """The installed types and the broken plugins, by name."""
        loaded = [
            TypeView(name, each.distribution, each.version, each.type.channels, "")
            for name, each in self._plugins.types.items()
        ]
        broken = [
            TypeView(each.entry_point, each.distribution, each.version, frozenset(), each.error)
            for each in self._plugins.broken
        ]
        return sorted(loaded + broken, key=lambda view: view.name)
