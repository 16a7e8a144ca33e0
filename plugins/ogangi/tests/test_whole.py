"""Through a real broker, from Send to the end."""

import asyncio

import pytest

import waypost
from waypost_ogangi.fake import FakeOgangi
from waypost_ogangi.settings import OgangiSettings

PUBLIC_KEY = "public-key-4711"
PRIVATE_KEY = "private-key-0815"


@pytest.fixture
def table(upstream):
    """The instance's table, for a fake that signs alike."""
    table = {
        "base_url": upstream.url,
        "instance_id": "1234",
        "user_name": "ada",
        "public_key": PUBLIC_KEY,
        "private_key": PRIVATE_KEY,
        "message_statuses": {"SENT_TO_CARRIER": "accepted", "INVALID_NUMBER": "invalid_recipient"},
    }
    upstream.answer = FakeOgangi(OgangiSettings.model_validate(table))
    return {"type": "ogangi", **table}


async def ends_of(running, *recipients):
    """The events that end messages to these recipients, by recipient."""
    async with running.client() as client, asyncio.timeout(30):
        sent = await client.send("Your table is ready", to=list(recipients))
        ids = {each.message_id: each.recipient for each in sent.results}
        ends = {}
        async for event in client.subscribe(waypost.MessageEvent, from_beginning=True, message_ids=list(ids)):
            if event.end:
                ends[ids[event.message_id]] = event
            if len(ends) == len(ids):
                return ends
    raise AssertionError("the stream ended before the messages did")


@pytest.mark.covers("send", "message.id", "message.status.SENT_TO_CARRIER", "message.text", "message.to")
def test_messages_go_all_the_way(broker, upstream, table):
    """SENT is the end of those that Ogangi took, under ids below zero too; one that it refuses is REJECTED."""
    running = broker(ogangi=table)
    taken = ("+18133210984", "+13056708084", "+12025550123")
    ends = asyncio.run(ends_of(running, *taken, "+12025550001"))
    assert {**dict.fromkeys(taken, "SENT"), "+12025550001": "REJECTED"} == {
        to: each.status for to, each in ends.items()
    }
    assert "INVALID_RECIPIENT" == ends["+12025550001"].reason
    fake = upstream.answer
    assert {"Your table is ready"} == {each.text for each in fake.sent}
    assert {to.removeprefix("+") for to in ends} == {each.recipient for each in fake.sent}
    assert any(each.id.startswith("-") for each in fake.sent)
    for secret in (PUBLIC_KEY, PRIVATE_KEY, "18133210984", "Your table"):
        assert secret not in running.log
