"""How fast a provider may be given segments: token buckets that learn from its refusals.

Pure, but not without memory: each object keeps numbers, and time is an argument, in microseconds since 1970
UTC. Rates are in segments a second; a message counts as many segments as it has units.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, inf

from broker.domain.outcome import NotAccepted, Outcome
from broker.domain.value import value

RATE_MIN = 1.0
"""However often a provider says that it is too much, it is given one segment a second."""

RATE_GUESS_MIN = 20.0
"""The rate of an instance without a limit, when it first says that it is too much and hardly anything flowed."""

BURST_S = 0.1
"""A bucket holds what flows in so long, and at least one segment: so little more than its rate ever passes."""

SLOWER_EVERY_US = 1_000_000
"""The refusals of a moment are one signal: all of them answer the same rate."""

SHARE_S = 1.0
"""Refusals are seen against all outcomes of about so long: one among hundreds is about a message."""

HOLD_SHARE_MIN = 0.5
"""An instance is held when so large a share of its outcomes say that it was too much."""

QUIET_S = 10.0
"""A limit that no operator set is gone after so long without a refusal."""

RECOVERY_S = 30.0
"""In this time a rate that was halved once is back."""

HOLD_S_MAX = 3_600.0
"""A provider's Retry-After is believed up to here; then it is tried again."""

CHOKED_SHARE = 0.35
"""A rate that was halved twice is hardly one, until it has grown back some way."""

METER_S = 5.0
SENDERS_MAX = 10_000

THROTTLING_CODES = frozenset({
    "429",
    "throttled",
    "rate_limited",
    "too_many_requests",
    "ESME_RTHROTTLED",
    "ESME_RMSGQFUL",
    "0x00000058",
    "0x00000014",
})
"""What plugins pass on when an upstream says that it is too much, besides Retry-After."""

BUSY_CODES = frozenset({"503", "busy"})
"""An upstream that may be overloaded or down: it gets less, and it counts as a failure."""


def is_throttling(refusal: NotAccepted) -> bool:
    """Whether a provider said that it works and that it was too much: that is no fault of its."""
    return refusal.retry_after_s is not None or refusal.code in THROTTLING_CODES


def asks_for_less(refusal: NotAccepted) -> bool:
    """Whether to slow down after a refusal."""
    if refusal.about_message:
        return False
    return is_throttling(refusal) or refusal.code in BUSY_CODES


class TokenBucket:
    """Fills at `rate` a second up to a tenth of a second's worth; may be overdrawn by the last that passes."""

    def __init__(self, rate: float, now_us: int) -> None:
        self.rate = rate
        self._tokens = self._size
        self._at_us = now_us

    @property
    def _size(self) -> float:
        return max(1.0, self.rate * BURST_S)

    def tokens(self, now_us: int) -> float:
        """What may pass now; none when it is not more than 0. Changes nothing: any thread may look."""
        passed_s = max(0, now_us - self._at_us) / 1_000_000
        return min(self._size, self._tokens + passed_s * self.rate)

    def take(self, units: float, now_us: int) -> None:
        """So much passes."""
        self._tokens = self.tokens(now_us) - units
        self._at_us = max(self._at_us, now_us)

    def open_at(self, now_us: int) -> int:
        """When something may pass."""
        tokens = self.tokens(now_us)
        return now_us if tokens > 0 else now_us + 1 + round(-tokens / self.rate * 1_000_000)

    def change_rate(self, rate: float, now_us: int) -> None:
        """From now on it fills at another rate."""
        self.take(0, now_us)
        self.rate = rate
        self._tokens = min(self._tokens, self._size)


@value
class Allowance:
    """What one sender may pass through an instance: `units` now, then `rate` a second.

    `queue_until_us` is when those that were put off before have had their turns.
    """

    units: float
    rate: float
    queue_until_us: int


Allowances = Callable[[str], Allowance]
"""By sender."""


class SenderTurns:
    """Who of one batch may pass by the allowances of the senders, and when the others should try again."""

    def __init__(self, allowances: Allowances | None, now_us: int) -> None:
        self._allowances = allowances
        self._now_us = now_us
        self._left: dict[str, float] = {}
        self._until_us: dict[str, int] = {}
        self.put_off: dict[str, int] = {}

    def turn_at(self, sender: str, units: int) -> int:
        """When a message of so many units may pass: now, or at the sender's next free place."""
        if self._allowances is None:
            return self._now_us
        allowance = self._allowances(sender)
        left = self._left.get(sender, allowance.units)
        if left > 0:
            self._left[sender] = left - units
            return self._now_us
        behind_us = max(self._until_us.get(sender, allowance.queue_until_us), self._now_us)
        at_us = self._until_us[sender] = behind_us + round(units / allowance.rate * 1_000_000)
        self.put_off[sender] = self.put_off.get(sender, 0) + units
        return at_us


@dataclass(slots=True)
class _SenderLane:
    bucket: TokenBucket
    queue_until_us: int


@value
class ThrottleView:
    """What an operator sees. `limit` is None where there is none now; `held_until_us` is 0 when it is not held."""

    limit: float | None
    rate: float
    held_until_us: int


