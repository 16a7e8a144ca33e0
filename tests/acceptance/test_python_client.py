"""The Python client against real brokers: what it promises holds while they are killed and started again."""

import ast
import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

import waypost
from broker.domain.cursor import format_cursor, parse_cursor
from waypost import Fact, MessageEvent, Reason, SendRequest, Sent, Status

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "python-client.md"
README = ROOT / "clients" / "python" / "README.md"

NUMBER = "+447700900000"
REJECTED = "+447700900001"


@pytest.fixture
async def client(broker):
    """Of the session's broker."""
    async with waypost.Client(broker.address, key=broker.key) as connected:
        yield connected


def requests(reference: str, count: int, **fields) -> list[SendRequest]:
    """So many requests, told apart by their client_reference."""
    return [
        SendRequest("Hello", to=NUMBER, client_reference=f"{reference}-{number}", tags=[reference], **fields)
        for number in range(count)
    ]


async def kill_and_start(broker) -> None:
    """Kill it with -9, and start it again on the same port."""
    await asyncio.to_thread(broker.kill)
    await asyncio.to_thread(broker.start)


@contextlib.contextmanager
def stopped(broker):
    """A broker that does nothing, and whose connections stay open."""
    broker.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        broker.process.send_signal(signal.SIGCONT)


async def stays_pending(future) -> bool:
    """Whether it is still not done after everything that could happen had its chance to."""
    done, _ = await asyncio.wait([future], timeout=0.5)
    return not done


async def until(condition) -> None:
    """Wait until it holds; the test's own time limit is the only one."""
    while not condition():  # noqa: ASYNC110 - what is waited for has no event to tell of it
        await asyncio.sleep(0.02)


# Send


async def test_a_send_answers_each_recipient_in_order(client) -> None:
    """A refused one is a result, not an exception."""
    sent = await client.send("Hello", to=[NUMBER, REJECTED, "07700900123"], client_reference="r")
    assert [Status.ACCEPTED, Status.ACCEPTED, Status.REJECTED] == [result.status for result in sent]
    assert [None, None, Reason.INVALID_RECIPIENT] == [result.reason for result in sent]
    assert [0, 1, 2] == [result.recipient_index for result in sent]
    assert (3, "r", 1) == (len(sent), sent[0].client_reference, sent[0].units)


async def test_the_same_request_sent_again_gives_the_first_answer(client) -> None:
    """Its request_id goes with it."""
    request = SendRequest("Hello", to=NUMBER)
    assert await client.send(request) == await client.send(request)


async def test_every_content_has_its_channel(client) -> None:
    """The recipient's address decides which is used."""
    content = [waypost.Sms("Hello"), waypost.Email(subject="Hello", text="Hello"), waypost.Push("Hello")]
    recipients = [NUMBER, "ada@example.org", waypost.Recipient(device_token="token-0000")]
    sent = await client.send(content, to=recipients)
    expected = [waypost.Channel.SMS, waypost.Channel.EMAIL, waypost.Channel.PUSH]
    assert expected == [result.channel for result in sent]
    stored = [(await client.get(result.message_id)).content for result in sent]
    assert content == stored


async def test_a_send_outlives_a_broker_that_restarts(broker_factory) -> None:
    """It is repeated until it is answered, and stored once."""
    broker = broker_factory(delivery={"paused": True})
    async with waypost.Client(broker.address, key=broker.key) as client:
        await client.send("Hello", to=NUMBER)
        await asyncio.to_thread(broker.kill)
        sending = asyncio.create_task(client.send("Hello", to=NUMBER, client_reference="again"))
        await asyncio.to_thread(broker.start)
        sent = await sending
        stored = [each.message_id async for each in client.messages() if each.client_reference == "again"]
        assert [sent[0].message_id] == stored


# Errors


async def failure_of(call) -> waypost.WaypostError:
    """How a call fails."""
    with pytest.raises(waypost.WaypostError) as raised:
        await call
    return raised.value


