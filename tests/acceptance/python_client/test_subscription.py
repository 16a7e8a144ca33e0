"""The Python client against real brokers: every event once and in order, while they are killed and started again."""

import asyncio
import contextlib
from collections import Counter
from datetime import timedelta

import pytest

import waypost
from tests.acceptance.python_client.conftest import NUMBER, kill_and_start, stopped, until, until_ended
from waypost import Fact, MessageEvent, Status


async def test_a_subscription_sees_what_is_sent_after_it_began(client) -> None:
    """Every step of it, to the end."""
    async with client.subscribe(MessageEvent, tags="Seen") as events:
        (result,) = await client.send("Hello", to=NUMBER, tags=["seen"], data="d")
        seen = [event async for event in until_ended(events, 1)]
    steps = [Status.ACCEPTED, Status.PROCESSING, Status.SENT, Status.DELIVERED]
    assert steps == [event.status for event in seen]
    assert [None, *steps[:-1]] == [event.previous_status for event in seen]
    assert {(result.message_id, "d", ("seen",))} == {(e.message_id, e.data, e.tags) for e in seen}
    assert [False, False, False, True] == [event.end for event in seen]


async def test_every_events_cursor_resumes_exactly_after_it(client) -> None:
    """Also between the events of one frame, with nothing missing and nothing twice."""
    async with client.subscribe(MessageEvent, tags="exact") as events:
        await client.send("Hello", to=[NUMBER] * 5, tags=["exact"])
        seen = [event async for event in until_ended(events, 5)]
    assert 20 == len(seen)
    for index, event in enumerate(seen[:-1]):
        resumed = client.subscribe(MessageEvent, tags="exact", after=event.cursor)
        rest = [each async for each in until_ended(resumed, sum(each.end for each in seen[index + 1 :]))]
        resumed.close()
        assert [each.sequence for each in seen[index + 1 :]] == [each.sequence for each in rest]


async def test_a_subscriptions_cursor_is_where_it_stands(client) -> None:
    """After what was yielded; before what arrived and was not."""
    async with client.subscribe(MessageEvent, tags="stands") as events:
        await client.send("Hello", to=NUMBER, tags=["stands"])
        first = await anext(events)
        assert first.cursor == events.cursor
    with pytest.raises(StopAsyncIteration):
        await anext(events)
    async with client.subscribe(MessageEvent, tags="stands", after=events.cursor) as resumed:
        assert Fact.ATTEMPTED is (await anext(resumed)).fact


async def test_a_cancelled_wait_loses_no_event(client) -> None:
    """A program may wait with a time limit, over and over."""
    seen = []
    async with client.subscribe(MessageEvent, tags="patient") as events:
        await client.send("Hello", to=[NUMBER] * 20, tags=["patient"])
        while sum(event.end for event in seen) < 20:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.002 * (1 + len(seen) % 7)):
                    seen.append(await anext(events))
    facts = Counter((event.message_id, event.fact) for event in seen)
    assert 80 == len(seen)
    assert {1} == set(facts.values())


async def test_a_killed_broker_leaves_no_gap_and_no_duplicate(broker_factory) -> None:
    """A subscription to everything sees the account's log, number by number, over three kills."""
    broker = broker_factory(delivery={"receipt_overdue_s": 1, "doubt_first_s": 0.1, "question_cap_s": 1})
    async with waypost.Client(broker.address, key=broker.key) as client, client.subscribe() as events:

        async def send() -> None:
            for number in range(200):
                await client.send("Hello", to=NUMBER, client_reference=str(number))

        async def kill() -> None:
            for _ in range(3):
                await asyncio.sleep(0.3)
                await kill_and_start(broker)

        async with asyncio.TaskGroup() as group:
            group.create_task(send())
            group.create_task(kill())
            seen = [event async for event in until_ended(events, 200)]
    assert list(range(1, len(seen) + 1)) == [event.sequence for event in seen]
    assert {str(number): 1 for number in range(200)} == Counter(e.client_reference for e in seen if e.end)


async def test_a_broker_that_drains_leaves_no_gap(broker_factory) -> None:
    """It ends the stream itself, and is waited for."""
    broker = broker_factory(delivery={"receipt_overdue_s": 1})
    async with waypost.Client(broker.address, key=broker.key) as client, client.subscribe() as events:
        await client.send("Hello", to=NUMBER)
        first = [event async for event in until_ended(events, 1)]
        restarting = asyncio.create_task(asyncio.to_thread(broker.restart))
        sending = asyncio.create_task(client.send("Hello", to=NUMBER))
        second = [event async for event in until_ended(events, 1)]
        await asyncio.gather(restarting, sending)
    assert list(range(1, 9)) == [event.sequence for event in [*first, *second]]


async def test_a_silent_stream_is_opened_again(broker_factory, caplog) -> None:
    """Its connection is open and its broker stands still: only the missing heartbeats tell."""
    broker = broker_factory()
    async with (
        waypost.Client(broker.address, key=broker.key, timeout=60) as client,
        client.subscribe(heartbeat=timedelta(seconds=1)) as events,
    ):
        waiting = asyncio.ensure_future(anext(events))
        with stopped(broker):
            await until(lambda: caplog.records)
        assert not waiting.done()
        await client.send("Hello", to=NUMBER)
        assert 1 == (await waiting).sequence
    assert "subscription.lost reason=UNAVAILABLE" in caplog.text


async def test_heartbeats_keep_a_silent_stream_open(client, caplog) -> None:
    """And move its cursor past what the filter hides."""
    async with client.subscribe(tags="nothing", heartbeat=timedelta(seconds=1)) as events:
        before = events.cursor
        waiting = asyncio.ensure_future(anext(events))
        await client.send("Hello", to=NUMBER)
        await until(lambda: events.cursor != before)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.wait([waiting])
    assert "" == caplog.text
