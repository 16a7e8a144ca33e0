"""The Python client against real brokers: an answer for each request of a stream, while they are killed and started again."""

import asyncio
import contextlib

import pytest

import waypost
from tests.acceptance.python_client.conftest import (
    NUMBER,
    failure_of,
    kill_and_start,
    requests,
    stays_pending,
    stopped,
)
from waypost import SendRequest, Sent, Status


async def test_each_request_of_a_stream_has_its_own_answer(client) -> None:
    """A failed one harms no other."""
    async with client.send_stream() as stream:
        good = await stream.send("Hello", to=NUMBER, request_id="mine")
        bad = await stream.send("Hello", to=NUMBER, tags=["x" * 65])
        refused = await stream.send("Hello", to="07700900123")
        error = await failure_of(bad)
    assert (waypost.InvalidArgument, "INVALID_REQUEST") == (type(error), error.reason)
    assert ["tags[0]"] == [violation.field for violation in error.violations]
    assert ("mine", Status.ACCEPTED) == (good.result().request_id, good.result()[0].status)
    assert Status.REJECTED is refused.result()[0].status


async def test_leaving_a_stream_waits_for_every_answer(client) -> None:
    """Nobody has to collect them to be sure."""
    async with client.send_stream(frame_requests_max=7) as stream:
        answers = [await stream.send(request) for request in requests("leaving", 100)]
    assert 0 == stream.in_flight
    references = [f"leaving-{number}" for number in range(100)]
    assert references == [answer.result()[0].client_reference for answer in answers]


async def test_an_unused_stream_ends_without_a_call(unused_tcp_port) -> None:
    """A connection is made when there is something to send."""
    async with waypost.Client(f"127.0.0.1:{unused_tcp_port}", key="wp_key") as client:
        async with client.send_stream() as stream:
            pass
        with pytest.raises(RuntimeError, match="only within"):
            await stream.send("Hello", to=NUMBER)


async def test_a_full_window_holds_the_sender_back(broker_factory) -> None:
    """However slow the broker is, no more requests wait than were allowed."""
    broker = broker_factory(delivery={"paused": True})
    in_flight = []
    async with waypost.Client(broker.address, key=broker.key) as client:
        async with client.send_stream(requests_in_flight_max=10, frame_requests_max=3) as stream:

            async def send() -> None:
                for request in requests("window", 100):
                    await stream.send(request)
                    in_flight.append(stream.in_flight)

            await (await stream.send("Hello", to=NUMBER))
            with stopped(broker):
                sending = asyncio.create_task(send())
                assert await stays_pending(sending)
                assert list(range(1, 11)) == in_flight
            await sending
        assert 10 == max(in_flight)
        assert 101 == len([message async for message in client.messages()])


async def test_a_killed_broker_leaves_no_request_unanswered_and_sends_none_twice(broker_factory) -> None:
    """What was on its way goes again over the next connection, with the same request_id."""
    broker = broker_factory(delivery={"paused": True})
    async with waypost.Client(broker.address, key=broker.key) as client:
        answers = []
        async with client.send_stream(requests_in_flight_max=50, frame_requests_max=10) as stream:
            for index, request in enumerate(requests("killed", 2_000)):
                answers.append(await stream.send(request))
                if index % 500 == 250:
                    killing = asyncio.create_task(kill_and_start(broker))
            await killing
        answered = {answer.result()[0].client_reference: answer.result()[0].message_id for answer in answers}
        stored = {each.client_reference: each.message_id async for each in client.messages()}
        count = len([each async for each in client.messages()])
    assert (2_000, 2_000) == (len(answered), count)
    assert answered == stored


