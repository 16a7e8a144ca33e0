"""Counts of what was sent, to and from protobuf."""

from collections.abc import Iterable
from datetime import date

from waypost.usage import Usage, UsageRow
from waypost.v1 import usage_pb2
from waypost.vocabulary import UsageDimension, UsageUnit
from waypost.wire.sends import texts
from waypost.wire.words import USAGE_DIMENSIONS, USAGE_UNITS


def usage_message(
    first: date | None,
    last: date | None,
    by: UsageDimension | Iterable[UsageDimension],
    unit: UsageUnit,
    *,
    time_zone: str,
    include_refunded: bool,
    include_opted_out: bool,
    account_ids: str | Iterable[str],
) -> usage_pb2.UsageRequest:
    """What to count."""
    dimensions = [by] if isinstance(by, UsageDimension) else by
    return usage_pb2.UsageRequest(
        start_date="" if first is None else first.isoformat(),
        end_date="" if last is None else last.isoformat(),
        group_by=[USAGE_DIMENSIONS.number(each) for each in dimensions],
        unit=USAGE_UNITS.number(unit),
        time_zone=time_zone,
        include_refunded=include_refunded,
        include_opted_out=include_opted_out,
        account_ids=texts(account_ids),
    )


def usage_of(response: usage_pb2.UsageResponse) -> Usage:
    """The counts."""
    return Usage(tuple(UsageRow(tuple(row.group), row.count) for row in response.rows), response.total)
