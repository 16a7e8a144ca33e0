"""Quiet hours by the clock on the wall: over midnight, on some days, and when clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.quiet_hours import QuietHours, quiet_problems, quiet_until
from broker.domain.time_zone import zones_of_number

LONDON, NEW_YORK, KOLKATA = "Europe/London", "America/New_York", "Asia/Kolkata"
NIGHT = QuietHours(20 * 60, 8 * 60)
NOON = QuietHours(12 * 60, 13 * 60)
WEEKEND = QuietHours(0, 24 * 60, days=(6, 7))


def at(text: str, zone: str = LONDON, fold: int = 0) -> int:
    """A time on the wall of a zone."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()) * 10**6


@pytest.mark.parametrize(
    ("quiet", "due", "goes"),
    [
        (NIGHT, "2026-06-10T19:59:59", "2026-06-10T19:59:59"),
        (NIGHT, "2026-06-10T20:00", "2026-06-11T08:00"),
        (NIGHT, "2026-06-10T23:30", "2026-06-11T08:00"),
        (NIGHT, "2026-06-11T07:59:59", "2026-06-11T08:00"),
        (NIGHT, "2026-06-11T08:00", "2026-06-11T08:00"),
        (NOON, "2026-06-11T11:59:59", "2026-06-11T11:59:59"),
        (NOON, "2026-06-11T12:00", "2026-06-11T13:00"),
        (WEEKEND, "2026-06-12T23:59:59", "2026-06-12T23:59:59"),
        (WEEKEND, "2026-06-13T00:00", "2026-06-15T00:00"),
        (QuietHours(22 * 60, 6 * 60, days=(5,)), "2026-06-13T05:00", "2026-06-13T06:00"),
        (QuietHours(22 * 60, 6 * 60, days=(5,)), "2026-06-14T05:00", "2026-06-14T05:00"),
    ],
)
def test_a_message_waits_for_the_end_of_the_quiet_hours(quiet: QuietHours, due: str, goes: str) -> None:
    """To the second, over midnight, and by the day on which they began."""
    assert at(goes) == quiet_until(quiet, (LONDON,), at(due))


def test_a_night_with_a_shorter_hour_ends_by_the_clock() -> None:
    """In spring it is eleven hours long."""
    due = at("2026-03-28T20:00")
    assert at("2026-03-29T08:00") == quiet_until(NIGHT, (LONDON,), due) == due + 11 * 3_600 * 10**6


def test_an_end_that_the_clock_jumps_over_is_the_jump() -> None:
    """At 01:00 it is 02:00: nobody waits for 01:30."""
    quiet = QuietHours(23 * 60, 90)
    assert at("2026-03-29T02:00") == quiet_until(quiet, (LONDON,), at("2026-03-28T23:30"))


def test_an_end_that_comes_twice_ends_it_twice() -> None:
    """At 02:00 it is 01:00 again: from 01:30 to 02:00 it is not quiet, and then once more until 01:30."""
    quiet = QuietHours(23 * 60, 90)
    first, again = at("2026-10-25T01:30", fold=0), at("2026-10-25T01:30", fold=1)
    assert first == quiet_until(quiet, (LONDON,), at("2026-10-24T23:30"))
    assert first == quiet_until(quiet, (LONDON,), first)
    assert again == quiet_until(quiet, (LONDON,), at("2026-10-25T01:10", fold=1))


def test_quiet_in_one_zone_is_quiet() -> None:
    """What waits for London in the morning waits for New York too, where it is night until London's noon."""
    due = at("2026-06-11T07:00")
    assert at("2026-06-11T08:00", NEW_YORK) == quiet_until(NIGHT, (LONDON, NEW_YORK), due)


def test_zones_that_are_never_awake_together_are_always_quiet() -> None:
    """Then there is no time to wait for."""
    assert quiet_until(QuietHours(12 * 60, 11 * 60), (LONDON, KOLKATA), at("2026-06-11T12:00")) is None


@given(
    start=st.integers(0, 1_439),
    end=st.integers(0, 1_440),
    days=st.sets(st.integers(1, 7), min_size=1),
    zone=st.sampled_from([LONDON, NEW_YORK, "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"]),
    minute=st.integers(0, 2 * 366 * 1_440),
)
def test_the_end_is_the_first_minute_that_is_not_quiet(
    start: int, end: int, days: set[int], zone: str, minute: int
) -> None:
    """As a walk along the clock finds it, minute by minute, also around changes of the clock."""
    quiet = QuietHours(start, end, tuple(sorted(days)))
    if quiet_problems(quiet):
        return
    due = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    due_us = round(due.timestamp()) * 10**6
    until_us = quiet_until(quiet, (zone,), due_us)
    assert until_us is not None
    assert not _is_quiet(quiet, zone, until_us)
    steps = range(due_us, until_us, 17 * 60 * 10**6)
    assert all(_is_quiet(quiet, zone, each) for each in [*steps, until_us - 10**6][: len(steps) and None])


def _is_quiet(quiet: QuietHours, zone: str, at_us: int) -> bool:
    wall = datetime.fromtimestamp(at_us // 10**6, UTC).astimezone(ZoneInfo(zone))
    minute, today = wall.hour * 60 + wall.minute, wall.isoweekday()
    yesterday = (today - 2) % 7 + 1
    if quiet.start_minute < quiet.end_minute:
        return quiet.start_minute <= minute < quiet.end_minute and today in quiet.days
    return (minute >= quiet.start_minute and today in quiet.days) or (
        minute < quiet.end_minute and yesterday in quiet.days
    )


@pytest.mark.parametrize(
    ("quiet", "field"),
    [
        (QuietHours(-1, 60), "start_minute"),
        (QuietHours(1_440, 60), "start_minute"),
        (QuietHours(60, 1_441), "end_minute"),
        (QuietHours(60, 60), "end_minute"),
        (QuietHours(0, 0), "end_minute"),
        (QuietHours(0, 60, days=(0,)), "days"),
        (QuietHours(0, 60, days=(1, 1)), "days"),
        (QuietHours(0, 1_440), "days"),
    ],
)
def test_quiet_hours_that_cannot_be_are_refused(quiet: QuietHours, field: str) -> None:
    """With their field."""
    assert [field] == [each for each, _ in quiet_problems(quiet)]


@pytest.mark.parametrize("quiet", [NIGHT, WEEKEND, QuietHours(0, 1), QuietHours(1_439, 1_440)])
def test_quiet_hours_at_the_limits_are_taken(quiet: QuietHours) -> None:
    """The first and the last minute of the day."""
    assert [] == quiet_problems(quiet)


def test_a_number_tells_where_it_may_be() -> None:
    """An area, several zones of a country, or nothing where it is of no place."""
    assert ("America/New_York",) == zones_of_number("+12125550123")
    assert {"Australia/Perth", "Australia/Sydney"} <= set(zones_of_number("+61412345678"))
    assert () == zones_of_number("+8812345678901")
