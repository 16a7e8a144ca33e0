"""The parts that work on what comes in, wired together."""

from collections.abc import Sequence
from dataclasses import dataclass

from broker.delivery.answering import Answering
from broker.delivery.errands import Errands
from broker.delivery.identities import Identities
from broker.delivery.inbound_hook import InboundHook
from broker.delivery.inbox import Inbox
from broker.delivery.inbox_keeper import InboxKeeper
from broker.delivery.intake import Intake
from broker.delivery.policies import Policies
from broker.delivery.registry import Registry
from broker.delivery.upstream_keywords import UpstreamKeywords
from broker.delivery.waiting_replies import WaitingReplies
from broker.metrics import Metrics
from broker.plugins import BoundHook
from broker.settings import InboundSettings
from broker.spi import Clock
from broker.storage.store import Store


@dataclass(frozen=True, slots=True)
class InboundWorks:
    """What answers messages that came in, and keeps house after them."""

    errands: Errands
    waiting: WaitingReplies
    keeper: InboxKeeper


def build_inbox(
    settings: InboundSettings,
    store: Store,
    identities: Identities,
    registry: Registry,
    clock: Clock,
    metrics: Metrics,
    *,
    contacts_max: int,
    hooks: Sequence[BoundHook],
) -> Inbox:
    """Takes what providers report."""
    return Inbox(
        store,
        identities,
        clock,
        metrics,
        account_of=registry.inbound_account_of,
        rules=settings.rules(contacts_max),
        asks_hook=bool(hooks),
    )


def build_inbound_works(
    settings: InboundSettings,
    store: Store,
    intake: Intake,
    policies: Policies,
    registry: Registry,
    clock: Clock,
    metrics: Metrics,
    hooks: Sequence[BoundHook],
) -> InboundWorks:
    """Wire them. Nothing runs yet."""
    answering = Answering(
        store,
        intake,
        clock,
        metrics,
        route=registry.route,
        restricted=registry.restricted,
        replies_per_hour_max=settings.replies_per_hour_max,
    )
    return InboundWorks(
        Errands(
            store,
            answering,
            policies,
            InboundHook(hooks, clock),
            clock,
            carried_out=UpstreamKeywords(registry).carries_out,
        ),
        WaitingReplies(policies, answering, clock),
        InboxKeeper(store, clock, memory_s=settings.memory_s),
    )
