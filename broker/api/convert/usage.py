"""UsageRequest → what to count, and the counts → protobuf."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from broker.api.convert.findings import Findings
from broker.api.convert.ids import account_text
from broker.api.convert.time_zones import is_time_zone
from broker.api.convert.words import PB_STATUSES
from broker.delivery.usage import Usage, UsageQuery
from broker.domain.lifecycle import State
from broker.domain.usage import DAYS_MAX, EARLIEST, LATEST, Dimension, UsageUnit
from broker.domain.vocabulary import Channel
from waypost.v1 import status_pb2, usage_pb2

ACCOUNTS_MAX = 100
DAYS_DEFAULT = 30

_UNITS: Mapping[int, UsageUnit] = {
    usage_pb2.USAGE_UNIT_UNSPECIFIED: UsageUnit.MESSAGES,
    **{usage_pb2.UsageUnit.Value(f"USAGE_UNIT_{each.name}"): each for each in UsageUnit},
}
_DIMENSIONS: Mapping[int, Dimension] = {
    usage_pb2.UsageDimension.Value(f"USAGE_DIMENSION_{each.name}"): each for each in Dimension
}


def days_of(start_date: str, end_date: str, zone: str, now_us: int, findings: Findings) -> tuple[date, date]:
    """The first and the last day that a request is about; what it leaves out is the last 30 days."""
    today = datetime.fromtimestamp(now_us / 1_000_000, UTC).astimezone(ZoneInfo(zone)).date()
    before = len(findings.violations)
    last = _day("end_date", end_date, findings) or today
    first = _day("start_date", start_date, findings) or last - timedelta(days=DAYS_DEFAULT - 1)
    if len(findings.violations) == before:
        if first > last:
            findings.broke("end_date", "must not be before start_date")
        elif (last - first).days >= DAYS_MAX:
            findings.broke("end_date", f"is over {DAYS_MAX} days after start_date, both included")
    return first, last


def usage_query_of(request: usage_pb2.UsageRequest, account_ids: Sequence[int], now_us: int) -> UsageQuery:
    """What to count. Raises BrokerError with every rule that the request breaks."""
    findings = Findings()
    zone = request.time_zone or "UTC"
    if not is_time_zone(zone):
        findings.broke("time_zone", 'is not an IANA time zone, as "Europe/Berlin"')
        zone = "UTC"
    first, last = days_of(request.start_date, request.end_date, zone, now_us, findings)
    found = [findings.word(f"group_by[{at}]", each, _DIMENSIONS) for at, each in enumerate(request.group_by)]
    group_by = tuple(each for each in found if each is not None)
    if len(set(group_by)) < len(group_by):
        findings.broke("group_by", "has a value twice")
    unit = findings.word("unit", request.unit, _UNITS)
    findings.refuse()
    return UsageQuery(
        tuple(account_ids),
        first,
        last,
        zone,
        group_by,
        unit or UsageUnit.MESSAGES,
        include_refunded=request.include_refunded,
        include_opted_out=request.include_opted_out,
    )


def check_account_ids(account_ids: Sequence[str]) -> None:
    """Raise BrokerError where there are too many."""
    findings = Findings()
    findings.count("account_ids", len(account_ids), ACCOUNTS_MAX)
    findings.refuse()


def _day(field: str, text: str, findings: Findings) -> date | None:
    """A day; None where none was given, or it is none."""
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        day = None
    if day is None or not EARLIEST <= day <= LATEST or str(day) != text:
        findings.broke(field, f'must be a day from {EARLIEST} to {LATEST}, as "2026-03-01"')
        return None
    return day


def usage_response(usage: Usage, query: UsageQuery) -> usage_pb2.UsageResponse:
    """The counts. States that clients see as one status are one row."""
    rows: dict[tuple[str, ...], int] = {}
    for group, count in usage.counts.items():
        shown = tuple(_SHOWN[each](part) for each, part in zip(query.group_by, group, strict=True))
        rows[shown] = rows.get(shown, 0) + count
    return usage_pb2.UsageResponse(
        rows=[usage_pb2.UsageRow(group=group, count=count) for group, count in rows.items()],
        total=usage.total,
    )


def _status(number: int) -> str:
    return status_pb2.MessageStatus.Name(PB_STATUSES[State(number)]).removeprefix("MESSAGE_STATUS_")


_SHOWN: Mapping[Dimension, Callable[..., str]] = {
    Dimension.DAY: str,
    Dimension.ACCOUNT: account_text,
    Dimension.CHANNEL: lambda number: Channel(number).name if number else "",
    Dimension.PROVIDER: str,
    Dimension.CAMPAIGN: str,
    Dimension.TAG: str,
    Dimension.COUNTRY: str,
    Dimension.STATUS: _status,
}
