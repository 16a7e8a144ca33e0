"""Days over buckets: whole, in order, without a gap, in any time zone."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.usage import BUCKET_S, EARLIEST, LATEST, Stretch, fold, has_country, stretches
from broker.domain.vocabulary import Channel

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Cairo",
]


@given(
    st.sampled_from(ZONES),
    st.dates(EARLIEST, LATEST - timedelta(days=400)),
    st.integers(0, 399),
    st.floats(0, 1, exclude_max=True),
)
def test_every_moment_is_in_the_day_that_a_clock_on_the_wall_shows(
    name: str, first: date, more: int, part: float
) -> None:
    """Stretches follow one another without a gap, and each bucket is of one day."""
    found = stretches(first, first + timedelta(days=more), name)
    assert [each.stop for each in found[:-1]] == [each.start for each in found[1:]]
    start, stop = found[0].start, found[-1].stop
    bucket = start + int(part * (stop - start))
    (stretch,) = [each for each in found if each.start <= bucket < each.stop]
    day = stretch.day + timedelta(days=(bucket - stretch.start) // stretch.width)
    zone = ZoneInfo(name)
    shown = {datetime.fromtimestamp(bucket * BUCKET_S + second, zone).date() for second in (0, BUCKET_S - 1)}
    assert {day} == shown


def test_a_year_is_few_stretches() -> None:
    """Days of one length are counted with one question: clocks change twice."""
    found = stretches(date(2026, 1, 1), date(2026, 12, 31), "Europe/Berlin")
    assert [(96, 87), (92, 1), (96, 209), (100, 1), (96, 67)] == [(each.width, each.days) for each in found]


def test_a_day_that_was_left_out_has_nothing() -> None:
    """Samoa went from 29 to 31 December 2011."""
    found = stretches(date(2011, 12, 29), date(2011, 12, 31), "Pacific/Apia")
    assert [date(2011, 12, 29), date(2011, 12, 31)] == [each.day for each in found]
    assert [] == stretches(date(2011, 12, 30), date(2011, 12, 30), "Pacific/Apia")


def test_a_stretch_ends_where_its_days_do() -> None:
    """Each has its width."""
    assert 10 + 3 * 96 == Stretch(date(2026, 1, 1), 10, 96, 3).stop


def test_equal_groups_are_one() -> None:
    """In order, without what comes to nothing."""
    assert [(("a",), 3), (("b",), 1)] == list(
        fold([(("b",), 1), (("a",), 1), (("c",), 0), (("a",), 2)]).items()
    )


@pytest.mark.parametrize(
    ("channel", "address", "expected"),
    [
        (Channel.SMS, "+447700900123", True),
        (Channel.MMS, "+447700900123", True),
        (Channel.EMAIL, "a@example.com", False),
        (Channel.SMS, "no number", False),
        (Channel.SMS, "", False),
        (Channel.SMS, "+٤٤", False),
        (None, "+447700900123", False),
    ],
)
def test_only_numbers_have_a_country(channel: Channel | None, address: str, expected: bool) -> None:
    """A refused recipient may be written in any way."""
    assert expected is has_country(channel, address)
