"""Times and spans: protobuf's seconds and nanos, and the broker's integer microseconds since 1970 UTC.

A client may put any 64-bit number into a Timestamp; what is no time is None here, never an exception.
"""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

US_PER_S = 1_000_000
_NS_PER_US = 1_000
_NANOS_MAX = 999_999_999
# 0001-01-01 to 9999-12-31, the range that timestamp.proto allows.
_SECONDS_MIN = -62_135_596_800
_SECONDS_MAX = 253_402_300_799
# About 10,000 years, the range that duration.proto allows.
_SPAN_SECONDS_MAX = 315_576_000_000


def timestamp(time_us: int) -> Timestamp:
    """A time as protobuf tells it."""
    seconds, us = divmod(time_us, US_PER_S)
    return Timestamp(seconds=seconds, nanos=us * _NS_PER_US)


def set_timestamp(field: Timestamp, time_us: int) -> None:
    """The same in a message's own field, which needs no Timestamp made first."""
    field.seconds, us = divmod(time_us, US_PER_S)
    field.nanos = us * _NS_PER_US


def time_us_of(time: Timestamp) -> int | None:
    """A time in microseconds, what is finer cut off; None when it is outside of timestamp.proto's range."""
    if _SECONDS_MIN <= time.seconds <= _SECONDS_MAX and 0 <= time.nanos <= _NANOS_MAX:
        return time.seconds * US_PER_S + time.nanos // _NS_PER_US
    return None


def duration(span_s: float) -> Duration:
    """A span as protobuf tells it."""
    seconds, us = divmod(round(span_s * US_PER_S), US_PER_S)
    return Duration(seconds=seconds, nanos=us * _NS_PER_US)


def span_us_of(span: Duration) -> int | None:
    """A span in microseconds, what is finer cut off; None when it is outside of duration.proto's range."""
    if abs(span.seconds) > _SPAN_SECONDS_MAX or abs(span.nanos) > _NANOS_MAX:
        return None
    if span.seconds * span.nanos < 0:
        return None  # seconds and nanos must not pull in different directions
    return span.seconds * US_PER_S + int(span.nanos / _NS_PER_US)


def optional_timestamp(time_us: int | None) -> Timestamp | None:
    """The same for a time that may not be known."""
    return None if time_us is None else timestamp(time_us)
