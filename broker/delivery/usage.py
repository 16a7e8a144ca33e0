"""What was sent, counted for whoever asks."""

from broker.domain.usage import Usage, UsageQuery
from broker.errors import BrokerError, ErrorReason, Violation
from broker.storage.store import Store
from broker.storage.usage import read_usage

__all__ = ["ROWS_MAX", "Usage", "UsageQuery", "UsageReports"]

ROWS_MAX = 10_000
"""Groups of one answer: about a megabyte."""


class UsageReports:
    """Counts over the whole store, as it is at the moment of asking."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def report(self, query: UsageQuery) -> Usage:
        """The counts. Raises BrokerError INVALID_REQUEST where they have more groups than an answer holds."""
        usage = await self._store.read(read_usage, query)
        if len(usage.counts) > ROWS_MAX:
            rule = f"splits the counts into {len(usage.counts):,} rows; at most {ROWS_MAX:,} are answered"
            raise BrokerError(ErrorReason.INVALID_REQUEST, violations=[Violation("group_by", rule)])
        return usage
