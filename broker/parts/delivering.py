"""What goes to providers, and what comes from them."""

from functools import cached_property

from broker.delivery.callbacks import Callbacks
from broker.delivery.dispatcher import Dispatcher, DispatchLimits
from broker.delivery.health_keeper import HealthKeeper
from broker.delivery.inbound_works import build_inbox
from broker.delivery.lanes import Lanes
from broker.delivery.lending import Lender
from broker.delivery.opt_in_forwarder import OptInForwarder
from broker.delivery.poller import Poller
from broker.delivery.receipts import Receipts
from broker.delivery.reports import Reports
from broker.delivery.rerouter import Rerouter
from broker.delivery.route_hook import RouteHook
from broker.delivery.routes import Routes
from broker.domain.decision import DeliveryPolicy
from broker.domain.retry import RetryPolicy
from broker.parts.foundation import Foundation


class Delivering(Foundation):
    """The parts between the store and the providers."""

    @cached_property
    def lanes(self) -> Lanes:
        """What each provider takes now."""
        return Lanes(
            self.registry,
            self.clock,
            self.metrics,
            in_flight_max=self.settings.delivery.in_flight_max,
            is_drained=self.registry.is_drained,
        )

    @cached_property
    def routes(self) -> Routes:
        """Which provider carries what."""
        return Routes(
            self.store,
            self.registry,
            self.clock,
            RouteHook(self.hooks("waypost_route"), self.clock),
            of_settings=self.routes_of_settings,
            standing_of=self.lanes.standing_of,
        )

    @cached_property
    def _delivery_policy(self) -> DeliveryPolicy:
        delivery = self.settings.delivery
        return DeliveryPolicy(
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

    @cached_property
    def dispatcher(self) -> Dispatcher:
        """Hands over what is due."""
        delivery = self.settings.delivery
        return Dispatcher(
            self.store,
            self.registry,
            self.lanes,
            self.clock,
            fence=self.found.boot,
            policy=self._delivery_policy,
            limits=DispatchLimits(delivery.batch_max, delivery.submit_timeout_s, delivery.lease_s),
            chance=self.new_chance(),
            metrics=self.metrics,
            prices_now=self.prices_now,
        )

    @cached_property
    def poller(self) -> Poller:
        """Asks about what is in doubt."""
        return Poller(
            self.store,
            self.registry,
            self.clock,
            shut=self.lanes.shut,
            policy=self._delivery_policy,
            query_timeout_s=self.settings.delivery.submit_timeout_s,
            lease_s=self.settings.delivery.lease_s,
            chance=self.new_chance(),
            metrics=self.metrics,
        )

    @cached_property
    def rerouter(self) -> Rerouter:
        """Takes what waits for a provider that is shut elsewhere."""
        hops_max = self.settings.delivery.hops_max
        return Rerouter(self.store, self.lanes, self.clock, hops_max=hops_max, metrics=self.metrics)

    @cached_property
    def health_keeper(self) -> HealthKeeper:
        """Has a later process know how providers are doing."""
        return HealthKeeper(self.store, self.lanes, self.clock)

    @cached_property
    def opt_in_forwarder(self) -> OptInForwarder:
        """Tells upstreams what recipients want."""
        delivery = self.settings.delivery
        timeout_s, lease_s = delivery.submit_timeout_s, delivery.lease_s
        return OptInForwarder(self.store, self.registry, self.clock, timeout_s=timeout_s, lease_s=lease_s)

    @cached_property
    def receipts(self) -> Receipts:
        """Takes in what became of messages."""
        return Receipts(
            self.store,
            self.clock,
            self.metrics,
            spelling_of=self.registry.spelling_of,
            parked_max=self.settings.store.parked_receipts_max,
        )

    @cached_property
    def _reports(self) -> Reports:
        inbox = build_inbox(
            self.settings.inbound,
            self.store,
            self.identities,
            self.registry,
            self.clock,
            self.metrics,
            contacts_max=self.settings.directory.contacts_max,
            hooks=self.hooks("waypost_inbound"),
        )
        return Reports(self.receipts, inbox)

    @cached_property
    def callbacks(self) -> Callbacks:
        """What providers call."""
        return Callbacks(self.store, self.registry, self._reports)

    @cached_property
    def lender(self) -> Lender:
        """What providers are lent to report with."""
        return Lender(self.store, self.clock, self._reports, self.callbacks.url_of)
