"""Times and spans: protobuf's seconds and nanos, and Python's datetime and timedelta."""

from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_US_PER_S = 1_000_000


def time_of(time: Timestamp) -> datetime:
    """A time in UTC. What is finer than a microsecond is cut off."""
    return _EPOCH + timedelta(seconds=time.seconds, microseconds=time.nanos // 1_000)


def timestamp(time: datetime) -> Timestamp:
    """A time as protobuf tells it. Raises ValueError for one without a zone: a guess could be hours off."""
    if time.utcoffset() is None:
        raise ValueError(f"{time.isoformat()} has no time zone; use datetime.now(UTC) or tzinfo=...")
    seconds, us = divmod((time - _EPOCH) // _US, _US_PER_S)
    return Timestamp(seconds=seconds, nanos=us * 1_000)


def span_of(span: Duration) -> timedelta:
    """A span. What is finer than a microsecond is cut off."""
    return timedelta(seconds=span.seconds, microseconds=int(span.nanos / 1_000))


def duration(span: timedelta) -> Duration:
    """A span as protobuf tells it; a negative one has negative nanos too."""
    us = span // _US
    seconds = int(us / _US_PER_S)
    return Duration(seconds=seconds, nanos=(us - seconds * _US_PER_S) * 1_000)