async def test_a_broker_that_drains_leaves_no_request_unanswered(broker_factory) -> None:
    """What it did not take is sent to the next one."""
    broker = broker_factory(delivery={"paused": True})
    async with waypost.Client(broker.address, key=broker.key) as client:
        async with client.send_stream(requests_in_flight_max=50) as stream:
            answers = [await stream.send(request) for request in requests("first", 200)]
            restarting = asyncio.create_task(asyncio.to_thread(broker.restart))
            answers += [await stream.send(request) for request in requests("second", 5_000)]
            await restarting
        assert {Status.ACCEPTED} == {answer.result()[0].status for answer in answers}
        assert 5_200 == len({each.client_reference async for each in client.messages()})
        assert 5_200 == len([each async for each in client.messages()])


@pytest.mark.parametrize("count", [1, 2_000])
async def test_a_stream_that_fails_for_good_tells_everyone(broker, count) -> None:
    """Those who wait for an answer, and whoever sends or leaves; also while much is being written."""
    answers = []
    async with waypost.Client(broker.address, key="wp_wrong") as client:
        stream = client.send_stream()

        async def send() -> None:
            async with stream:
                for request in requests("wrong", count):
                    answers.append(await stream.send(request))  # noqa: PERF401 - those before a failure count

        assert waypost.Unauthenticated is type(await failure_of(send()))
        assert waypost.Unauthenticated is type(await failure_of(stream.send("Hello", to=NUMBER)))
    assert {waypost.Unauthenticated} == {type(answer.exception()) for answer in answers}
    assert 0 == stream.in_flight


async def test_an_exception_in_the_block_gives_the_unanswered_up(broker_factory) -> None:
    """It is not held up by a broker that is away, and not replaced."""
    broker = broker_factory()
    async with waypost.Client(broker.address, key=broker.key) as client:
        answers = []

        async def send() -> None:
            async with client.send_stream() as stream:
                answers.append(await stream.send("Hello", to=NUMBER))
                raise ZeroDivisionError

        with stopped(broker), pytest.raises(ZeroDivisionError):
            await send()
        assert [True] == [answer.cancelled() for answer in answers]


async def test_who_gives_up_on_an_answer_harms_no_other(client) -> None:
    """A time limit on one of them cancels that one."""
    async with client.send_stream() as stream:
        given_up = await stream.send("Hello", to=NUMBER)
        given_up.cancel()
        answer = await stream.send("Hello", to=NUMBER)
    assert Status.ACCEPTED is answer.result()[0].status


async def test_many_requests_are_yielded_with_their_answers_in_order(client) -> None:
    """Failed ones too, as values."""
    given = requests("many", 1_200)
    given[600] = SendRequest("Hello", to=NUMBER, tags=["x" * 65])
    pairs = [pair async for pair in client.send_many(given, requests_in_flight_max=100)]
    assert given == [request for request, _ in pairs]
    assert [600] == [n for n, (_, answer) in enumerate(pairs) if isinstance(answer, waypost.InvalidArgument)]
    assert 1_199 == sum(isinstance(answer, Sent) for _, answer in pairs)


async def test_many_requests_are_taken_no_faster_than_answers_are(client) -> None:
    """So the source of millions need not fit into memory."""
    taken = []

    async def source():
        for request in requests("lazy", 100):
            taken.append(request)
            yield request

    async with contextlib.aclosing(client.send_many(source(), requests_in_flight_max=10)) as pairs:
        async for yielded, _ in aenumerate(pairs):
            await asyncio.sleep(0)
            assert len(taken) <= yielded + 10 + 2  # one in the hand of the source, one in ours
            if yielded == 50:
                break
    assert len(taken) < 100


async def test_a_source_that_fails_fails_the_loop(client) -> None:
    """After the answers to what it gave before."""

    def source():
        yield SendRequest("Hello", to=NUMBER)
        raise ZeroDivisionError

    pairs = client.send_many(source())
    _, answer = await anext(pairs)
    assert Sent is type(answer)
    with pytest.raises(ZeroDivisionError):
        await anext(pairs)


async def aenumerate(source):
    """What enumerate is for async iteration."""
    number = 0
    async for each in source:
        yield number, each
        number += 1
