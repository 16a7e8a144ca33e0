"""Times and spans."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from waypost.wire.times import duration, span_of, time_of, timestamp


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_comes_back_as_it_went(time) -> None:
    """To the microsecond, from year 1 to 9999."""
    assert time == time_of(timestamp(time))


@given(st.timedeltas())
def test_a_span_is_what_protobuf_reads(span) -> None:
    """Negative ones too: protobuf's own reading is the measure."""
    sent = Duration.FromString(duration(span).SerializeToString())
    assert span == sent.ToTimedelta()
    assert span == span_of(sent)


def test_a_time_arrives_in_utc() -> None:
    """Whatever its zone was."""
    there = datetime(2026, 12, 24, 18, 0, tzinfo=timezone(timedelta(hours=1)))
    assert datetime(2026, 12, 24, 17, 0, tzinfo=UTC) == time_of(timestamp(there))
    assert UTC is time_of(timestamp(there)).tzinfo


def test_what_is_finer_than_a_microsecond_is_cut_off() -> None:
    """Python has no more."""
    assert datetime(1970, 1, 1, 0, 0, 1, 999_999, tzinfo=UTC) == time_of(
        Timestamp(seconds=1, nanos=999_999_999)
    )


def test_a_time_without_a_zone_is_refused() -> None:
    """A guess could be hours off."""
    with pytest.raises(ValueError, match="no time zone"):
        timestamp(datetime(2026, 12, 24, 18, 0))  # noqa: DTZ001