async def test_a_broken_rule_is_an_invalid_argument(client) -> None:
    """With each rule, and the field that broke it."""
    error = await failure_of(client.send("Hello", to=NUMBER, data="x" * 3_000, tags=["x" * 65]))
    assert (waypost.InvalidArgument, "INVALID_REQUEST") == (type(error), error.reason)
    assert ["data", "tags[0]"] == [violation.field for violation in error.violations]


async def test_a_wrong_key_is_unauthenticated(broker) -> None:
    """Without showing it."""
    async with waypost.Client(broker.address, key="wp_wrong") as client:
        error = await failure_of(client.send("Hello", to=NUMBER))
    assert (waypost.Unauthenticated, "KEY_INVALID") == (type(error), error.reason)
    assert "wp_wrong" not in str(error)


async def test_a_message_that_is_not_there_is_not_found(client) -> None:
    """By its id."""
    error = await failure_of(client.get("0000000000000"))
    assert (waypost.NotFound, "MESSAGE_NOT_FOUND") == (type(error), error.reason)


async def test_a_request_id_with_another_payload_already_exists(client) -> None:
    """Whoever reuses ids learns of it."""
    await client.send("Hello", to=NUMBER, request_id="used")
    error = await failure_of(client.send("Bye", to=NUMBER, request_id="used"))
    assert (waypost.AlreadyExists, "REQUEST_ID_REUSED") == (type(error), error.reason)


async def test_an_option_that_cannot_be_had_here_is_refused(client) -> None:
    """It is not ignored: a frequency cap counts contacts, and promotional messages."""
    error = await failure_of(client.send("Hello", to=NUMBER, options=waypost.Options(cap_frequency=True)))
    assert (waypost.InvalidArgument, "INVALID_REQUEST") == (type(error), error.reason)
    assert ["options.cap_frequency"] * 2 == [each.field for each in error.violations]


async def test_a_message_that_ended_cannot_be_cancelled(client) -> None:
    """It fails with the status that it has."""
    async with client.subscribe(MessageEvent, client_references="ended") as events:
        (sent,) = await client.send("Hello", to=NUMBER, client_reference="ended")
        _ = [event async for event in until_ended(events, 1)]
    error = await failure_of(client.cancel(sent.message_id))
    assert (waypost.FailedPrecondition, "MESSAGE_NOT_CANCELLABLE") == (type(error), error.reason)
    assert "DELIVERED" == error.metadata["status"]


async def test_a_cursor_ahead_of_the_log_is_out_of_range(client) -> None:
    """As after restoring a backup; the newest one that works comes along."""
    async with client.subscribe() as events:
        cursor = parse_cursor(events.cursor)
    ahead = format_cursor(type(cursor)(cursor.store_id, cursor.account_id, cursor.sequence + 1_000_000))
    error = await failure_of(anext(client.subscribe(after=ahead)))
    assert (waypost.OutOfRange, "CURSOR_AHEAD") == (type(error), error.reason)
    assert parse_cursor(error.metadata["newest_cursor"])


async def test_a_request_that_is_too_large_is_resource_exhausted(client) -> None:
    """And is not tried again: it would not get smaller. In a stream it is the only one that fails."""
    attachment = waypost.Attachment(file_name="a", content_type="text/plain", data=bytes(17 * 1024 * 1024))
    email = waypost.Email(subject="Hello", text="Hello", attachments=[attachment])
    error = await failure_of(client.send(email, to="ada@example.org"))
    assert (waypost.ResourceExhausted, False) == (type(error), error.transient)
    given = [SendRequest("Hello", to=NUMBER), SendRequest(email, to="ada@example.org")]
    answers = [answer async for _, answer in client.send_many(given)]
    assert [Sent, waypost.ResourceExhausted] == [type(answer) for answer in answers]


async def test_a_broker_that_is_not_there_is_unavailable(unused_tcp_port) -> None:
    """After the time that was given, for calls and for streams."""
    async with waypost.Client(f"127.0.0.1:{unused_tcp_port}", key="wp_key", timeout=0.3) as client:
        calls = [client.send("Hello", to=NUMBER), anext(client.subscribe()), stream_one(client)]
        errors = [await failure_of(call) for call in calls]
    assert [waypost.Unavailable] * 3 == [type(error) for error in errors]


