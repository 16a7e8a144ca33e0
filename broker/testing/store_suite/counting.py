# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of usage: what was sent, counted by every word, however much of the log was counted before."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from broker.domain.lifecycle import State
from broker.domain.outcome import Accepted, NotAccepted, Outcome, Rejected
from broker.domain.submission import Campaign, Recipient
from broker.domain.usage import Dimension, Group, UsageQuery, UsageUnit
from broker.domain.vocabulary import Channel, Reason
from broker.storage.retiring import LogTrim, Retirement, retire_messages, trim_logs
from broker.storage.usage import read_usage, read_usage_behind
from broker.testing.builders import NOW_US, SECOND_US, phones, sms
from broker.testing.store_suite.bench import Bench, receipt, room
from broker.testing.store_suite.opening import OpenedStore
from broker.testing.store_suite.recount import recount

TODAY = datetime.fromtimestamp(NOW_US / 1_000_000, UTC).date()
COUNTRIES = ("+447700900123", "+12025550123", "+4915112345678", "no number")
LONG_TEXT = "x" * 400


def asked(*group_by: Dimension, **changes: Any) -> UsageQuery:
    """A count of account 1 from the day that tests begin to a month later."""
    fields: dict[str, Any] = {"account_ids": (1,), "first": TODAY, "last": TODAY + timedelta(days=30)}
    return UsageQuery(**(fields | {"group_by": group_by} | changes))


async def used(bench: Bench, *group_by: Dimension, **changes: Any) -> dict[Group, int]:
    """The counts."""
    return (await bench.store.read(read_usage, asked(*group_by, **changes))).counts


async def lives(bench: Bench, chance: random.Random) -> None:
    """A message of any kind, of which anything becomes."""
    labels: dict[str, Any] = {
        "campaign": chance.choice([None, Campaign("spring", "Spring"), Campaign("autumn")]),
        "tags": tuple(chance.sample(["a", "b", "c"], chance.randrange(4))),
        "content": chance.choice([sms(), sms(LONG_TEXT)]),
        "recipients": (Recipient(phone_number=chance.choice(COUNTRIES)),),
        "account_id": chance.choice([1, 1, 2]),
    }
    sent = await bench.send(**labels, candidates=(chance.choice(["acme", "other"]),))
    bench.wait(chance.choice([1, 700, 90_000]))
    rooms = (room("acme"), room("other"))
    for attempt in (await bench.claim(rooms=rooms, known=frozenset({"acme", "other"}))).attempts:
        outcomes: list[Outcome] = [
            Accepted((f"{attempt.message_id}",)),
            Rejected(Reason.OPTED_OUT),
            NotAccepted(60),
        ]
        await bench.settle(attempt, chance.choice(outcomes))
        if chance.random() < 0.5:
            status = chance.choice(["DELIVERED", "DELIVERY_FAILED"])
            await bench.report(receipt(f"{attempt.message_id}", status), provider=attempt.provider)
    if chance.random() < 0.2:
        await bench.cancel(sent[0], labels["account_id"])


