"""How fast each key may call. Counted by each process for itself."""

from collections import OrderedDict

from broker.domain.access import Principal
from broker.domain.throttle import TokenBucket
from broker.errors import BrokerError, ErrorReason
from broker.spi import Clock

KEYS_MAX = 10_000


class KeyRates:
    """Counts the calls of keys that have a limit. A key without one costs nothing here."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: OrderedDict[int, TokenBucket] = OrderedDict()

    def spend(self, caller: Principal) -> None:
        """Count one call. Raises BrokerError RATE_LIMITED, with when to come back, for one too many."""
        if not caller.calls_per_second:
            return
        now_us = self._clock.now_us()
        bucket = self._bucket(caller.key_id, caller.calls_per_second, now_us)
        open_at_us = bucket.open_at(now_us)
        if open_at_us > now_us:
            raise BrokerError(
                ErrorReason.RATE_LIMITED,
                retry_after_s=(open_at_us - now_us) / 1_000_000,
                metadata={"calls_per_second": str(caller.calls_per_second)},
            )
        bucket.take(1, now_us)

    def _bucket(self, key_id: int, rate: int, now_us: int) -> TokenBucket:
        bucket = self._buckets.get(key_id)
        if bucket is None:
            bucket = self._buckets[key_id] = TokenBucket(rate, now_us)
            while len(self._buckets) > KEYS_MAX:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key_id)
            if bucket.rate != rate:
                bucket.change_rate(rate, now_us)
        return bucket
