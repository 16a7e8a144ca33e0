"""What a transaction does to the counters of broadcasts, added up and written with it."""

from collections import Counter, defaultdict

from broker.domain.lifecycle import State, Step
from broker.domain.vocabulary import Reason
from broker.storage.transaction import Transaction

_WITH_PROVIDER = frozenset({State.SENT, State.SENT_FINAL, State.DELIVERED, State.DELIVERY_FAILED})
_WELL_ENDED = frozenset({State.DELIVERED, State.SENT_FINAL})
_PROCESSING, _DELIVERED = State.PROCESSING, State.DELIVERED


class _Counts:
    __slots__ = ("accepted", "delivered", "ended", "failed", "refused", "sent")

    def __init__(self) -> None:
        self.accepted = self.refused = self.sent = self.delivered = self.failed = self.ended = 0


class Tally:
    """The counts of one transaction. Transactions without messages of broadcasts pay nothing."""

    __slots__ = ("_counts", "_refusals")

    def __init__(self) -> None:
        self._counts: defaultdict[int, _Counts] = defaultdict(_Counts)
        self._refusals: Counter[tuple[int, str]] = Counter()

    def begin(self, broadcast_id: int, step: Step, reason: Reason | None) -> None:
        """A recipient became a message, or was refused."""
        counts = self._counts[broadcast_id]
        if step.end:
            counts.refused += 1
            self._refusals[broadcast_id, reason.name if reason else ""] += 1
        else:
            counts.accepted += 1

    def move(self, broadcast_id: int, previous: State, step: Step) -> None:
        """A message came to another state."""
        counts, state = self._counts[broadcast_id], step.state
        counts.sent += previous is _PROCESSING and state in _WITH_PROVIDER
        if step.end:
            counts.ended += 1
            counts.delivered += state is _DELIVERED
            counts.failed += state not in _WELL_ENDED

    def flush(self, tx: Transaction) -> None:
        """Write it."""
        if not self._counts:
            return
        rows = [
            (each, own.accepted, own.refused, own.sent, own.delivered, own.failed, own.ended)
            for each, own in sorted(self._counts.items())
        ]
        tx.bulk("count_broadcasts", rows)
        refused = [(*key, count) for key, count in sorted(self._refusals.items())]
        tx.bulk("count_broadcast_refusals", refused)
        self._counts.clear()
        self._refusals.clear()
