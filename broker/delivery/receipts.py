"""Facts that providers report: stored first, acknowledged then."""

from collections import Counter
from collections.abc import Callable, Sequence

import structlog

from broker.delivery.provider_calls import ID_CHARACTERS_MAX, PARTS_MAX
from broker.domain.decision import CODE_CHARACTERS_MAX, TEXT_CHARACTERS_MAX
from broker.domain.outcome import Receipt, ReportedFact
from broker.domain.spelling import IdSpelling
from broker.domain.vocabulary import Reason
from broker.errors import BrokerError
from broker.metrics import Metrics
from broker.spi import Clock
from broker.storage.matching import Parked, Report, record_receipts
from broker.storage.parking import SHED_ROWS_MAX, shed_parked_receipts
from broker.storage.store import Store

log = structlog.get_logger("waypost.receipts")

TIME_US_MAX = 1 << 62
TELL_EVERY_US = 60_000_000
"""What happens with every receipt is told once in this time."""


class Receipts:
    """Takes what provider instances report; each call returns after its commit.

    `spelling_of` says how an instance's receipts may spell ids. At most `parked_max` receipts wait for
    their messages; past it the oldest go.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        *,
        spelling_of: Callable[[str], IdSpelling],
        parked_max: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._spelling_of = spelling_of
        self._parked_max = parked_max
        self._shedding = False
        self._untold = 0
        self._tell_at_us = 0

    async def report(self, instance: str, facts: Sequence[ReportedFact]) -> None:
        """Store the receipts among the facts: on the messages that they are about, or parked until those are known."""
        now_us = self._clock.now_us()
        spelling = self._spelling_of(instance)
        receipts = [_storable(fact) for fact in facts if isinstance(fact, Receipt)]
        reports = [Report(instance, each, now_us, spelling) for each in receipts if each.provider_message_id]
        if len(reports) < len(receipts):  # they can match nothing, now or later
            log.warning("receipts.without_id", instance=instance, count=len(receipts) - len(reports))
        answers = await self._store.write(record_receipts, reports)
        parked = [each for each in answers if isinstance(each, Parked)]
        words = Counter("ambiguous" if each.ambiguous else "parked" for each in parked)
        words["yes"] = len(answers) - len(parked)
        for word, count in words.items():
            self._metrics.receipts.labels(instance, word).inc(count)
        if any(each.waiting > self._parked_max for each in parked) and not self._shedding:
            await self._shed()

    async def _shed(self) -> None:
        """Drop the oldest parked receipts past the limit. What was reported is stored, so this fails no caller."""
        self._shedding = True
        try:
            gone = SHED_ROWS_MAX
            while gone == SHED_ROWS_MAX:
                (gone,) = await self._store.write(shed_parked_receipts, [self._parked_max])
                self._metrics.parked_receipts_dropped.inc(gone)
                self._untold += gone
        except BrokerError as error:
            log.warning("receipts.shed_failed", error=str(error))
        finally:
            self._shedding = False
        now_us = self._clock.now_us()
        if self._untold and now_us >= self._tell_at_us:
            log.warning("receipts.dropped", count=self._untold, limit=self._parked_max)
            self._untold, self._tell_at_us = 0, now_us + TELL_EVERY_US


def _storable(receipt: Receipt) -> Receipt:
    """The receipt as the store can keep it: a refused one would be sent again for ever.

    A plugin hands on what a socket brought: text with lone surrogates or zero characters, numbers of any size,
    no text at all.
    """
    time_us = receipt.time_us
    return Receipt(
        provider_message_id=storable_text(receipt.provider_message_id, ID_CHARACTERS_MAX),
        status=receipt.status,
        recipient=storable_text(receipt.recipient, ID_CHARACTERS_MAX),
        part=receipt.part if 0 <= receipt.part <= PARTS_MAX else 0,
        code=storable_text(receipt.code, CODE_CHARACTERS_MAX),
        text=storable_text(receipt.text, TEXT_CHARACTERS_MAX),
        time_us=time_us if time_us is not None and abs(time_us) < TIME_US_MAX else None,
        reason=receipt.reason if isinstance(receipt.reason, Reason) else None,
    )


def storable_text(written: str | None, characters_max: int) -> str:
    """What a socket brought, as the store can keep it."""
    return str(written or "")[:characters_max].encode(errors="replace").decode().replace("\0", "?")
