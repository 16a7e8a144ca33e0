"""From an account's log to a receiver on a socket: everything once, in order, and nobody held up by another."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from broker.api.convert.callbacks import callback_body, callback_parameters
from broker.delivery.webhooks.lane import Lane
from broker.delivery.webhooks.request import Encoding
from broker.delivery.webhooks.sweeper import Sweeper
from broker.domain.callback import HOLD_AFTER_FAILURES
from broker.domain.callback import Webhook as Hook
from broker.domain.callback_url import PARAMETERS, CallbackMethod
from broker.domain.outcome import Accepted
from broker.domain.submission import Callback
from broker.storage.calling import Call, ClaimedCallback, read_callback_counts, read_misfits
from broker.storage.following import read_followers
from broker.testing.builders import SECOND_US, phones
from broker.testing.store_suite.bench import receipt


async def whole_life(bench: Any, **changes: Any) -> list[int]:
    """Messages that are delivered: four events each."""
    ids = await bench.send(**changes)
    for attempt in (await bench.claim()).attempts:
        await bench.settle(attempt, Accepted((f"p{attempt.message_id}",)))
        await bench.report(receipt(f"p{attempt.message_id}"))
    return ids


async def waiting(works: Any) -> int:
    """Callbacks that were not taken yet."""
    return (await works.store.read(read_callback_counts))[0]


FACTS = ["message.accepted", "message.attempted", "message.handed_over", "message.delivered"]


async def test_a_webhook_gets_every_event_signed_and_in_order(
    bench: Any, receiver: Any, working: Any, until: Any
) -> None:
    """Of each message: what its log says, once."""
    async with working() as works:
        _, secret = await works.parts.book.create(1, f"{receiver.url}/hook")
        ids = await whole_life(bench, recipients=phones(20))
        await until(lambda: len(receiver.got) == 80)
        await until(lambda: _is_empty(works))
    told: dict[str, list[str]] = {}
    for got in receiver.got:
        body = Webhook(secret).verify(got.body, got.headers)
        assert ("POST", "/hook", "application/json") == (got.method, got.target, got.headers["content-type"])
        told.setdefault(body["data"]["message"]["message_id"], []).append(body["type"])
    assert [FACTS] * len(ids) == list(told.values())
    assert 80 == len(set(receiver.ids))
    assert 80 == works.count("webhook_calls_total", outcome="ok")


async def _is_empty(works: Any) -> bool:
    return not await waiting(works)


async def test_a_message_url_is_called_by_get_with_what_it_names(
    bench: Any, receiver: Any, working: Any, until: Any
) -> None:
    """Everything where it names nothing; signed over path and query."""
    async with working() as works:
        secret, _ = await works.parts.book.rotate(1, 0, 0)
        for target in ("/cb?own=1", "/cb/{status}?ref={client_reference}&own=1"):
            callback = Callback(receiver.url + target, CallbackMethod.GET)
            await bench.send(callback=callback, client_reference="a/b c")
        await until(lambda: len(receiver.got) == 2)
    whole, named = sorted(receiver.got, key=lambda got: len(got.target), reverse=True)
    assert ["own", *PARAMETERS] == [
        pair.partition("=")[0] for pair in whole.target.partition("?")[2].split("&")
    ]
    assert "&client_reference=a%2Fb%20c&" in whole.target
    assert "/cb/MESSAGE_STATUS_ACCEPTED?ref=a%2Fb%20c&own=1" == named.target
    for got in (whole, named):
        assert ("GET", b"") == (got.method, got.body)
        Webhook(secret).verify(got.target, got.headers, json_parse=False)


async def test_the_first_message_callback_makes_its_own_secret(
    bench: Any, receiver: Any, working: Any, until: Any
) -> None:
    """Nobody has to ask for one first; the next rotation shows one, and both sign for a while."""
    async with working() as works:
        await bench.send(callback=Callback(receiver.url))
        await until(lambda: receiver.got)
        secret, _ = await works.parts.book.rotate(1, 0, 60 * SECOND_US)
        await bench.send(callback=Callback(receiver.url))
        await until(lambda: len(receiver.got) == 2)
    first, second = receiver.got
    assert (1, 2) == tuple(got.headers["webhook-signature"].count("v1,") for got in (first, second))
    Webhook(secret).verify(second.body, second.headers)


async def test_a_failed_call_is_made_again_under_the_same_id(
    bench: Any, receiver: Any, working: Any, until: Any
) -> None:
    """Until it is taken."""
    answers = iter([500, 302, 404, 429, 200])
    receiver.answer = lambda _: web.Response(status=next(answers))
    async with working() as works:
        await works.parts.book.create(1, receiver.url)
        await bench.send()
        await until(lambda: len(receiver.got) == 5)
        await until(lambda: _is_empty(works))
    assert 1 == len(set(receiver.ids))
    assert 1 == len({got.body for got in receiver.got})


async def test_a_dead_endpoint_beside_a_live_one_holds_up_nobody(
    bench: Any, receiver: Any, receivers: Any, working: Any, until: Any
) -> None:
    """One that never answers, one that refuses, one where nobody listens: the live one gets everything.

    And of the thousands of rows of the refusing one, only a few are tried.
    """
    silent, refusing, gone = [await receivers() for _ in range(3)]
    silent.answer = lambda _: silent.hang()
    refusing.answer = lambda _: web.Response(status=503, headers={"retry-after": "600"})
    async with working(in_flight_max=64, hold_base_s=60.0, hold_cap_s=60.0) as works:
        for url in (silent.url, refusing.url, "http://127.0.0.1:1/", receiver.url):
            await works.parts.book.create(1, url)
        await whole_life(bench, recipients=phones(100))
        await until(lambda: len(set(receiver.ids)) == 400)
        assert len(refusing.got) <= works.parts.sender._limits.lane_max
        assert 8 == silent.at_once_max
        for task in list(works.parts.sender._tasks):
            task.cancel()
    assert [] == gone.got
    assert await bench.store.read(read_misfits) == []


async def test_an_endpoint_that_comes_back_gets_all_it_missed(
    bench: Any, receiver: Any, working: Any, until: Any
) -> None:
    """After holds, one call at a time finds out; then everything goes."""
    down = True
    receiver.answer = lambda _: web.Response(status=500 if down else 200)
    async with working() as works:
        await works.parts.book.create(1, receiver.url)
        await bench.send(recipients=phones(50))
        await until(lambda: len(receiver.got) > HOLD_AFTER_FAILURES + 10)
        receiver.at_once_max = 0
        await until(lambda: len(receiver.got) > HOLD_AFTER_FAILURES + 14)
        assert 1 == receiver.at_once_max
        down = False
        await until(lambda: _is_empty(works))
    assert 50 == len(set(receiver.ids))


async def test_an_endpoint_gets_only_so_many_calls_at_once(
    bench: Any, receiver: Any, working: Any, until: Any
) -> None:
    """And those of one message one after the other, in the order of its events."""
    receiver.answer = lambda _: asyncio.sleep(0.005, web.Response())
    async with working(endpoint_in_flight_max=3) as works:
        await whole_life(bench, recipients=phones(10))
        await works.parts.book.create(1, receiver.url)
        await whole_life(bench, recipients=phones(10))
        await until(lambda: len(receiver.got) == 40)
    assert 3 == receiver.at_once_max
    told: dict[str, list[str]] = {}
    for got in receiver.got:
        body = json.loads(got.body)
        told.setdefault(body["data"]["message"]["message_id"], []).append(body["type"])
    assert [FACTS] * 10 == list(told.values())


async def test_410_ends_a_webhook(bench: Any, receiver: Any, working: Any, until: Any) -> None:
    """It is called no more, what waited is dropped, and the list says why."""
    receiver.answer = lambda _: web.Response(status=410)
    async with working(endpoint_in_flight_max=1) as works:
        await works.parts.book.create(1, receiver.url)
        await bench.send(recipients=phones(100))
        await until(lambda: receiver.got)
        (listed,) = await until(lambda: _disabled(works))
        sweeper = works.parts.sweeper
        await sweeper.sweep(forget=True)
        called = len(receiver.got)
        await bench.send(recipients=phones(10))
        await until(lambda: _followed(works))
    assert "GONE" == listed.disabled_for.name
    assert called == len(receiver.got)
    assert 0 == await waiting(works)
    assert 100 == called + works.count("webhook_events_given_up_total", why="closed")


async def _disabled(works: Any) -> list[Hook]:
    return [each for each in await works.parts.book.list(1) if each.disabled_for]


async def _followed(works: Any) -> bool:
    return not await works.store.read(read_followers)


async def test_a_callback_is_given_up_in_the_end(bench: Any, receiver: Any, working: Any, until: Any) -> None:
    """And counted."""
    receiver.answer = lambda _: web.Response(status=500)
    async with working(retry_for_s=0.3) as works:
        await works.parts.book.create(1, receiver.url)
        await bench.send(recipients=phones(2))
        await until(lambda: works.count("webhook_events_given_up_total", why="expired") == 2)
        assert 0 == await waiting(works)


async def test_a_restart_goes_on_where_it_was(bench: Any, receiver: Any, working: Any, until: Any) -> None:
    """What was under way and what waited is called by the next process; nothing is lost."""
    hanging = True
    receiver.answer = lambda _: receiver.hang() if hanging else web.Response()
    async with working() as works:
        await works.parts.book.create(1, receiver.url)
        await bench.send(recipients=phones(40))
        await until(lambda: receiver.at_once == 8)
        for task in list(works.parts.sender._tasks):
            task.cancel()
    assert 40 == await waiting(works)
    hanging = False
    async with working() as works:
        await until(lambda: _is_empty(works))
    assert 40 == len(set(receiver.ids))


async def test_draining_lets_calls_end_and_gives_the_rest_back(
    bench: Any, receiver: Any, working: Any, until: Any
) -> None:
    """No attempt is counted for what was not called."""
    receiver.answer = lambda _: asyncio.sleep(0.05, web.Response())
    async with working(endpoint_in_flight_max=2) as works:
        await works.parts.book.create(1, receiver.url)
        await bench.send(recipients=phones(30))
        await until(lambda: receiver.got)
    assert len(receiver.got) + await waiting(works) == 30
    assert 0 < len(receiver.got) < 30
    assert 0 == works.parts.sender.held


async def test_a_deleted_webhook_is_called_no_more(
    bench: Any, receiver: Any, working: Any, until: Any
) -> None:
    """Nor does anything of it stay."""
    async with working() as works:
        hook, _ = await works.parts.book.create(1, receiver.url)
        await bench.send()
        await until(lambda: receiver.got)
        await works.parts.book.delete(1, hook.webhook_id)
        await bench.send()
        await until(lambda: _followed(works))
        await works.parts.sweeper.sweep(forget=True)
    assert 1 == len(receiver.got)
    assert await bench.store.read(lambda tx: tx.all("endpoints_by_id", endpoint_ids=[hook.webhook_id])) == []


async def test_the_default_settings_call_no_loopback_address(
    bench: Any, receiver: Any, working: Any, until: Any
) -> None:
    """The callback waits, is counted as forbidden, and the receiver hears nothing."""
    async with working(allow_networks=()) as works:
        await works.parts.book.create(1, receiver.url)
        await bench.send()
        await until(lambda: works.count("webhook_calls_total", outcome="forbidden"))
    assert [] == receiver.got


async def test_a_defect_is_a_failure_like_any_other(
    bench: Any, receiver: Any, working: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The callback is tried again and counted, and others go on."""
    failing = True

    def body(event: Any) -> bytes:
        if failing:
            raise KeyError(event.recipient)
        return callback_body(event)

    async with working() as works:
        monkeypatch.setattr(works.parts.sender, "_encoding", Encoding(body, callback_parameters))
        await works.parts.book.create(1, receiver.url)
        await bench.send()
        await until(lambda: works.count("webhook_calls_total", outcome="defect"))
        failing = False
        await until(lambda: _is_empty(works))
    assert 1 == len(receiver.got)