async def test_a_broker_that_does_not_answer_exceeds_the_deadline(broker_factory) -> None:
    """Where it is reached, and silent."""
    broker = broker_factory()
    async with waypost.Client(broker.address, key=broker.key, timeout=0.5) as client:
        await client.analyze("Hello")
        with stopped(broker):
            error = await failure_of(client.analyze("Hello"))
    assert waypost.DeadlineExceeded is type(error)


async def test_closing_ends_whatever_waits(broker) -> None:
    """With an exception that says so, not with a cancellation of the one who waited."""
    client = waypost.Client(broker.address, key=broker.key)
    async with client.subscribe(tags="nothing", heartbeat=timedelta(hours=1)) as events:
        waiting = asyncio.ensure_future(anext(events))
        await client.analyze("Hello")
        with stopped(broker):
            calling = asyncio.ensure_future(client.analyze("Hello"))
            streaming = asyncio.ensure_future(stream_one(client))
            assert await stays_pending(asyncio.gather(waiting, calling, streaming))
            await client.close()
            errors = [await failure_of(call) for call in (waiting, calling, streaming)]
    errors.append(await failure_of(client.analyze("Hello")))
    assert [waypost.ClientClosed] * 4 == [type(error) for error in errors]


async def test_a_cancelled_call_is_cancelled(client) -> None:
    """The exception of asyncio stays what it is."""
    async with client.subscribe(tags="nothing") as events:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await anext(events)


async def stream_one(client) -> None:
    """Send one request by a stream of its own."""
    async with client.send_stream() as stream:
        await stream.send("Hello", to=NUMBER)


# Subscribe


async def until_ended(events, count: int):
    """The events until so many messages have ended."""
    async for event in events:
        yield event
        count -= event.end
        if not count:
            return


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


# SendStream


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


# Stored messages


async def test_a_message_has_its_content_and_all_that_happened(client) -> None:
    """Attempt by attempt."""
    async with client.subscribe(MessageEvent, client_references="looked-up") as events:
        (sent,) = await client.send("Hello", to=NUMBER, sender="Acme", client_reference="looked-up")
        seen = [event async for event in until_ended(events, 1)]
    message = await client.get(sent.message_id)
    assert (waypost.Sms("Hello"), Status.DELIVERED, True, 1, "Acme") == (
        message.content,
        message.status,
        message.end,
        message.attempts,
        message.sender,
    )
    assert [event.sequence for event in seen] == [entry.sequence for entry in message.timeline]
    assert message.end_time == message.timeline[-1].time
    assert message.accept_time == message.timeline[0].time


async def test_messages_are_listed_newest_first_over_all_pages(broker_factory) -> None:
    """Filtered by time and by status; pages do not show."""
    broker = broker_factory(delivery={"paused": True})
    async with waypost.Client(broker.address, key=broker.key) as client:
        began = datetime.now(UTC)
        sent = await client.send("Hello", to=[NUMBER] * 25)
        await client.send("Hello", to="07700900123")
        expected = [result.message_id for result in sent][::-1]
        accepted = client.messages(since=began, status=Status.ACCEPTED, page_size=10)
        assert expected == [message.message_id async for message in accepted]
        rejected = [each async for each in client.messages(status=[Status.REJECTED, Status.EXPIRED])]
        assert [Reason.INVALID_RECIPIENT] == [message.reason for message in rejected]
        assert [] == [message async for message in client.messages(until=began)]


