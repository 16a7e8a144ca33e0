"""Whether a provider works: a circuit that opens when it does not, and a penalty for one that is worse than others.

Pure, but not without memory: a `Circuit` keeps numbers, and time is an argument, in microseconds since 1970 UTC.

- CLOSED: it works. After `bad_in_row_max` bad outcomes in a row, or when too large a share of the outcomes of
  the last minute were bad, the circuit opens. In the share a message counts once: the retries of a few that
  a provider never takes say nothing of the others.
- OPEN: it is left alone. Each time that it opens again this lasts twice as long, up to a cap.
- HALF_OPEN: a few messages probe it, and most of them decide.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from broker.domain.outcome import Accepted, NotAccepted, Outcome, Rejected, Unknown
from broker.domain.throttle import is_throttling
from broker.domain.value import value

SLICE_US = 5_000_000
LATENCIES_MAX = 256
PRIOR_OUTCOMES = 10
"""A share of bad outcomes is trusted as if there had been so many good ones besides."""

LATENCY_PENALTY_MAX = 0.2
SLOW_S = 10.0


class CircuitState(IntEnum):
    """Where a circuit stands. Numbers are stored and shown in metrics, and equal those of `CircuitState`."""

    CLOSED = 1
    HALF_OPEN = 2
    OPEN = 3


@value
class HealthPolicy:
    """The numbers of a circuit. Times are in seconds."""

    bad_in_row_max: int = 50
    window_s: float = 60.0
    outcomes_min: int = 20
    bad_share_max: float = 0.5
    open_first_s: float = 5.0
    open_cap_s: float = 300.0
    probes: int = 5


@value
class HealthRecord:
    """What of a circuit is kept over a restart."""

    state: CircuitState
    since_us: int
    open_until_us: int
    openings: int
    good: int
    bad: int


@value
class HealthView:
    """What an operator sees. Rates and latencies are None until there is something to tell.

    `success_rate` is the share of good outcomes in the window; latencies are those of the last calls, in
    seconds. `next_probe_at_us` is 0 unless the circuit is open.
    """

    state: CircuitState
    since_us: int
    next_probe_at_us: int
    success_rate: float | None
    latency_p50_s: float | None
    latency_p95_s: float | None


@value
class Standing:
    """What routing needs to know: whether an instance takes messages now, and how bad it is, from 0 for perfect."""

    usable: bool
    penalty: float


def is_good(outcome: Outcome) -> bool | None:
    """Whether an outcome speaks for its provider; None where it says nothing."""
    match outcome:
        case Accepted() | Rejected():
            return True
        case NotAccepted():
            return None if outcome.about_message or is_throttling(outcome) else False
        case Unknown():
            return None if outcome.about_message else False


@dataclass(slots=True)
class _Slice:
    start_us: int
    good: int = 0
    bad: int = 0


class Circuit:
    """The health of one instance."""

    def __init__(self, policy: HealthPolicy, now_us: int) -> None:
        self._policy = policy
        self._slices: deque[_Slice] = deque()
        self._latencies_s: deque[float] = deque(maxlen=LATENCIES_MAX)
        self._bad_in_row = 0
        self._probed = [0, 0]
        self._openings = 0
        self._open_until_us = 0
        self.state = CircuitState.CLOSED
        self.since_us = now_us

    def observe(
        self, verdicts: Sequence[bool | None], seconds: float, now_us: int, *, repeated_bad: int = 0
    ) -> bool:
        """Learn from the outcomes of one call, as `is_good` sees them; whether the state changed.

        `repeated_bad` of the bad ones are about messages that it refused before.
        """
        self._latencies_s.append(seconds)
        good, bad = verdicts.count(True), verdicts.count(False)
        if not good and not bad:
            return False
        current = self._slice(now_us)
        current.good += good
        current.bad += bad - repeated_bad
        worst = self._count_in_row(verdicts) if bad else 0
        if not bad:
            self._bad_in_row = 0
        if self.state is CircuitState.HALF_OPEN:
            return self._judge_probes(good, bad, now_us)
        if self.state is CircuitState.OPEN or not bad:
            return False
        if worst < self._policy.bad_in_row_max and not self._is_mostly_bad(now_us):
            return False
        self._open(now_us)
        return True

    def tick(self, now_us: int) -> bool:
        """Let time pass; whether the state changed: an open circuit is probed after its time."""
        if self.state is CircuitState.OPEN and now_us >= self._open_until_us:
            self._move(CircuitState.HALF_OPEN, now_us)
            self._probed = [0, 0]
            return True
        return False

    def room(self, in_flight: int) -> int | None:
        """How many more messages it may be given beside those that it has; None: any number."""
        if self.state is CircuitState.CLOSED:
            return None
        if self.state is CircuitState.OPEN:
            return 0
        return max(0, self._policy.probes - sum(self._probed) - in_flight)

    @property
    def open_until_us(self) -> int:
        """When an open circuit is probed; 0 while it is not open."""
        return self._open_until_us if self.state is CircuitState.OPEN else 0

    def penalty(self, now_us: int) -> float:
        """How much it speaks against this provider, 0 to 1.2: the share of bad outcomes, then slowness.

        It fades as the window moves on.
        """
        good, bad = self._totals(now_us)
        slowness = min(LATENCY_PENALTY_MAX, (self._latency_s(0.5) or 0.0) / SLOW_S * LATENCY_PENALTY_MAX)
        return bad / (good + bad + PRIOR_OUTCOMES) + slowness

    def view(self, now_us: int) -> HealthView:
        """As an operator sees it."""
        good, bad = self._totals(now_us)
        return HealthView(
            state=self.state,
            since_us=self.since_us,
            next_probe_at_us=self.open_until_us,
            success_rate=good / (good + bad) if good + bad else None,
            latency_p50_s=self._latency_s(0.5),
            latency_p95_s=self._latency_s(0.95),
        )

    def record(self, now_us: int) -> HealthRecord:
        """What to keep."""
        good, bad = self._totals(now_us)
        return HealthRecord(self.state, self.since_us, self._open_until_us, self._openings, good, bad)

    def restore(self, record: HealthRecord, now_us: int) -> None:
        """Go on from what was kept. An open circuit stays open for as long as it was to be, and no longer than the cap."""
        self.state, self.since_us = record.state, record.since_us
        latest_us = now_us + _micros(self._policy.open_cap_s)
        self._open_until_us, self._openings = min(record.open_until_us, latest_us), record.openings
        self._slices.clear()
        if record.good or record.bad:
            self._slices.append(_Slice(now_us, record.good, record.bad))

    def _count_in_row(self, verdicts: Sequence[bool | None]) -> int:
        worst = 0
        for verdict in verdicts:
            if verdict is None:
                continue
            self._bad_in_row = 0 if verdict else self._bad_in_row + 1
            worst = max(worst, self._bad_in_row)
        return worst

    def _judge_probes(self, good: int, bad: int, now_us: int) -> bool:
        self._probed[0] += good
        self._probed[1] += bad
        half = self._policy.probes / 2
        if self._probed[1] > half:
            self._open(now_us)
            return True
        if self._probed[0] <= half:
            return False
        self._slices.clear()  # what was bad before is over
        self._move(CircuitState.CLOSED, now_us)
        return True

    def _is_mostly_bad(self, now_us: int) -> bool:
        good, bad = self._totals(now_us)
        return good + bad >= self._policy.outcomes_min and bad > self._policy.bad_share_max * (good + bad)

    def _open(self, now_us: int) -> None:
        policy = self._policy
        was_closed_us = now_us - self.since_us if self.state is CircuitState.CLOSED else 0
        if was_closed_us > _micros(policy.window_s):  # it worked in between
            self._openings = 0
        self._openings += 1
        open_s = min(policy.open_cap_s, policy.open_first_s * 2.0 ** min(self._openings - 1, 60))
        self._open_until_us = now_us + _micros(open_s)
        self._bad_in_row = 0
        self._move(CircuitState.OPEN, now_us)

    def _move(self, state: CircuitState, now_us: int) -> None:
        self.state, self.since_us = state, now_us

    def _slice(self, now_us: int) -> _Slice:
        if not self._slices or now_us >= self._slices[-1].start_us + SLICE_US:
            self._slices.append(_Slice(now_us))
            self._forget(now_us)
        return self._slices[-1]

    def _totals(self, now_us: int) -> tuple[int, int]:
        self._forget(now_us)
        return sum(each.good for each in self._slices), sum(each.bad for each in self._slices)

    def _forget(self, now_us: int) -> None:
        oldest_us = now_us - _micros(self._policy.window_s)
        while self._slices and self._slices[0].start_us < oldest_us:
            self._slices.popleft()

    def _latency_s(self, share: float) -> float | None:
        if not self._latencies_s:
            return None
        return sorted(self._latencies_s)[min(len(self._latencies_s) - 1, int(share * len(self._latencies_s)))]


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)