class CountingCases(OpenedStore):
    """Usage is a recount of the events, and stays when they go."""

    async def test_counts_equal_a_recount_of_the_events(self, bench: Bench) -> None:
        """In each unit, by each word and several at once; before, during and after the log is counted."""
        chance = random.Random(74)  # noqa: S311 - the same schedule every time
        for round_ in range(60):
            await lives(bench, chance)
            if round_ % 7 == 0:
                await bench.count(chance.choice([1, 2]), events_max=chance.choice([1, 5, 100]))
        events = [*await bench.events(1), *await bench.events(2)]
        splits = [(), *((each,) for each in Dimension), tuple(Dimension)]
        splits += [tuple(chance.sample(list(Dimension), 3)) for _ in range(5)]
        queries = [
            asked(*split, account_ids=(1, 2), unit=unit, time_zone=zone, include_opted_out=opted_out)
            for split, zone in zip(splits, ["UTC", "Asia/Kathmandu", "America/New_York"] * 5, strict=False)
            for unit in UsageUnit
            for opted_out in (False, True)
        ]
        for query in queries:
            assert recount(events, query) == await bench.store.read(read_usage, query)
        await bench.count(1)
        await bench.count(2)
        for query in queries:
            assert recount(events, query) == await bench.store.read(read_usage, query)

    async def test_a_message_counts_where_it_stands(self, bench: Bench) -> None:
        """Before its end and after; counting it again changes nothing."""
        message_id = await bench.sent("x", recipients=phones(1))
        assert {(State.SENT,): 1} == await used(bench, Dimension.STATUS)
        await bench.count()
        assert {(State.SENT,): 1} == await used(bench, Dimension.STATUS)
        await bench.report(receipt("x"))
        await bench.count()
        await bench.report(receipt("x", "DELIVERY_FAILED"))
        await bench.count()
        assert State.DELIVERED is await bench.state(message_id)
        assert {(State.DELIVERED,): 1} == await used(bench, Dimension.STATUS)

    async def test_a_message_counts_once_for_each_of_its_tags_and_once_in_all(self, bench: Bench) -> None:
        """Those without a tag are under the empty one."""
        await bench.cancel((await bench.send(tags=("a", "b")))[0])
        await bench.count()
        await bench.send(tags=("b",))
        await bench.send()
        usage = await bench.store.read(read_usage, asked(Dimension.TAG))
        assert ({("",): 1, ("a",): 1, ("b",): 2}, 3) == (usage.counts, usage.total)

    async def test_days_are_those_of_the_time_zone(self, bench: Bench) -> None:
        """Each begins at its own midnight."""
        bench.now_us = int(datetime(2026, 3, 1, 22, 50, tzinfo=UTC).timestamp()) * SECOND_US
        await bench.send()
        bench.wait(20 * 60)
        await bench.send(recipients=phones(2))
        days = {"first": date(2026, 3, 1), "last": date(2026, 3, 3)}
        in_berlin = await used(bench, Dimension.DAY, **days, time_zone="Europe/Berlin")
        assert {(date(2026, 3, 1),): 1, (date(2026, 3, 2),): 2} == in_berlin
        assert {(date(2026, 3, 1),): 3} == await used(bench, Dimension.DAY, **days)

    async def test_opted_out_messages_count_on_request(self, bench: Bench) -> None:
        """They were refused, and nothing was sent."""
        attempt = await bench.open()
        await bench.settle(attempt, Rejected(Reason.OPTED_OUT))
        await bench.send(recipients=phones(2)[1:])
        assert {(): 1} == await used(bench)
        assert {(): 2} == await used(bench, include_opted_out=True)

    async def test_accounts_are_counted_apart(self, bench: Bench) -> None:
        """A query has only those that it names."""
        await bench.send(account_id=1)
        await bench.send(account_id=2, recipients=phones(2))
        assert {(): 1} == await used(bench)
        assert {(1,): 1, (2,): 2} == await used(bench, Dimension.ACCOUNT, account_ids=(1, 2, 3))

    async def test_events_stay_until_they_are_counted(self, bench: Bench) -> None:
        """What was not counted would be lost with them."""
        await bench.cancel((await bench.send())[0])
        await bench.index()
        trim = [LogTrim(1, bench.now_us + 1, 100)]
        assert [0] == await bench.store.write(trim_logs, trim, [1])
        assert 1 == (await bench.count(events_max=1)).behind
        assert [1] == await bench.store.write(trim_logs, trim, [1])

    async def test_counts_outlive_messages(self, bench: Bench) -> None:
        """Retention takes the log and the messages; what was sent stays counted, in every unit."""
        message_id = await bench.sent("x", content=sms(LONG_TEXT), tags=("a",), campaign=Campaign("spring"))
        await bench.report(receipt("x"))
        await bench.delete(message_id)
        await bench.index()
        await bench.count()
        before = await used(bench, *Dimension, unit=UsageUnit.UNITS)
        bench.wait(10)
        await bench.store.write(trim_logs, [LogTrim(1, bench.now_us, 100)], [1])
        (gone,) = await bench.store.write(retire_messages, [Retirement(0, bench.now_us, 100)])
        assert 1 == gone.messages
        day_and_account: Group = (TODAY, 1)
        rest: Group = (int(Channel.SMS), "acme", "spring", "a", "GB", int(State.DELIVERED))
        assert {day_and_account + rest: 3} == before == await used(bench, *Dimension, unit=UsageUnit.UNITS)

    async def test_accounts_to_count_are_those_whose_log_goes_on(self, bench: Bench) -> None:
        """Until their last event was counted."""
        await bench.send(account_id=2)
        assert [2] == await bench.store.read(read_usage_behind)
        assert 0 == (await bench.count(2)).behind
        assert [] == await bench.store.read(read_usage_behind)
