"""Microseconds to protobuf's times and back."""

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from broker.api.convert.times import duration, span_us_of, time_us_of, timestamp

INT64 = st.integers(-(2**63), 2**63 - 1)
INT32 = st.integers(-(2**31), 2**31 - 1)


@given(st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999))
def test_a_time_comes_back_as_it_went(time_us):
    """Over the whole range of timestamp.proto, with nanos never negative."""
    assert time_us == time_us_of(timestamp(time_us))
    assert 0 <= timestamp(time_us).nanos <= 999_999_999


@pytest.mark.parametrize(
    ("seconds", "nanos", "expected"),
    [(1, 999, 1_000_000), (-1, 999_999_000, -1), (0, 1_000_000_000, None), (0, -1, None)],
)
def test_what_is_finer_than_a_microsecond_is_cut_off(seconds, nanos, expected):
    """And nanos out of range are no time."""
    assert expected == time_us_of(Timestamp(seconds=seconds, nanos=nanos))


@given(INT64, INT32)
def test_hostile_numbers_are_a_time_or_none(seconds, nanos):
    """Never an exception."""
    time_us = time_us_of(Timestamp(seconds=seconds, nanos=nanos))
    assert time_us is None or seconds == time_us // 1_000_000


@given(INT64, INT32)
def test_hostile_numbers_are_a_span_or_none(seconds, nanos):
    """Never an exception; the signs agree."""
    span_us = span_us_of(Duration(seconds=seconds, nanos=nanos))
    assert span_us is None or abs(span_us - seconds * 1_000_000) < 1_000_000


@pytest.mark.parametrize(
    ("seconds", "nanos", "expected"),
    [
        (1, 500_000_000, 1_500_000),
        (-1, -500_000_000, -1_500_000),
        (1, -1, None),
        (-1, 1, None),
        (0, -1_000, -1),
    ],
)
def test_a_span_has_one_sign(seconds, nanos, expected):
    """As duration.proto says."""
    assert expected == span_us_of(Duration(seconds=seconds, nanos=nanos))


@pytest.mark.parametrize("span_s", [0.0, 0.25, 1.0, 86_400.5])
def test_a_span_is_told_in_seconds_and_nanos(span_s):
    """To the microsecond."""
    assert round(span_s * 1_000_000) == span_us_of(duration(span_s))
