"""What was sent, counted: by which words counts are split, and how days of a time zone lie over the buckets.

A bucket is a quarter of an hour of UTC, by the time of acceptance. Every offset in use is a multiple of that,
so a day of any time zone is a whole number of buckets.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

from broker.domain.value import value
from broker.domain.vocabulary import Channel

BUCKET_S = 900
DAYS_MAX = 400
"""A year and a month, so that a month can be set beside that of the year before."""

EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)
"""Days that can be asked for; the offsets of longer ago are no multiples of a bucket."""


class UsageUnit(IntEnum):
    """What is counted. Numbers equal those of the protos."""

    MESSAGES = 1
    UNITS = 2
    CREDITS = 3


class Dimension(IntEnum):
    """What counts are split by. Numbers equal those of the protos."""

    DAY = 1
    ACCOUNT = 2
    CHANNEL = 3
    PROVIDER = 4
    CAMPAIGN = 5
    TAG = 6
    COUNTRY = 7
    STATUS = 8


@value
class UsageQuery:
    """What to count: messages that were accepted on the days from `first` to `last` of a time zone."""

    account_ids: tuple[int, ...]
    first: date
    last: date
    time_zone: str = "UTC"
    group_by: tuple[Dimension, ...] = ()
    unit: UsageUnit = UsageUnit.MESSAGES
    include_refunded: bool = False
    include_opted_out: bool = False


Group = tuple[date | int | str, ...]
"""A value for each dimension of `group_by`: a day, an account's id, a number of Channel or State, or a text.

No channel is 0. A text is empty where a message has none.
"""


@value
class Usage:
    """The counts by group, and their sum over all messages, each once."""

    counts: dict[Group, int]
    total: int


@value
class Stretch:
    """Consecutive days of one length: the first of them, where it begins, and how long each is, in buckets."""

    day: date
    start: int
    width: int
    days: int

    @property
    def stop(self) -> int:
        """The bucket after the last."""
        return self.start + self.width * self.days

    @property
    def next_day(self) -> date:
        """The day after the last."""
        return self.day + timedelta(days=self.days)


def stretches(first: date, last: date, time_zone: str) -> list[Stretch]:
    """The days from `first` to `last`, in order; the two days a year on which clocks change stand alone."""
    zone = ZoneInfo(time_zone)
    found: list[Stretch] = []
    day, start = first, _bucket_of(first, zone)
    while day <= last:
        following = day + timedelta(days=1)
        stop = _bucket_of(following, zone)
        before = found[-1] if found else None
        if before is not None and (before.next_day, before.width) == (day, stop - start):
            found[-1] = Stretch(before.day, before.start, before.width, before.days + 1)
        elif stop > start:  # a day that a zone skipped, when it changed sides of the date line, has no length
            found.append(Stretch(day, start, stop - start, 1))
        day, start = following, stop
    return found


def _bucket_of(day: date, zone: ZoneInfo) -> int:
    """The bucket in which a day begins. Where clocks leave out its midnight, that is when they do."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) // BUCKET_S


_PHONE_CHANNELS = frozenset({Channel.SMS, Channel.MMS})


def has_country(channel: Channel | None, address: str) -> bool:
    """Whether a message's address is a number, whose country can be told; a refused one may be anything."""
    return channel in _PHONE_CHANNELS and address[:1] == "+" and address[1:].isdigit() and address.isascii()


def fold(counts: Sequence[tuple[Group, int]]) -> dict[Group, int]:
    """The counts of equal groups together, without those that come to nothing, in order."""
    sums: dict[Group, int] = {}
    for group, count in counts:
        sums[group] = sums.get(group, 0) + count
    return dict(sorted(each for each in sums.items() if each[1]))
