"""A real broker with this plugin, and the fake Messenger on a socket, which calls back."""

import asyncio
from datetime import UTC, datetime

import grpc
import pytest

import waypost
from waypost.v1 import provider_service_pb2, provider_service_pb2_grpc
from waypost_groupcall.fake import FakeGroupcall, Server
from waypost_groupcall.fake.messenger import PARTNER_KEY, PASSWORD

ADA, BOB, EVE = "+447700900123", "+447700900124", "+12025550123"
SHORT_CODE = "110002233213"
WAIT_S = 60


@pytest.fixture
def fake():
    """What the fake remembers."""
    return FakeGroupcall(own_number=SHORT_CODE)


@pytest.fixture
def server(fake):
    """The fake, serving."""
    with Server(fake) as running:
        yield running


async def ends_of(client, *sent):
    """The event with which each message ends, by its id."""
    ids = [result.message_id for each in sent for result in each.results]
    found = {}
    async with asyncio.timeout(WAIT_S):
        async for event in client.subscribe(waypost.MessageEvent, from_beginning=True, message_ids=ids):
            if event.end:
                found[event.message_id] = event
            if len(found) == len(ids):
                break
    return [found[each] for each in ids]


@pytest.mark.covers(
    *("send.sms", "send.email", "send.multi", "callback.get", "callback.responses", "answer.WarningMessages"),
    *("answer.MessageId", "callback.placeholders"),
)
async def test_messages_go_all_the_way(broker, server, fake, customer_table):
    """Each channel by its operation, to what the callback says; a warning and all names are shown."""
    fake.statuses[BOB] = ("Failed", "Invalid number")
    running = broker(groupcall={"type": "groupcall", "url": server.url, **customer_table()})
    async with running.client() as client:
        sent = [
            await client.send("Здравствуйте", to=ADA, sender="School"),
            await client.send("Hello", to=BOB),
            await client.send(waypost.Email(subject="News", html="<p>Hello</p>"), to="ada@example.org"),
            await client.send(waypost.InApp("Hello"), to=waypost.Recipient(device_token="PL-12345")),
            await client.send(waypost.Push("Hello"), to=waypost.Recipient(device_token="PC-12345")),
        ]
        ends = await ends_of(client, *sent)
        timeline = (await client.get(sent[0].results[0].message_id)).timeline
    delivered, failed = waypost.Status.DELIVERED, waypost.Status.DELIVERY_FAILED
    assert [delivered, failed, delivered, delivered, delivered] == [each.status for each in ends]
    assert (waypost.Reason.INVALID_RECIPIENT, "Failed", "Invalid number") == (
        ends[1].reason,
        ends[1].provider_code,
        ends[1].provider_text,
    )
    taken = {each.fields["clientref"]: each for each in fake.taken}
    assert ["sms", "sms", "email", "multi", "multi"] == [taken[each.message_id].operation for each in ends]
    (handed_over,) = [each for each in timeline if each.provider_message_ids]
    first = ends[0].message_id
    assert (taken[first].message_id, first) == handed_over.provider_message_ids
    assert "Message is sent as Unicode" == handed_over.provider_text
    assert PASSWORD not in running.log
    assert not any(each in running.log for each in (ADA, "ada@example.org", "Здравствуйте"))


@pytest.mark.covers("optIn.set", "optIn.get", "usage.fetch", "callback.err")
async def test_opt_ins_and_usage_come_from_both_books(broker, server, fake, customer_table):
    """What the broker is told goes on Groupcall's record, what Groupcall knows is learnt, and its usage is shown."""
    table = customer_table(sms_sender="", short_code=SHORT_CODE)
    running = broker(groupcall={"type": "groupcall", "url": server.url, **table})
    async with running.client() as client:
        sent = await client.send("Hello", to=ADA, sender="School")
        assert [waypost.Status.DELIVERED] == [each.status for each in await ends_of(client, sent)]

        (state,) = await client.opt_in("STOP", ADA, sender="School")
        assert waypost.OptInState.OPTED_OUT is state.state
        upstream = await answered(client, ADA, "School", "opted_out")
        assert ("groupcall", True) == (upstream.provider, upstream.accepted)
        assert {(SHORT_CODE, ADA[1:]): False} == fake.opt_ins
        refused = (await client.send("Hello again", to=ADA, sender="School")).results[0]
        assert waypost.Reason.OPTED_OUT is refused.reason

        await client.opt_in("START", ADA, sender="School")
        assert (await answered(client, ADA, "School", "opted_in")).accepted
        assert {(SHORT_CODE, ADA[1:]): True} == fake.opt_ins

        fake.opt_ins[SHORT_CODE, EVE[1:]] = False
        (end,) = await ends_of(client, await client.send("Hello", to=EVE))
        assert (waypost.Status.DELIVERY_FAILED, waypost.Reason.OPTED_OUT) == (end.status, end.reason)
        again = (await client.send("Hello", to=EVE)).results[0]
        assert waypost.Reason.OPTED_OUT is again.reason

    counts = await usage(running)
    today = datetime.now(UTC).date().isoformat()
    assert {"SMS Messages": 2, "SMS Units": 2} == {
        each.name: each.count for each in counts if each.day == today
    }
    assert PASSWORD not in running.log


@pytest.mark.covers("auth.partner", "callback.all", "callback.responses")
async def test_a_partners_messages_are_replied_to(broker, server, fake, partner_table):
    """In the partner form, several in a request; all that a callback can say comes, and a reply belongs to its message."""
    table = partner_table(callback_parameters="all", channels=["sms"], batch_max=5)
    running = broker(groupcall={"type": "groupcall", "url": server.url, **table})
    async with running.client() as client:
        sent = await client.send("Hello", to=[ADA, BOB], sender="School")
        assert [waypost.Status.DELIVERED] * 2 == [each.status for each in await ends_of(client, sent)]
        assert {"multi"} == {each.operation for each in fake.taken}
        ours = next(each for each in fake.taken if each.address == ADA)
        assert 200 == await asyncio.to_thread(server.call, ours, reply="Yes please", status="", to="School")
        async with asyncio.timeout(WAIT_S):
            async for event in client.subscribe(waypost.InboundEvent, from_beginning=True):
                found = (event.text, event.sender, event.reply_to_message_id)
                assert ("Yes please", ADA, ours.fields["clientref"]) == found
                break
    assert not any(each in running.log for each in (PARTNER_KEY, ADA, "Yes please"))


async def answered(client, recipient, sender, code):
    """Groupcall's answer to the last change of a recipient's wish, once it has this code."""
    async with asyncio.timeout(WAIT_S):
        while True:
            for upstream in (await client.get_opt_in(recipient, sender=sender)).upstream:
                if not upstream.pending and upstream.code == code:
                    return upstream
            await asyncio.sleep(0.05)


async def usage(running):
    """What GetUpstreamUsage tells."""
    async with grpc.aio.insecure_channel(running.address) as channel:
        providers = provider_service_pb2_grpc.ProviderServiceStub(channel)
        asked = provider_service_pb2.GetUpstreamUsageRequest(name="groupcall")
        answer = await providers.GetUpstreamUsage(
            asked, metadata=[("authorization", f"Bearer {running.key}")]
        )
    assert answer.tells_usage
    return answer.counts
