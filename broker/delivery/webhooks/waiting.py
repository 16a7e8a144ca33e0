"""Calls whose answers somebody waits for."""

from abc import ABC, abstractmethod

from broker.domain.records import EventRecord
from broker.domain.waiting_reply import SpokenAnswer


class Answered(ABC):
    """Whoever may want to know what a URL answers."""

    @abstractmethod
    async def waits(self, event: EventRecord, attempts: int) -> bool:
        """Whether the answer to a call about this event counts, which was tried so often before."""

    @abstractmethod
    async def take(self, event: EventRecord, answer: SpokenAnswer | None) -> None:
        """Take the answer, None when there was none in time; returns after what follows is stored."""


class NobodyWaits(Answered):
    """No answer counts."""

    async def waits(self, event: EventRecord, attempts: int) -> bool:
        """It does not."""
        del event, attempts
        return False

    async def take(self, event: EventRecord, answer: SpokenAnswer | None) -> None:
        """Nobody waits for it."""
