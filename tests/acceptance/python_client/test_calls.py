"""The Python client against real brokers: what is sent, what is stored, and how calls fail while brokers are killed and started again."""

import asyncio
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

import waypost
from broker.domain.cursor import format_cursor, parse_cursor
from tests.acceptance.python_client.conftest import (
    NUMBER,
    REJECTED,
    failure_of,
    stays_pending,
    stopped,
    stream_one,
    until_ended,
)
from waypost import MessageEvent, Reason, SendRequest, Sent, Status

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
