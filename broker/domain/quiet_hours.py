"""Quiet hours: when marketing does not go out, in the recipient's own time.

What counts is the clock on the recipient's wall. So an hour that a change of the clocks leaves out is not waited for,
and one that comes twice is quiet twice.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

from broker.domain.value import value

DAY_MINUTES = 1_440
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
SEARCH_DAYS_MAX = 8
"""Whoever is still quiet then always is."""

_US_PER_S = 1_000_000


class QuietAction(IntEnum):
    """What becomes of a message whose time is quiet. The numbers are stored and equal those of the protos."""

    WAIT = 1
    """It goes when the quiet hours are over."""
    REFUSE = 2


@value
class QuietHours:
    """From `start_minute` until `end_minute` of the day, on the `days` on which they begin (1: Monday).

    An end that is not after the start is one of the next day. `time_zone` is that of recipients of whom none is known.
    """

    start_minute: int
    end_minute: int
    days: tuple[int, ...] = EVERY_DAY
    time_zone: str = "UTC"
    action: QuietAction = QuietAction.WAIT


def quiet_problems(quiet: QuietHours) -> list[tuple[str, str]]:
    """The rules that quiet hours break, each with its field."""
    problems = []
    if not 0 <= quiet.start_minute < DAY_MINUTES:
        problems.append(("start_minute", f"must be from 0 to {DAY_MINUTES - 1}"))
    if not 0 <= quiet.end_minute <= DAY_MINUTES:
        problems.append(("end_minute", f"must be from 0 to {DAY_MINUTES}"))
    if quiet.start_minute == quiet.end_minute % DAY_MINUTES and quiet.end_minute != DAY_MINUTES:
        problems.append(("end_minute", "must be another than start_minute"))
    if any(day not in EVERY_DAY for day in quiet.days) or len(set(quiet.days)) < len(quiet.days):
        problems.append(("days", "must be days from 1 (Monday) to 7, each once"))
    if not problems and _always(quiet):
        problems.append(("days", "must leave a time at which messages may go"))
    if quiet.action not in frozenset(QuietAction):
        problems.append(("action", "must be WAIT or REFUSE"))
    return problems


def quiet_until(quiet: QuietHours, zones: tuple[str, ...], at_us: int) -> int | None:
    """When a message that is due at `at_us` may go: that time itself where it is quiet in none of the zones.

    None: it is always quiet in one of them, or stays so for more than `SEARCH_DAYS_MAX` days.
    """
    latest_us = at_us + SEARCH_DAYS_MAX * 86_400 * _US_PER_S
    while at_us <= latest_us:
        ends = [end for zone in zones if (end := _end_of_quiet(quiet, ZoneInfo(zone), at_us)) is not None]
        if not ends:
            return at_us
        at_us = max(ends)
    return None


def _end_of_quiet(quiet: QuietHours, zone: ZoneInfo, at_us: int) -> int | None:
    """When the quiet hours that hold at a time end in a zone; None: they do not hold."""
    wall = datetime.fromtimestamp(at_us // _US_PER_S, UTC).astimezone(zone)
    minute = wall.hour * 60 + wall.minute
    overnight = quiet.end_minute <= quiet.start_minute
    began: date | None = None
    if minute >= quiet.start_minute and (overnight or minute < quiet.end_minute):
        began = wall.date()
    elif overnight and minute < quiet.end_minute:
        began = wall.date() - timedelta(days=1)
    if began is None or began.isoweekday() not in quiet.days:
        return None
    last_day = began + timedelta(days=1) if overnight else began
    end = datetime.combine(last_day, time()) + timedelta(minutes=quiet.end_minute)
    return _first_at(end, zone, at_us)


def _first_at(wall: datetime, zone: ZoneInfo, after_us: int) -> int:
    """The first time after another at which the clock of a zone shows `wall`, or has passed it by a jump."""
    moments = [wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    first, second = (round(each.timestamp()) for each in moments)
    if first > second:  # the clock jumps over it: by the time before the jump it is later
        return _jump_between(second, first, wall, zone) * _US_PER_S
    return next(each * _US_PER_S for each in (first, second) if each * _US_PER_S > after_us)


def _jump_between(early_s: int, late_s: int, wall: datetime, zone: ZoneInfo) -> int:
    """The second in which a clock jumps over `wall`."""
    while late_s - early_s > 1:
        middle_s = (early_s + late_s) // 2
        shown = datetime.fromtimestamp(middle_s, UTC).astimezone(zone).replace(tzinfo=None)
        early_s, late_s = (early_s, middle_s) if shown >= wall else (middle_s, late_s)
    return late_s


def _always(quiet: QuietHours) -> bool:
    full_day = quiet.start_minute == 0 and quiet.end_minute == DAY_MINUTES
    return full_day and set(quiet.days) == set(EVERY_DAY)
