"""What was sent, counted once more: from nothing but the events of an account."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from broker.domain.charging import Charge
from broker.domain.country import country_of
from broker.domain.lifecycle import Fact
from broker.domain.records import EventRecord
from broker.domain.usage import Dimension, Usage, UsageQuery, UsageUnit, has_country
from broker.domain.value import value
from broker.domain.vocabulary import Direction, EventKind, Reason
from broker.storage.transaction import Transaction
from broker.storage.usage import read_usage

NO_CHARGES: Mapping[int, Charge] = {}
OPT_OUTS = {Reason.OPTED_OUT, Reason.OPTED_OUT_GLOBALLY}


@value
class Counted:
    """A message, as its events tell it."""

    first: EventRecord
    last: EventRecord
    reason: Reason | None
    charge: Charge = Charge.NONE

    def amount(self, unit: UsageUnit) -> int:
        """What it counts for."""
        charged = self.charge in {Charge.SETTLED, Charge.REFUNDED} and self.last.price is not None
        credit = self.last.price.micros if charged and self.last.price else 0
        return {UsageUnit.MESSAGES: 1, UsageUnit.UNITS: self.last.units, UsageUnit.CREDITS: credit}[unit]

    def day(self, time_zone: str) -> date:
        """The day on which it was accepted."""
        return datetime.fromtimestamp(self.first.time_us / 1_000_000, ZoneInfo(time_zone)).date()

    def group(self, query: UsageQuery, tag: str) -> tuple[date | int | str, ...]:
        """Its values of what the counts are split by."""
        last, campaign = self.last, self.last.labels.campaign
        values: dict[Dimension, date | int | str] = {
            Dimension.DAY: self.day(query.time_zone),
            Dimension.ACCOUNT: last.account_id,
            Dimension.CHANNEL: last.channel or 0,
            Dimension.PROVIDER: last.moved.provider,
            Dimension.CAMPAIGN: campaign.id if campaign else "",
            Dimension.TAG: tag,
            Dimension.COUNTRY: country_of(last.recipient)
            if has_country(last.channel, last.recipient)
            else "",
            Dimension.STATUS: last.moved.state,
        }
        return tuple(values[each] for each in query.group_by)


def messages_of(events: Sequence[EventRecord], charges: Mapping[int, Charge] = NO_CHARGES) -> list[Counted]:
    """The messages that events in the order of the log are about. Of which were charged, events say nothing."""
    found: dict[int, Counted] = {}
    for event in events:
        if event.kind is not EventKind.MESSAGE:
            continue
        before = found.get(event.message_id)
        moved = before is None or event.moved.state is not event.moved.previous_state
        reason = event.moved.reason if moved or before is None else before.reason
        found[event.message_id] = Counted(
            before.first if before else event, event, reason, charges.get(event.message_id, Charge.NONE)
        )
    return list(found.values())


def recount(
    events: Sequence[EventRecord], query: UsageQuery, charges: Mapping[int, Charge] = NO_CHARGES
) -> Usage:
    """What `read_usage` has to answer."""
    counts: dict[tuple[date | int | str, ...], int] = {}
    total = 0
    for message in messages_of(events, charges):
        if not query.first <= message.day(query.time_zone) <= query.last:
            continue
        if message.reason in OPT_OUTS and not query.include_opted_out:
            continue
        if message.charge is Charge.REFUNDED and not query.include_refunded:
            continue
        total += message.amount(query.unit)
        tags = (message.last.labels.tags or ("",)) if Dimension.TAG in query.group_by else ("",)
        for tag in tags:
            group = message.group(query, tag)
            counts[group] = counts.get(group, 0) + message.amount(query.unit)
    return Usage({group: count for group, count in sorted(counts.items()) if count}, total)


def check_usage(tx: Transaction, account_id: int, events: Sequence[EventRecord]) -> None:
    """Raise AssertionError where usage is not what the whole log of an account comes to."""
    if Direction.INBOUND in {Direction(row[2]) for row in _directions(tx, events)}:
        return
    heads = tx.all("message_heads", message_ids=list({event.message_id for event in events}))
    charges = {row[0]: Charge(row[10]) for row in heads}
    times = [event.time_us for event in events if event.kind is EventKind.MESSAGE]
    if not times:
        return
    first, last = (datetime.fromtimestamp(each(times) / 1_000_000, UTC).date() for each in (min, max))
    erased = any(event.kind is EventKind.MESSAGE and event.moved.fact is Fact.DELETED for event in events)
    splits = [set(Dimension) - {Dimension.TAG, Dimension.COUNTRY}, {Dimension.TAG, Dimension.PROVIDER}]
    for split in splits if erased else [*splits, {Dimension.COUNTRY, Dimension.CHANNEL}]:
        for unit in UsageUnit:
            query = UsageQuery(
                (account_id,),
                first,
                last,
                "UTC",
                tuple(split),
                unit,
                include_refunded=True,
                include_opted_out=True,
            )
            assert recount(events, query, charges) == read_usage(tx, query)
            paid = replace(query, include_refunded=False)
            assert recount(events, paid, charges) == read_usage(tx, paid)


def _directions(tx: Transaction, events: Sequence[EventRecord]) -> list[tuple[int, ...]]:
    return tx.all("message_directions", message_ids=list({event.message_id for event in events}))
