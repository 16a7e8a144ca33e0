"""A real broker with this plugin, and the fake: messages to their ends, what comes in, and what it is answered."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest

import waypost
from waypost.v1 import (
    keyword_pb2,
    provider_service_pb2,
    provider_service_pb2_grpc,
    sender_service_pb2_grpc,
)
from waypost_grouptexting.fake import FakeServer, Service

Table = Callable[..., dict[str, Any]]
SECRET = "the-secret-of-the-callbacks"
ADA, BOB = "2125550101", "2125550102"
LONG_CODE = "+12125550100"
SOON_S = 30


@pytest.mark.covers("send", "send.code.1", "send.code.-5", "inbox_callback", "credits.check")
async def test_messages_end_and_answers_come_back(
    broker: Callable[..., Any], fake: FakeServer, service: Service, table: Table
) -> None:
    """SENT is the end; who opted out upstream is refused; what somebody writes is an event; the credits are told."""
    service.opted_out.add(BOB)
    running = broker(grouptexting=of_type(table(fake.url, waypost={"callback_secret": SECRET})))
    service.forwarding_url = f"http://{running.http_address}/callbacks/grouptexting/{SECRET}"
    async with asyncio.timeout(SOON_S), running.client() as client:
        sent = await client.send("Are you well?", to=f"+1{ADA}", sender=LONG_CODE)
        refused = await client.send("Are you well?", to=f"+1{BOB}", sender=LONG_CODE)
        await _ends(client, sent.results[0].message_id, waypost.Status.SENT)
        end = await _ends(client, refused.results[0].message_id, waypost.Status.REJECTED)
        assert "-5" == end.provider_code
        assert [200] == await fake.say(ADA, "Yes & you?")
        async for event in client.subscribe(waypost.InboundEvent, from_beginning=True):
            assert ("Yes & you?", f"+1{ADA}") == (event.text, event.sender)
            break
    service.credits = 42
    assert 42_000_000 == await asyncio.to_thread(_balance, running)
    running.stop()
    assert [] == [each for each in ("gt-password-4711", SECRET, ADA, BOB, "well?") if each in running.log]


@pytest.mark.covers("inbox_callback.answer")
async def test_a_keywords_autoreply_is_the_answer_of_its_callback(
    broker: Callable[..., Any], fake: FakeServer, service: Service, table: Table
) -> None:
    """It comes back over the request that told of the keyword, and is a message that ends SENT like any other."""
    settings = of_type(table(fake.url, reply_in_answer_s=20, waypost={"callback_secret": SECRET}))
    running = broker(grouptexting=settings)
    service.forwarding_url = f"http://{running.http_address}/callbacks/grouptexting/{SECRET}"
    async with asyncio.timeout(SOON_S), running.client() as client:
        await asyncio.to_thread(_set_up_keyword, running, "SALE", "20 percent off")
        sent = await client.send("Hello", to=f"+1{ADA}", sender=LONG_CODE)
        await _ends(client, sent.results[0].message_id, waypost.Status.SENT)
        assert [200] == await fake.say(ADA, "Sale")
        assert ("20 percent off", "answer") == (service.texted[-1].text, service.texted[-1].by)
        async for event in client.subscribe(waypost.MessageEvent, from_beginning=True):
            if event.end and event.origin == "autoreply":
                assert waypost.Status.SENT is event.status
                break
    assert 2 == len(service.texted)


def of_type(table: dict[str, Any]) -> dict[str, Any]:
    """The table as a settings file has it."""
    return {"type": "grouptexting", **table}


async def _ends(client: waypost.Client, message_id: str, status: waypost.Status) -> waypost.MessageEvent:
    async for event in client.subscribe(waypost.MessageEvent, from_beginning=True, message_ids=[message_id]):
        if event.end:
            assert status is event.status
            return event
    raise AssertionError("the stream ended")


def _set_up_keyword(running: Any, word: str, autoreply: str) -> None:
    with grpc.insecure_channel(running.address) as channel:
        stub = sender_service_pb2_grpc.SenderServiceStub(channel)
        metadata = [("authorization", f"Bearer {running.key}")]
        name = {"sender": LONG_CODE, "keyword": word}
        stub.RentKeyword(keyword_pb2.RentKeywordRequest(**name), metadata=metadata)
        request = keyword_pb2.ConfigureKeywordRequest(**name, autoreply=autoreply)
        stub.ConfigureKeyword(request, metadata=metadata)


def _balance(running: Any) -> int:
    with grpc.insecure_channel(running.address) as channel:
        stub = provider_service_pb2_grpc.ProviderServiceStub(channel)
        request = provider_service_pb2.GetUpstreamUsageRequest(name="grouptexting")
        answer = stub.GetUpstreamUsage(request, metadata=[("authorization", f"Bearer {running.key}")])
        return answer.balance.amount_micros