async def test_what_waits_is_counted_for_whoever_watches(
    bench: Any, receiver: Any, working: Any, until: Any
) -> None:
    """How many, where, and since when."""
    receiver.answer = lambda _: web.Response(status=500)
    async with working(hold_base_s=60.0, hold_cap_s=60.0) as works:
        await works.parts.book.create(1, receiver.url)
        await bench.send(recipients=phones(5))
        await until(lambda: works.count("webhook_calls_total", outcome="5xx") >= HOLD_AFTER_FAILURES)
        assert isinstance(works.parts.sweeper, Sweeper)
        await works.parts.sweeper.sweep(forget=False)
    counted = [works.count(name) for name in ("webhook_events_waiting", "webhook_endpoints_waiting")]
    assert [5, 1] == counted
    assert 0 < works.count("webhook_oldest_seconds") < 60


def call(message_id: int, sequence: int) -> Any:
    """A claimed call, as far as a lane looks at it."""
    claimed = ClaimedCallback(1, sequence, 9, 9, message_id, 0, 1, 0)
    return Call(claimed, "", CallbackMethod.POST, None, ())  # type: ignore[arg-type]


def sequences(calls: list[Any]) -> list[int]:
    """Which calls these are."""
    return [each.callback.sequence for each in calls]


def test_a_lane_runs_messages_side_by_side_and_each_in_order() -> None:
    """Also where more of a message comes while it is under way."""
    lane = Lane()
    for message_id, sequence in ((1, 1), (2, 2), (1, 3)):
        lane.add(call(message_id, sequence))
    assert (1, 2) == (lane.begin(), lane.begin())
    assert 1 == lane.next_call(1).callback.sequence
    lane.add(call(1, 4))
    assert not lane.has_waiting
    assert [3, 4] == [lane.next_call(1).callback.sequence for _ in range(2)]
    assert lane.next_call(1) is None
    assert (2, 3) == (lane.running, lane.held)
    lane.end(1)
    lane.end(2)
    assert (0, 0) == (lane.running, lane.held)


@pytest.mark.parametrize("begun", [0, 1, 2])
def test_a_lane_gives_back_all_that_is_not_under_way(begun: int) -> None:
    """What is under way stays counted until it ends."""
    lane = Lane()
    for message_id, sequence in ((1, 1), (2, 2), (1, 3), (3, 4)):
        lane.add(call(message_id, sequence))
    under_way = [lane.next_call(lane.begin()) for _ in range(begun)]
    assert {1, 2, 3, 4} - set(sequences(under_way)) == set(sequences(lane.take_back()))
    assert begun == lane.held
    assert not lane.has_waiting
