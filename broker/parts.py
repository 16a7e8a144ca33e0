"""The parts of a running broker, as the composition root has wired them together."""

from dataclasses import dataclass

from broker.clock import SystemClock
from broker.delivery.accounts import Accounts
from broker.delivery.broadcasts.control import Broadcasts
from broker.delivery.broadcasts.expander import Expander
from broker.delivery.broadcasts.uploads import Uploads
from broker.delivery.broadcasts.upstream import UpstreamBroadcasts
from broker.delivery.callbacks import Callbacks
from broker.delivery.consents import Consents
from broker.delivery.credits import Credits
from broker.delivery.directory import Directory
from broker.delivery.dispatcher import Dispatcher
from broker.delivery.feed import Feed
from broker.delivery.health_keeper import HealthKeeper
from broker.delivery.history import History
from broker.delivery.identities import Identities
from broker.delivery.inbound_works import InboundWorks
from broker.delivery.intake import Intake
from broker.delivery.janitor import Janitor
from broker.delivery.keys import Keys
from broker.delivery.keywords import Keywords
from broker.delivery.lanes import Lanes
from broker.delivery.lending import Lender
from broker.delivery.links import Links
from broker.delivery.log_follower import LogFollower
from broker.delivery.opt_in_forwarder import OptInForwarder
from broker.delivery.policies import Policies
from broker.delivery.poller import Poller
from broker.delivery.prices import PriceBook
from broker.delivery.receipts import Receipts
from broker.delivery.redriving import Redriver
from broker.delivery.registry import Registry
from broker.delivery.rerouter import Rerouter
from broker.delivery.retention import Retention
from broker.delivery.routes import Routes
from broker.delivery.senders import Senders
from broker.delivery.templates import Templates
from broker.delivery.usage import UsageReports
from broker.delivery.webhooks.works import WebhookWorks
from broker.metrics import Metrics
from broker.storage.store import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """All that works over one open store."""

    clock: SystemClock
    metrics: Metrics
    store: Store
    registry: Registry
    routes: Routes
    prices: PriceBook
    credit: Credits
    identities: Identities
    intake: Intake
    broadcasts: Broadcasts
    expander: Expander
    upstream_broadcasts: UpstreamBroadcasts
    uploads: Uploads
    history: History
    directory: Directory
    consents: Consents
    opt_in_forwarder: OptInForwarder
    templates: Templates
    senders: Senders
    redriver: Redriver
    feed: Feed
    keys: Keys
    pepper_mark: str
    accounts: Accounts
    receipts: Receipts
    callbacks: Callbacks
    lender: Lender
    lanes: Lanes
    dispatcher: Dispatcher
    poller: Poller
    rerouter: Rerouter
    health_keeper: HealthKeeper
    janitor: Janitor
    webhooks: WebhookWorks
    inbound: InboundWorks
    keywords: Keywords
    indexer: LogFollower
    usage_counter: LogFollower
    usage: UsageReports
    links: Links
    policies: Policies
    retention: Retention
