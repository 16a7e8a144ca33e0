"""What people write to us, as providers report it: stored first, acknowledged then."""

from collections.abc import Callable, Sequence

import structlog

from broker.delivery.identities import Identities
from broker.delivery.provider_calls import ID_CHARACTERS_MAX
from broker.delivery.receipts import TIME_US_MAX, storable_text
from broker.domain.inbound import (
    ADDRESS_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    InboundRules,
    normal_correspondent,
)
from broker.domain.outcome import Inbound
from broker.metrics import Metrics
from broker.spi import Clock
from broker.storage.inbound import Arrival, Kept, record_inbound
from broker.storage.store import Store

log = structlog.get_logger("waypost.inbox")


class Inbox:
    """Takes what came in; each call returns after its commit.

    `account_of` says which account the settings name for an instance. `asks_hook`: plugins may answer.
    """

    def __init__(
        self,
        store: Store,
        identities: Identities,
        clock: Clock,
        metrics: Metrics,
        *,
        account_of: Callable[[str], int | None],
        rules: InboundRules,
        asks_hook: bool = False,
    ) -> None:
        self._store = store
        self._identities = identities
        self._clock = clock
        self._metrics = metrics
        self._account_of = account_of
        self._rules = rules
        self._asks_hook = asks_hook

    async def take(self, instance: str, facts: Sequence[Inbound]) -> None:
        """Store what is new of it, each in its account."""
        if not facts:
            return
        ids = iter(await self._identities.take(3 * len(facts)))
        now_us = self._clock.now_us()
        account_id = self._account_of(instance)
        arrivals = [
            # A submission's id comes before those of its messages.
            Arrival(
                instance,
                _storable(fact),
                next(ids),
                next(ids),
                next(ids),
                now_us,
                self._rules,
                account_id,
                self._asks_hook,
            )
            for fact in facts
        ]
        answers = await self._store.write(record_inbound, arrivals)
        found = [each for each in answers if isinstance(each, Kept)]
        kept = len(found)
        if alone := sum(each.joined is None for each in found):
            log.warning("inbox.group_not_joined", instance=instance, count=alone)
        self._metrics.inbound.labels(instance, "kept").inc(kept)
        self._metrics.inbound.labels(instance, "repeated").inc(len(answers) - kept)


def _storable(fact: Inbound) -> Inbound:
    """The message as the store can keep it: a refused one would be sent again for ever."""
    time_us = fact.time_us
    return Inbound(
        sender=_address(fact.sender),
        recipient=_address(fact.recipient),
        text=storable_text(fact.text, TEXT_CHARACTERS_MAX),
        time_us=time_us if time_us is not None and abs(time_us) < TIME_US_MAX else None,
        provider_message_id=storable_text(fact.provider_message_id, ID_CHARACTERS_MAX),
        answers=storable_text(fact.answers, ID_CHARACTERS_MAX),
    )


def _address(written: str | None) -> str:
    return normal_correspondent(storable_text(written, ADDRESS_CHARACTERS_MAX))
