"""Retry-After in both of its forms, and in those that nobody should write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.pause import PAUSE_S_MAX, retry_after_s

NOW_US = 1_790_000_000_000_000


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("86401", PAUSE_S_MAX),
        ("000000007", 7.0),
        ("9" * 5_000, PAUSE_S_MAX),
        ("Mon, 21 Sep 2026 14:15:00 GMT", 100.0),
        ("Mon, 21 Sep 2026 14:15:00 -0000", 100.0),
        ("Mon, 21 Sep 2026 13:00:00 GMT", 0.0),
        ("Tue, 01 Jan 2999 00:00:00 GMT", PAUSE_S_MAX),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("nan", None),
        ("٣", None),
        ("Sat, 99 Foo 2026 25:61:61 GMT", None),
    ],
)
def test_an_upstreams_wish_is_a_bounded_number_of_seconds(written: str | None, seconds: float | None) -> None:
    """Dates count from the clock that is given; what has no meaning is no wish."""
    assert seconds == retry_after_s(written, NOW_US)


@given(
    st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,9} \d\d:\d\d:\d\d [A-Z+-]{1,4}\d*")
)
def test_nothing_that_is_written_can_hurt(written: str) -> None:
    """It comes from a socket."""
    seconds = retry_after_s(written, NOW_US)
    assert seconds is None or 0 <= seconds <= PAUSE_S_MAX
