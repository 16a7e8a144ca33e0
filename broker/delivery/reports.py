"""What providers report, each kind of fact to whoever keeps it."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from broker.delivery.inbox import Inbox
from broker.delivery.receipts import Receipts
from broker.domain.outcome import Inbound, ReportedFact


class Reporting(Protocol):
    """Takes what an instance reports, and returns after it is committed."""

    async def report(self, instance: str, facts: Sequence[ReportedFact]) -> None:
        """Store the facts; raises where the store cannot take them."""


class Reports:
    """Receipts to the receipts, what people wrote to the inbox."""

    def __init__(self, receipts: Receipts, inbox: Inbox) -> None:
        self._receipts = receipts
        self._inbox = inbox

    async def report(self, instance: str, facts: Sequence[ReportedFact]) -> None:
        """Store all of it. What is safe to report twice may be stored when the rest of it could not be."""
        inbound = [fact for fact in facts if isinstance(fact, Inbound)]
        if not inbound:
            await self._receipts.report(instance, facts)
            return
        stored = await asyncio.gather(
            self._receipts.report(instance, facts),
            self._inbox.take(instance, inbound),
            return_exceptions=True,
        )
        for each in stored:
            if isinstance(each, BaseException):
                raise each
