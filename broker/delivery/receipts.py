"""Facts that providers report: stored first, acknowledged then."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import structlog

from broker.domain.outcome import Receipt, ReportedFact
from broker.metrics import Metrics
from broker.spi import Clock
from broker.storage.matching import Report, record_receipts
from broker.storage.store import Store

log = structlog.get_logger("waypost.receipts")


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
        reports = [Report(instance, _storable(fact), now_us) for fact in facts if isinstance(fact, Receipt)]
        if len(reports) < len(facts):
            dropped = len(facts) - len(reports)
            self._metrics.inbound_not_kept.labels(instance).inc(dropped)
            log.warning("inbound.not_kept", instance=instance, count=dropped)
        matched = await self._store.write(record_receipts, reports)
        for found, count in Counter(matched).items():
            self._metrics.receipts.labels(instance, "yes" if found else "parked").inc(count)


def _storable(receipt: Receipt) -> Receipt:
    """The receipt, with "?" for what no text can hold: a refused receipt would be sent again for ever.

    Bytes of a callback that were decoded leniently leave lone surrogates behind.
    """
    texts = (receipt.provider_message_id, receipt.recipient, receipt.code, receipt.text)
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        identity, recipient, code, text = (each.encode(errors="replace").decode() for each in texts)
        return replace(receipt, provider_message_id=identity, recipient=recipient, code=code, text=text)
    return receipt
