"""The parts that send events to callers' URLs, wired together."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from broker.delivery.identities import Identities
from broker.delivery.webhooks.book import Webhooks
from broker.delivery.webhooks.follower import Follower
from broker.delivery.webhooks.request import Encoding
from broker.delivery.webhooks.sender import CallLimits, Sender
from broker.delivery.webhooks.sweeper import Sweeper
from broker.domain.callback import CallbackPolicy
from broker.domain.network import AddressPolicy, networks_of
from broker.domain.retry import RetryPolicy
from broker.metrics import Metrics
from broker.settings import WebhookSettings
from broker.spi import Clock
from broker.storage.store import Store


@dataclass(frozen=True, slots=True)
class WebhookWorks:
    """All that they need."""

    book: Webhooks
    follower: Follower
    sender: Sender
    sweeper: Sweeper

    def jobs(self) -> list[Coroutine[Any, Any, None]]:
        """What runs for as long as the broker does."""
        return [self.follower.run(), self.sender.run(), self.sweeper.run()]


def build_webhooks(
    settings: WebhookSettings,
    store: Store,
    identities: Identities,
    clock: Clock,
    *,
    fence: int,
    encoding: Encoding,
    chance: Callable[[], float],
    metrics: Metrics,
) -> WebhookWorks:
    """Wire them. Nothing runs yet."""
    network = AddressPolicy(networks_of(settings.allow_networks))
    sender = Sender(
        store,
        clock,
        fence=fence,
        encoding=encoding,
        policy=CallbackPolicy(
            # Time ends a callback, never the number of its attempts.
            retry=RetryPolicy(base_s=settings.retry_base_s, cap_s=settings.retry_cap_s),
            hold=RetryPolicy(base_s=settings.hold_base_s, cap_s=settings.hold_cap_s),
        ),
        limits=CallLimits(settings.in_flight_max, settings.endpoint_in_flight_max, settings.timeout_s),
        network=network,
        chance=chance,
        metrics=metrics,
    )
    follower = Follower(
        store,
        identities,
        clock,
        retry_for_s=settings.retry_for_s,
        waiting_max=settings.waiting_max,
        hint_sender=sender.hint,
        metrics=metrics,
    )
    sweeper = Sweeper(store, clock, retry_for_s=settings.retry_for_s, metrics=metrics)
    return WebhookWorks(Webhooks(store, identities, clock, network), follower, sender, sweeper)