class Throttle:
    """The rate of one instance, the rate of each of its senders, and how long it is to be left alone.

    `limit` and `sender_limit` are the operator's, None for no limit. Refusals for too much halve the rate where
    they are all that comes back, and lower it by less where they are a part, at most once a second and not
    below one segment a second; it grows back evenly. Without a limit of the operator's the rate that was
    flowing is lowered, until no refusal came for some time.
    """

    def __init__(self, limit: float | None, sender_limit: float | None, now_us: int) -> None:
        self._limit = limit
        self._sender_limit = sender_limit
        self._bucket = None if limit is None else TokenBucket(limit, now_us)
        self._ceiling = limit
        self._slower_at_us = 0
        self._grown_at_us = now_us
        self._held_until_us = 0
        self._outcomes = self._refusals = 0.0
        self._shared_at_us = now_us
        self._metered = 0.0
        self._metered_at_us = now_us
        self._senders: OrderedDict[str, _SenderLane] = OrderedDict()

    def units_max(self, now_us: int) -> float:
        """How many segments may be handed over now; not more than 0: none."""
        if now_us < self._held_until_us:
            return 0.0
        self._grow(now_us)
        return inf if self._bucket is None else self._bucket.tokens(now_us)

    def open_at(self, now_us: int) -> int:
        """When something may be handed over."""
        if now_us < self._held_until_us:
            return self._held_until_us
        self._grow(now_us)
        return now_us if self._bucket is None else self._bucket.open_at(now_us)

    def allowances(self, now_us: int) -> Allowances | None:
        """What each sender may pass at a time, for any thread to ask; None where senders are not limited."""
        rate = self._sender_limit
        if rate is None:
            return None

        def of(sender: str) -> Allowance:
            lane = self._senders.get(sender)
            if lane is None:
                return Allowance(max(1.0, rate * BURST_S), rate, 0)
            return Allowance(lane.bucket.tokens(now_us), rate, lane.queue_until_us)

        return of

    def take(self, units: int, now_us: int) -> None:
        """So many segments are handed over."""
        self._metered = self._flow(now_us) + units / METER_S
        self._metered_at_us = now_us
        if self._bucket is not None:
            self._bucket.take(units, now_us)

    def take_from_sender(self, sender: str, units: int, now_us: int) -> None:
        """So many of them are from a sender."""
        if self._sender_limit is not None:
            self._sender(sender, now_us).bucket.take(units, now_us)

    def put_off(self, sender: str, units: int, now_us: int) -> None:
        """So many segments of a sender were given a place behind those that wait."""
        if self._sender_limit is not None:
            lane = self._sender(sender, now_us)
            behind_us = max(lane.queue_until_us, now_us)
            lane.queue_until_us = behind_us + round(units / self._sender_limit * 1_000_000)

    def hear(self, outcomes: Sequence[Outcome], now_us: int) -> None:
        """Learn from the outcomes of one call."""
        refusals = [each for each in outcomes if type(each) is NotAccepted and asks_for_less(each)]
        fade = exp(-max(0, now_us - self._shared_at_us) / 1_000_000 / SHARE_S)
        self._shared_at_us = now_us
        self._outcomes = self._outcomes * fade + len(outcomes)
        self._refusals = self._refusals * fade + len(refusals)
        if not refusals:
            return
        share = self._refusals / self._outcomes
        wishes_s = [each.retry_after_s for each in refusals if each.retry_after_s is not None]
        wish_s = max((each for each in wishes_s if each > 0), default=0.0)  # what is not a number is none
        if share >= HOLD_SHARE_MIN:
            until_us = now_us + round(min(wish_s, HOLD_S_MAX) * 1_000_000)
            self._held_until_us = max(self._held_until_us, until_us)
        if now_us - self._slower_at_us >= SLOWER_EVERY_US:
            self._slow_down(share, now_us)

    def held_s(self, now_us: int) -> float:
        """How much longer it is to be left alone, in seconds."""
        return max(0, self._held_until_us - now_us) / 1_000_000

    def choked(self, now_us: int) -> bool:
        """Whether refusals have lowered the rate so far that what waits is better off elsewhere."""
        self._grow(now_us)
        if self._bucket is None or self._ceiling is None:
            return False
        return self._bucket.rate <= self._ceiling * CHOKED_SHARE

    def view(self, now_us: int) -> ThrottleView:
        """As an operator sees it."""
        self._grow(now_us)
        held = self._held_until_us if now_us < self._held_until_us else 0
        return ThrottleView(self._bucket.rate if self._bucket else None, self._flow(now_us), held)

    def _slow_down(self, share: float, now_us: int) -> None:
        self._slower_at_us = self._grown_at_us = now_us
        rate = max(RATE_GUESS_MIN, self._flow(now_us)) if self._bucket is None else self._bucket.rate
        slower = max(RATE_MIN, rate * (1 - share / 2))
        if self._bucket is None:
            self._bucket, self._ceiling = TokenBucket(slower, now_us), 2 * rate  # what flowed was no limit
        else:
            self._bucket.change_rate(slower, now_us)

    def _grow(self, now_us: int) -> None:
        bucket, ceiling = self._bucket, self._ceiling
        if bucket is None or ceiling is None or now_us <= self._grown_at_us:
            return
        quiet_us = now_us - max(self._slower_at_us, self._held_until_us)
        if self._limit is None and quiet_us >= QUIET_S * 1_000_000:
            self._bucket = self._ceiling = None
            return
        grown_s = max(0, now_us - max(self._grown_at_us, self._held_until_us)) / 1_000_000
        self._grown_at_us = now_us
        if bucket.rate < ceiling:
            bucket.change_rate(min(ceiling, bucket.rate + grown_s * ceiling / 2 / RECOVERY_S), now_us)

    def _flow(self, now_us: int) -> float:
        """Segments a second, over the last seconds."""
        return self._metered * exp(-max(0, now_us - self._metered_at_us) / 1_000_000 / METER_S)

    def _sender(self, sender: str, now_us: int) -> _SenderLane:
        lane = self._senders.get(sender)
        if lane is None:
            lane = self._senders[sender] = _SenderLane(TokenBucket(self._sender_limit or inf, now_us), 0)
            if len(self._senders) > SENDERS_MAX:  # the one that was silent longest has a full bucket
                self._senders.popitem(last=False)
        else:
            self._senders.move_to_end(sender)
        return lane