async def test_a_scheduled_message_can_be_cancelled_and_again(client) -> None:
    """The second time changes nothing and is no failure: the first answer may have been lost."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    (sent,) = await client.send("Hello", to=NUMBER, schedule_time=tomorrow)
    assert (Status.SCHEDULED, tomorrow) == (sent.status, sent.transmit_time)
    cancelled = [await client.cancel(sent.message_id), await client.cancel(sent.message_id)]
    assert [Status.CANCELLED] * 2 == [message.status for message in cancelled]


async def test_a_text_can_be_measured(client) -> None:
    """With the characters that make it dearer."""
    analysis = await client.analyze("Hej 👋")
    assert (1, waypost.Encoding.UCS2, 6) == (analysis.units, analysis.encoding, analysis.length)
    assert [("👋", 4)] == [(each.character, each.index) for each in analysis.forcing_characters]
    assert [("Hej 👋", 6)] == [(part.text, part.length) for part in analysis.parts]
    assert (670, "", None) == (analysis.length_max, analysis.provider, analysis.reason)
    to_somebody = await client.analyze("Hello", recipient=NUMBER)
    assert ("sandbox", 0, None) == (to_somebody.provider, to_somebody.credit_cost_micros, to_somebody.price)
    to_nobody = await client.analyze("Hello", recipient="12")
    assert waypost.Reason.INVALID_RECIPIENT is to_nobody.reason


# TLS


@pytest.fixture
def certificate(tmp_path) -> tuple[Path, Path]:
    """Of 127.0.0.1, signed by itself: the certificate and its key."""
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-subj", "/CN=waypost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    command += ["-out", str(paths[0]), "-keyout", str(paths[1])]
    subprocess.run(command, check=True, capture_output=True)
    return paths


async def test_a_broker_with_tls_is_spoken_to_with_credentials(broker_factory, certificate) -> None:
    """And not without, nor with others."""
    chain, key = certificate
    broker = broker_factory(server={"tls_certificate": str(chain), "tls_key": str(key)})
    credentials = grpc.ssl_channel_credentials(chain.read_bytes())
    async with waypost.Client(broker.address, key=broker.key, credentials=credentials) as client:
        assert 1 == len(await client.send("Hello", to=NUMBER))
    for options in ({"plaintext": True}, {"plaintext": False}):
        async with waypost.Client(broker.address, key=broker.key, timeout=0.3, **options) as client:
            assert waypost.Unavailable is type(await failure_of(client.analyze("Hello")))


# Documents


def blocks_of(page: Path) -> list[str]:
    """The Python in a page."""
    return re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


async def test_the_guide_runs_from_top_to_bottom(broker_factory, monkeypatch, capsys, tmp_path) -> None:
    """As typed into `python -m asyncio`, one block after the other."""
    broker = broker_factory()
    monkeypatch.setattr(os, "environ", broker.environment)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "guide"}
    blocks = blocks_of(GUIDE)
    assert len(blocks) > 8
    for block in blocks:
        code = compile(block, GUIDE.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        done = eval(code, names)
        if asyncio.iscoroutine(done):
            await done
    printed = capsys.readouterr().out
    assert [] == [said for said in re.findall(r"# prints (.+)", "".join(blocks)) if said not in printed]


def test_the_readmes_programs_run(broker, tmp_path) -> None:
    """Each is whole as it stands there; the second sees its message delivered."""
    printed = []
    for program in blocks_of(README):
        ran = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            cwd=tmp_path,
            env=broker.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "" == ran.stderr
        printed.append(ran.stdout.split())
    (message_id,), statuses = printed
    assert 13 == len(message_id)
    assert ["ACCEPTED", "PROCESSING", "SENT", "DELIVERED"] == statuses


async def test_accounts_are_made_found_changed_and_listed(broker):
    """Each as it stands."""
    who = {"first_name": "Ada", "last_name": "Byron", "contact_number": "1234"}
    async with waypost.Client(broker.address, key=broker.key) as client:
        made = await client.accounts.create(
            **who,
            email="client@Engines.example",
            sandbox_only=True,
            policy=waypost.AccountPolicy(default_region="GB", allowed_countries=("GB",)),
        )
        below = await client.accounts.create(
            **who, email="below@engines.example", parent_account_id=made.account_id
        )
        assert ("Ada Byron", True, True) == (made.name, made.api_access, below.sandbox_only)
        assert made == await client.accounts.get(made.account_id)
        assert made == await client.accounts.find("CLIENT@engines.example")
        assert [below] == [each async for each in client.accounts.list(made.account_id)]
        changed = await client.accounts.update(
            made.account_id, company="C", api_access=False, policy=waypost.AccountPolicy()
        )
        assert ("C", False, waypost.AccountPolicy()) == (changed.company, changed.api_access, changed.policy)
        with pytest.raises(waypost.AlreadyExists):
            await client.accounts.create(**who, email="client@engines.example")
        with pytest.raises(waypost.NotFound):
            await client.accounts.find("nobody@engines.example")
        with pytest.raises(TypeError, match="email cannot be changed"):
            await client.accounts.update(made.account_id, email="x@engines.example")


async def test_a_key_is_made_used_and_revoked(broker):
    """Its secret is told once."""
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    async with waypost.Client(broker.address, key=broker.key) as client:
        key, secret = await client.keys.create(
            waypost.Role.READ, description="till", expire_time=end, calls_per_second=9
        )
        assert (waypost.Role.READ, "till", 9, end, None) == (
            key.role,
            key.description,
            key.calls_per_second,
            key.expire_time,
            key.revoke_time,
        )
        async with waypost.Client(broker.address, key=secret) as reader:
            assert key.account_id == (await reader.accounts.get()).account_id
            with pytest.raises(waypost.PermissionDenied):
                await reader.keys.create(waypost.Role.READ)
        assert key in [each async for each in client.keys.list()]
        revoked = await client.keys.revoke(key.key_id)
        assert revoked.revoke_time is not None
        assert key.key_id not in [each.key_id async for each in client.keys.list()]
        assert revoked in [each async for each in client.keys.list(include_revoked=True)]


async def parts_of(data: bytes):
    """Bytes that come bit by bit, and at last many at once."""
    yield data[:5]
    yield b""
    yield data[5:]


@pytest.mark.parametrize("kind", ["path", "bytes", "open file", "parts"])
async def test_a_file_of_recipients_comes_from_anywhere(client, tmp_path, kind) -> None:
    """In parts that the broker takes; progress tells how much was sent, up to all of it."""
    lines = [f"+447700{at:06},{'x' * 40}" for at in range(15_000)]
    data = "\n".join(["phone,name", "nobody,Eve", *lines]).encode()
    path = tmp_path / "people.csv"
    path.write_bytes(data)
    sent: list[int] = []
    with path.open("rb") as opened:
        files = {"path": path, "bytes": data, "open file": opened, "parts": parts_of(data)}
        upload = await client.broadcasts.upload(files[kind], keep_good=True, progress=sent.append)
    assert (15_000, 1, True) == (upload.recipients, upload.refused, upload.usable)
    assert sent == sorted(sent)
    assert (len(data), True) == (sent[-1], len(sent) > 1)
    assert list(upload.refused_lines) == [
        each async for each in client.broadcasts.refused_lines(upload.upload_id)
    ]


async def test_a_file_that_is_refused_says_why(client) -> None:
    """A bad line refuses all of it unless the good ones are to be kept; what is no file of recipients is an error."""
    upload = await client.broadcasts.upload(b"phone\n+447700900123\nnobody\n")
    assert (False, 0, 1) == (upload.usable, upload.recipients, upload.refused)
    with pytest.raises(waypost.InvalidArgument):
        await client.broadcasts.upload(b"name\nAda\n")


async def test_a_move_that_was_made_already_is_no_failure(client) -> None:
    """Any other one tells the state."""
    later = datetime.now(UTC) + timedelta(hours=1)
    made = await client.broadcasts.send("Hello", to=NUMBER, schedule_time=later)
    for move, state in (
        (client.broadcasts.suspend, waypost.BroadcastState.SUSPENDED),
        (client.broadcasts.stop, waypost.BroadcastState.STOPPED),
        (client.broadcasts.delete, waypost.BroadcastState.DELETED),
    ):
        assert [state] * 2 == [(await move(made.broadcast_id)).state for _ in range(2)]
    with pytest.raises(waypost.FailedPrecondition) as refused:
        await client.broadcasts.resume(made.broadcast_id)
    assert refused.value.metadata["state"] == waypost.BroadcastState.DELETED
