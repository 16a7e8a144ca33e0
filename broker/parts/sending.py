"""What is to be sent: by callers, by broadcasts, and in answer to what came in."""

import secrets
from functools import cached_property, partial

from broker.api.convert.broadcasts import stored_wish
from broker.delivery.admit_hook import AdmitHook
from broker.delivery.broadcasts.control import Broadcasts
from broker.delivery.broadcasts.expander import Expander
from broker.delivery.broadcasts.uploads import Uploads
from broker.delivery.broadcasts.upstream import UpstreamBroadcasts
from broker.delivery.consents import Consents
from broker.delivery.inbound_works import InboundWorks, build_inbound_works
from broker.delivery.intake import Intake
from broker.delivery.keywords import Keywords
from broker.delivery.redriving import Redriver
from broker.delivery.upstream_keywords import UpstreamKeywords
from broker.domain.links import CODE_BITS
from broker.parts.delivering import Delivering


class Sending(Delivering):
    """The parts between callers and the store."""

    @cached_property
    def intake(self) -> Intake:
        """Plans what is to be sent, and stores it."""
        return Intake(
            self.store,
            self.identities,
            self.routes,
            self.templates,
            self.policies,
            self.senders,
            self.clock,
            units_max=self.settings.intake.units_max,
            request_id_memory_s=self.settings.intake.request_id_memory_s,
            style_classes=self.settings.content.style_classes,
            network=self.webhooks.book.network,
            admit=AdmitHook(self.hooks("waypost_admit"), self.clock),
            prices_now=self.prices_now,
            draw_code=partial(secrets.randbits, CODE_BITS),
        )

    @cached_property
    def redriver(self) -> Redriver:
        """Sends messages again."""
        return Redriver(self.store, self.intake, self.history)

    @cached_property
    def consents(self) -> Consents:
        """What recipients want."""
        return Consents(self.store, self.opt_in_forwarder, self.clock)

    @cached_property
    def expander(self) -> Expander:
        """Makes messages of the recipients of broadcasts."""
        return Expander(
            self.store,
            self.identities,
            self.intake,
            self.policies,
            self.clock,
            decode=stored_wish,
            batch_max=self.settings.broadcasts.batch_max,
            ahead_max=self.settings.broadcasts.ahead_max,
        )

    @cached_property
    def upstream_broadcasts(self) -> UpstreamBroadcasts:
        """Hands whole broadcasts to providers that run them."""
        return UpstreamBroadcasts(
            self.store,
            self.registry,
            self.clock,
            plan=self.expander.plan,
            wish=self.expander.wish,
            timeout_s=self.settings.delivery.submit_timeout_s,
            poll_s=self.settings.broadcasts.upstream_poll_s,
            doubt_s=self.settings.delivery.doubt_first_s,
        )

    @cached_property
    def broadcasts(self) -> Broadcasts:
        """Broadcasts as callers have them in hand."""
        return Broadcasts(
            self.store,
            self.identities,
            self.intake,
            self.clock,
            self.upstream_broadcasts,
            request_id_memory_s=self.settings.intake.request_id_memory_s,
            active_max=self.settings.broadcasts.active_max,
            hint=self._hint_broadcasts,
        )

    def _hint_broadcasts(self) -> None:
        self.expander.hint()
        self.upstream_broadcasts.hint()

    @cached_property
    def uploads(self) -> Uploads:
        """Files of recipients."""
        limits = self.settings.broadcasts
        return Uploads(
            self.store,
            self.identities,
            self.policies,
            self.clock,
            bytes_max=limits.file_bytes_max,
            rows_max=limits.file_rows_max,
        )

    @cached_property
    def keywords(self) -> Keywords:
        """The words that recipients text."""
        return Keywords(
            self.store,
            self.clock,
            self.policies,
            network=self.webhooks.book.network,
            prices_now=self.prices_now,
            upstream=UpstreamKeywords(self.registry),
        )

    @cached_property
    def inbound(self) -> InboundWorks:
        """What answers messages that came in."""
        works = build_inbound_works(
            self.settings.inbound,
            self.store,
            self.intake,
            self.policies,
            self.registry,
            self.clock,
            self.metrics,
            self.hooks("waypost_inbound"),
        )
        self.webhooks.sender.answered = works.waiting
        return works
