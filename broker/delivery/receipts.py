"""Facts that providers report: stored first, acknowledged then."""

from collections import Counter
from collections.abc import Sequence

import structlog

from broker.delivery.provider_calls import ID_CHARACTERS_MAX, PARTS_MAX
from broker.domain.decision import CODE_CHARACTERS_MAX, TEXT_CHARACTERS_MAX
from broker.domain.outcome import Inbound, Receipt, ReportedFact
from broker.metrics import Metrics
from broker.spi import Clock
from broker.storage.matching import Report, record_receipts
from broker.storage.store import Store

log = structlog.get_logger("waypost.receipts")

TIME_US_MAX = 1 << 62


class Receipts:
    """Takes what provider instances report; each call returns after its commit."""

    def __init__(self, store: Store, clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics

    async def report(self, instance: str, facts: Sequence[ReportedFact]) -> None:
        """Store receipts: on the messages that they are about, or parked until those are known.

        Inbound messages are not kept by this version: they are counted in the log.
        """
        now_us = self._clock.now_us()
        receipts = [_storable(fact) for fact in facts if isinstance(fact, Receipt)]
        reports = [Report(instance, each, now_us) for each in receipts if each.provider_message_id]
        if len(reports) < len(receipts):  # they can match nothing, now or later
            log.warning("receipts.without_id", instance=instance, count=len(receipts) - len(reports))
        if inbound := sum(isinstance(fact, Inbound) for fact in facts):
            self._metrics.inbound_not_kept.labels(instance).inc(inbound)
            log.warning("inbound.not_kept", instance=instance, count=inbound)
        matched = await self._store.write(record_receipts, reports)
        for found, count in Counter(matched).items():
            self._metrics.receipts.labels(instance, "yes" if found else "parked").inc(count)


def _storable(receipt: Receipt) -> Receipt:
    """The receipt as the store can keep it: a refused one would be sent again for ever.

    A plugin hands on what a socket brought: text with lone surrogates, numbers of any size, no text at all.
    """
    time_us = receipt.time_us
    return Receipt(
        provider_message_id=_text(receipt.provider_message_id, ID_CHARACTERS_MAX),
        status=receipt.status,
        recipient=_text(receipt.recipient, ID_CHARACTERS_MAX),
        part=receipt.part if 0 <= receipt.part <= PARTS_MAX else 0,
        code=_text(receipt.code, CODE_CHARACTERS_MAX),
        text=_text(receipt.text, TEXT_CHARACTERS_MAX),
        time_us=time_us if time_us is not None and abs(time_us) < TIME_US_MAX else None,
    )


def _text(written: str | None, characters_max: int) -> str:
    return str(written or "")[:characters_max].encode(errors="replace").decode()
