"""Through a real broker: from Send over the fake to DELIVERED, and back with what the recipient answers."""

import asyncio

import aiohttp
import grpc
import grpc.aio
import pytest

import waypost
from waypost.v1 import provider_service_pb2, provider_service_pb2_grpc
from waypost_zoomconnect.fake.__main__ import post_callbacks

ALL_S_MAX = 90.0


@pytest.mark.covers("report", "reply", "send-bulk")
async def test_a_message_goes_all_the_way_and_is_answered(broker, fake, table):
    """The fake calls back; the answer is known to be one to this message; no secret is in the log."""
    running = broker(zoomconnect={"type": "zoomconnect", **table()})
    async with asyncio.timeout(ALL_S_MAX), running.client() as client, aiohttp.ClientSession() as session:
        sent = await client.send("Is 7 fine?", to="+27821110012")
        message_id = sent.results[0].message_id
        events = client.subscribe(waypost.MessageEvent, from_beginning=True, message_ids=[message_id])
        async for event in events:
            if event.status is waypost.Status.SENT:
                fake.messages.deliver()
                address = await callback_address(running)
                assert [200, 200] == await post_callbacks(
                    fake, session, {"report": address, "reply": address}
                )
            if event.end:
                break
        assert (waypost.Status.DELIVERED, "zoomconnect") == (event.status, event.provider)
        answer = await anext(aiter(client.subscribe(waypost.InboundEvent, from_beginning=True)))
    assert ("+27821110012", "YES", message_id) == (answer.sender, answer.text, answer.reply_to_message_id)
    assert [] == [each for each in ("rest-token-4711", "27821110012", "Is 7 fine?") if each in running.log]


@pytest.mark.covers("messages.get", "messages.all", "reply.repliedToMessageId")
async def test_without_callbacks_the_end_is_asked_for_and_replies_are_polled(broker, fake, table):
    """A broker that serves no address needs none; who answers the first of two messages answers that one."""
    polling = table(receipts="poll", replies="poll", poll_s=0.1)
    running = broker(
        settings={"delivery": {"receipt_overdue_s": 0.1}}, zoomconnect={"type": "zoomconnect", **polling}
    )
    async with asyncio.timeout(ALL_S_MAX), running.client() as client:
        message_ids = []
        for number, text in enumerate(("Is 8 fine?", "Or 9?"), 1):
            sent = await client.send(text, to="+27821110000")
            message_ids.append(sent.results[0].message_id)
            while len(fake.messages.by_id) < number:  # noqa: ASYNC110 - the fake runs in another thread
                await asyncio.sleep(0.01)
        fake.messages.deliver()
        ended = set()
        events = client.subscribe(waypost.MessageEvent, from_beginning=True, message_ids=message_ids)
        async for event in events:
            if event.end:
                ended.add((event.message_id, event.status))
            if len(ended) == len(message_ids):
                break
        (first,) = [each for each, record in fake.messages.by_id.items() if record["message"] == "Is 8 fine?"]
        fake.messages.reply(first, "YES")
        answer = await anext(aiter(client.subscribe(waypost.InboundEvent, from_beginning=True)))
    assert {(each, waypost.Status.DELIVERED) for each in message_ids} == ended
    assert ("YES", message_ids[0]) == (answer.text, answer.reply_to_message_id)


async def callback_address(running):
    """What an operator pastes into ZoomConnect's developer settings."""
    async with grpc.aio.insecure_channel(running.address) as channel:
        listed = await provider_service_pb2_grpc.ProviderServiceStub(channel).ListProviders(
            provider_service_pb2.ListProvidersRequest(),
            metadata=[("authorization", f"Bearer {running.key}")],
        )
    return listed.providers[0].callback_url
