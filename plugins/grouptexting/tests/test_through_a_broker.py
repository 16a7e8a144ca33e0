"""A real broker with this plugin, and the fake: messages to their ends, what comes in, and what it is answered."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

import waypost
from waypost.v1 import (
    account_service_pb2,
    account_service_pb2_grpc,
    keyword_pb2,
    provider_service_pb2,
    provider_service_pb2_grpc,
    sender_service_pb2_grpc,
)
from waypost_grouptexting.fake import FakeServer, Service

Table = Callable[..., dict[str, Any]]
CARD = Path(__file__).parent / "card.toml"
SECRET = "the-secret-of-the-callbacks"
ADA, BOB = "2125550101", "2125550102"
LONG_CODE = "+12125550100"
SOON_S = 60


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
async def test_what_somebody_is_answered_is_the_answer_of_the_callback(
    broker: Callable[..., Any], fake: FakeServer, service: Service, table: Table
) -> None:
    """It comes back over the request that told what they wrote, and is a message that ends SENT like any other."""
    settings = of_type(table(fake.url, reply_in_answer_s=20, waypost={"callback_secret": SECRET}))
    running = broker(grouptexting=settings)
    service.forwarding_url = f"http://{running.http_address}/callbacks/grouptexting/{SECRET}"
    async with asyncio.timeout(SOON_S), running.client() as client:
        sent = await client.send("Hello", to=f"+1{ADA}", sender=LONG_CODE)
        await _ends(client, sent.results[0].message_id, waypost.Status.SENT)
        saying = asyncio.create_task(fake.say(ADA, "Are you open?"))
        async for event in client.subscribe(waypost.InboundEvent, from_beginning=True):
            fields = {"sender": LONG_CODE, "traffic": waypost.Traffic.CONVERSATIONAL}
            answered = await client.send("Until 8", to=event.sender, **fields)
            break
        await _ends(client, answered.results[0].message_id, waypost.Status.SENT)
        assert [200] == await saying
    assert [("Hello", "sending"), ("Until 8", "answer")] == [(each.text, each.by) for each in service.texted]


@pytest.mark.covers(
    "keyword.check",
    "keyword.rent",
    "keyword.setup",
    "keyword_callback",
    "keyword_callback.Message",
    "credits.buy",
)
async def test_keywords_and_credits_are_bought_through_the_broker(
    broker: Callable[..., Any], fake: FakeServer, service: Service, table: Table, tmp_path: Path
) -> None:
    """Group Texting is asked first; its autoreply is the only one; the card is nowhere but there."""
    payments = {
        "type": "grouptexting", "url": fake.url, "username": service.user, "password": service.password,
        "cards": {"main": str(CARD)}, "credit_micros": 50_000, "purchases_dir": str(tmp_path),
    }  # fmt: skip
    instance = of_type(table(fake.url, card_file=str(CARD), waypost={"callback_secret": SECRET}))
    running = broker({"payments": payments}, grouptexting=instance)
    async with asyncio.timeout(SOON_S), running.client() as client:
        assert "ALREADY_EXISTS" == await asyncio.to_thread(_rent, running, "TAKEN")
        assert "" == await asyncio.to_thread(_rent, running, "SALE", autoreply="20 percent off")
        assert [200] == await fake.say(ADA, "sale")
        async for event in client.subscribe(waypost.InboundEvent, from_beginning=True):
            assert ("SALE", waypost.InboundKind.KEYWORD) == (event.keyword, event.kind)
            break
        assert 10_000_000 == await asyncio.to_thread(_purchase, running)
    running.stop()
    assert [("20 percent off", "autoreply")] == [(each.text, each.by) for each in service.texted]
    assert 299 == service.credits
    assert [] == [each for each in ("4111111111111111", "Lovelace", SECRET, ADA) if each in running.log]


def of_type(table: dict[str, Any]) -> dict[str, Any]:
    """The table as a settings file has it."""
    return {"type": "grouptexting", **table}


async def _ends(client: waypost.Client, message_id: str, status: waypost.Status) -> waypost.MessageEvent:
    async for event in client.subscribe(waypost.MessageEvent, from_beginning=True, message_ids=[message_id]):
        if event.end:
            assert status is event.status
            return event
    raise AssertionError("the stream ended")


def _rent(running: Any, word: str, **settings: str) -> str:
    """Rent and set up a keyword; answers why not."""
    with grpc.insecure_channel(running.address) as channel:
        stub = sender_service_pb2_grpc.SenderServiceStub(channel)
        metadata = [("authorization", f"Bearer {running.key}")]
        name = {"sender": LONG_CODE, "keyword": word}
        try:
            stub.RentKeyword(keyword_pb2.RentKeywordRequest(**name), metadata=metadata)
        except grpc.RpcError as refused:
            return str(refused.code().name)
        request = keyword_pb2.ConfigureKeywordRequest(**name, **settings)
        stub.ConfigureKeyword(request, metadata=metadata)
    return ""


def _purchase(running: Any) -> int:
    """Buy credit for ten dollars; answers what the account has."""
    with grpc.insecure_channel(running.address) as channel:
        stub = account_service_pb2_grpc.AccountServiceStub(channel)
        request = account_service_pb2.PurchaseCreditsRequest(
            request_id="first", amount_micros=10_000_000, payment_token="main"
        )
        answer = stub.PurchaseCredits(request, metadata=[("authorization", f"Bearer {running.key}")])
        return answer.balance.amount_micros


def _balance(running: Any) -> int:
    with grpc.insecure_channel(running.address) as channel:
        stub = provider_service_pb2_grpc.ProviderServiceStub(channel)
        request = provider_service_pb2.GetUpstreamUsageRequest(name="grouptexting")
        answer = stub.GetUpstreamUsage(request, metadata=[("authorization", f"Bearer {running.key}")])
        return answer.balance.amount_micros
